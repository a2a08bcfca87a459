/**
 * Source ports for raw sessions, from all intercepts together.
 *
 * A response reaches whichever intercept the target's routes lead to, so a port is used only when every intercept that
 * is up has leased it to us. With one intercept that is simply its lease. More blocks are asked for, in doubling steps,
 * when the free ports run low.
 */
import { BLOCK_PORTS, BLOCKS } from '../control/protocol.ts';
import { PortAllocator } from './port-allocator.ts';
import type { PortSource } from './raw-target.ts';

/** Share of the ports in use, on average over the source addresses, at which more are asked for. */
const SCARCE = 0.5;

export interface LeaseHolder {
  readonly up: boolean;
  requestLease(blocks: number): void;
}

export interface LeasePoolListener {
  /** Sessions on these ports will hear nothing any more. */
  portsLost(firstPort: number, count: number): void;
}

export class LeasePool implements PortSource {
  readonly #allocator = new PortAllocator();
  readonly #listener: LeasePoolListener;
  readonly #holders: LeaseHolder[] = [];
  /** For each holder, which blocks it has leased to us. */
  readonly #held: Uint8Array[] = [];
  readonly #usable = new Uint8Array(BLOCKS);
  #usableBlocks = 0;
  /** More blocks were asked for when there were so many. */
  #askedAt = 0;

  constructor(listener: LeasePoolListener) {
    this.#listener = listener;
  }

  /** The index by which the holder's leases are reported. */
  add(holder: LeaseHolder): number {
    this.#holders.push(holder);
    this.#held.push(new Uint8Array(BLOCKS));
    return this.#holders.length - 1;
  }

  get state(): 'ready' | 'no-intercept' | 'no-lease' {
    if (!this.#holders.some((holder) => holder.up)) return 'no-intercept';
    return this.#usableBlocks > 0 ? 'ready' : 'no-lease';
  }

  acquire(addressIndex: number): number {
    const port = this.#allocator.acquire(addressIndex);
    const { inUse, addresses, leasedPorts } = this.#allocator;
    if (port < 0 || inUse > leasedPorts * addresses * SCARCE) this.#askForMore();
    return port;
  }

  release(addressIndex: number, port: number): void {
    this.#allocator.release(addressIndex, port);
  }

  leased(holder: number, firstPort: number, count: number): void {
    this.#held[holder]!.fill(1, firstPort / BLOCK_PORTS, (firstPort + count) / BLOCK_PORTS);
    this.update();
  }

  lost(holder: number, firstPort: number, count: number): void {
    this.#held[holder]!.fill(0, firstPort / BLOCK_PORTS, (firstPort + count) / BLOCK_PORTS);
    this.update();
    this.#listener.portsLost(firstPort, count);
  }

  /** Forgets source addresses that have been idle; call every minute or so. */
  sweep(): void {
    this.#allocator.sweep();
  }

  /** A holder has come up or gone down, or its blocks have changed. */
  update(): void {
    for (let block = 0; block < BLOCKS; block++) {
      const usable = this.#isUsable(block) ? 1 : 0;
      if (usable === this.#usable[block]) continue;
      this.#usable[block] = usable;
      this.#usableBlocks += usable === 1 ? 1 : -1;
      if (usable === 1) this.#allocator.addPorts(block * BLOCK_PORTS, BLOCK_PORTS);
      else this.#allocator.removePorts(block * BLOCK_PORTS, BLOCK_PORTS);
    }
  }

  #isUsable(block: number): boolean {
    let up = 0;
    for (let i = 0; i < this.#holders.length; i++) {
      if (!this.#holders[i]!.up) continue;
      up++;
      if (this.#held[i]![block] === 0) return false;
    }
    // While nobody is up the ports stay ours in name; sessions wait for the intercept to come back.
    return up > 0 || this.#usable[block] === 1;
  }

  #askForMore(): void {
    if (this.#askedAt >= Math.max(1, this.#usableBlocks)) return;
    this.#askedAt = Math.max(1, this.#usableBlocks);
    for (const holder of this.#holders) if (holder.up) holder.requestLease(this.#askedAt);
  }
}
