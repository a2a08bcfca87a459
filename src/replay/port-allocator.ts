/**
 * Source ports for sessions, out of the blocks that an intercept has leased to us. Each source address has all leased
 * ports to itself. A port is used again as late as possible, so that the target's TIME-WAIT is long over: first come
 * ports that the address has not used yet, in order, then the one that has been free for the longest.
 *
 * Per address, everything before a *cursor* (block by block in the order in which they were leased) has been used; what
 * was released there waits in a queue. Ports at the cursor and after it are fresh, unless a bit says that they are in
 * use, which happens when a block was lost and leased again while a session was still on it. So
 *
 *     queue = ports before the cursor, leased, not in use; each exactly once
 *
 * holds after every call. Memory: nothing for an address without sessions ever; then a bit per port of the blocks it has
 * touched, and two bytes per queued port. `sweep` forgets addresses that have been idle since the previous sweep.
 */
import { BLOCK_PORTS, BLOCK_SHIFT, BLOCKS } from '../control/protocol.ts';

const OFFSET_MASK = BLOCK_PORTS - 1;
const NOT_LEASED = -1;

export class PortAllocator {
  readonly #addresses = new Map<number, AddressPorts>();
  /** Leased blocks in the order in which they came. */
  readonly #order: number[] = [];
  /** Place in `#order` by block. */
  readonly #place = new Int32Array(BLOCKS).fill(NOT_LEASED);
  #inUse = 0;

  /** Ports leased, of which every address has its own. */
  get leasedPorts(): number {
    return this.#order.length * BLOCK_PORTS;
  }

  /** Ports handed out and not released, over all addresses. */
  get inUse(): number {
    return this.#inUse;
  }

  /** Addresses remembered. */
  get addresses(): number {
    return this.#addresses.size;
  }

  /** Whole blocks, as a lease has them; those leased already are left as they are. */
  addPorts(firstPort: number, count: number): void {
    for (const block of blocksIn(firstPort, count)) {
      if (this.#place[block] !== NOT_LEASED) continue;
      this.#place[block] = this.#order.length;
      this.#order.push(block);
    }
  }

  /** The ports are not ours any more. Those in use may still be released; they are not handed out again. */
  removePorts(firstPort: number, count: number): void {
    for (const block of blocksIn(firstPort, count)) {
      const place = this.#place[block]!;
      if (place === NOT_LEASED) continue;
      this.#order.splice(place, 1);
      this.#place[block] = NOT_LEASED;
      for (let i = place; i < this.#order.length; i++) this.#place[this.#order[i]!] = i;
      for (const ports of this.#addresses.values()) ports.blockRemoved(block, place);
    }
  }

  /** A port that no session of this address uses, or -1. */
  acquire(addressIndex: number): number {
    let ports = this.#addresses.get(addressIndex);
    if (ports === undefined) {
      if (this.#order.length === 0) return -1;
      ports = new AddressPorts();
      this.#addresses.set(addressIndex, ports);
    }
    const port = ports.acquire(this.#order);
    if (port >= 0) this.#inUse++;
    return port;
  }

  /** Gives a port back; one that is not in use is ignored. */
  release(addressIndex: number, port: number): void {
    const ports = this.#addresses.get(addressIndex);
    if (ports !== undefined && ports.release(port, this.#place[port >>> BLOCK_SHIFT]!)) this.#inUse--;
  }

  /**
   * Forgets addresses that have no port in use and had none since the last sweep. Called every minute or so, longer than
   * TIME-WAIT lasts, since a forgotten address begins with its first port again.
   */
  sweep(): void {
    for (const [index, ports] of this.#addresses) {
      if (ports.isIdle()) this.#addresses.delete(index);
    }
  }
}

/** The ports of one source address. */
class AddressPorts {
  /** Which ports are in use: a bit each, by block. */
  readonly #used: (Uint32Array | undefined)[] = [];
  /** Place in the order of blocks, and offset in that block, of the first fresh port. */
  #cursorPlace = 0;
  #cursorOffset = 0;
  /** Ring of released ports, oldest at `#head`. Its size is a power of two. */
  #queue = new Uint16Array(8);
  #head = 0;
  #queued = 0;
  #inUse = 0;
  #touched = true;

  acquire(order: readonly number[]): number {
    let port = this.#takeFresh(order);
    if (port < 0) port = this.#takeQueued();
    if (port < 0) return -1;
    this.#bits(port)[(port & OFFSET_MASK) >>> 5]! |= 1 << (port & 31);
    this.#inUse++;
    this.#touched = true;
    return port;
  }

  /** `place`: of the port's block among the leased ones, or NOT_LEASED. False when the port was not in use. */
  release(port: number, place: number): boolean {
    if (!this.#isUsed(port)) return false;
    this.#bits(port)[(port & OFFSET_MASK) >>> 5]! &= ~(1 << (port & 31));
    this.#inUse--;
    this.#touched = true;
    const passed =
      place < this.#cursorPlace || (place === this.#cursorPlace && (port & OFFSET_MASK) < this.#cursorOffset);
    if (place !== NOT_LEASED && passed) this.#enqueue(port);
    return true;
  }

  blockRemoved(block: number, place: number): void {
    const kept = this.#queued;
    for (let i = 0; i < kept; i++) {
      const port = this.#takeQueued();
      if (port >>> BLOCK_SHIFT !== block) this.#enqueue(port);
    }
    if (place < this.#cursorPlace) this.#cursorPlace--;
    else if (place === this.#cursorPlace) this.#cursorOffset = 0;
  }

  /** Whether nothing is in use and nothing happened since the last call. */
  isIdle(): boolean {
    const idle = this.#inUse === 0 && !this.#touched;
    this.#touched = false;
    return idle;
  }

  #takeFresh(order: readonly number[]): number {
    while (this.#cursorPlace < order.length) {
      const first = order[this.#cursorPlace]! << BLOCK_SHIFT;
      while (this.#cursorOffset < BLOCK_PORTS) {
        const port = first + this.#cursorOffset++;
        if (!this.#isUsed(port)) return port;
      }
      this.#cursorPlace++;
      this.#cursorOffset = 0;
    }
    return -1;
  }

  #takeQueued(): number {
    if (this.#queued === 0) return -1;
    const port = this.#queue[this.#head]!;
    this.#head = (this.#head + 1) & (this.#queue.length - 1);
    this.#queued--;
    return port;
  }

  #enqueue(port: number): void {
    const size = this.#queue.length;
    if (this.#queued === size) {
      const grown = new Uint16Array(size * 2);
      for (let i = 0; i < size; i++) grown[i] = this.#queue[(this.#head + i) & (size - 1)]!;
      this.#queue = grown;
      this.#head = 0;
    }
    this.#queue[(this.#head + this.#queued) & (this.#queue.length - 1)] = port;
    this.#queued++;
  }

  #isUsed(port: number): boolean {
    const bits = this.#used[port >>> BLOCK_SHIFT];
    return bits !== undefined && (bits[(port & OFFSET_MASK) >>> 5]! & (1 << (port & 31))) !== 0;
  }

  #bits(port: number): Uint32Array {
    return (this.#used[port >>> BLOCK_SHIFT] ??= new Uint32Array(BLOCK_PORTS / 32));
  }
}

function blocksIn(firstPort: number, count: number): number[] {
  const blocks: number[] = [];
  for (let port = firstPort; port < firstPort + count; port += BLOCK_PORTS) blocks.push(port >>> BLOCK_SHIFT);
  return blocks;
}
