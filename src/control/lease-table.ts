/**
 * Who may use which source ports. The 64 blocks of 1,024 ports are granted whole, each to one holder at most, so that the
 * owner of a response is one look-up by its destination port and two instances can never collide.
 *
 * A block is *free*, or *held* by a holder that is connected or has vanished. A vanished holder keeps its blocks for the
 * lease silence, for its reclaim; then they are free. Among free blocks, those that nobody has had yet are granted first,
 * beginning at a place derived from the holder (after a restart of the intercept two instances that come back hardly
 * compete for the same blocks); then the one that has been free the longest, so that a block's former sessions, and
 * TIME-WAIT at the target, are long gone.
 *
 * Holders are small integers chosen by the caller, stable for the life of an instance.
 */
import { addTime, type Duration, type Instant } from '../core/time.ts';
import { BLOCK_PORTS, BLOCK_SHIFT, BLOCKS } from './protocol.ts';

export const NO_HOLDER = -1;

export interface LeaseTableOptions {
  /** No port below it is granted; rounded up to a block. At least 1024: block 0 is never granted. */
  readonly firstPort?: number;
  /** How long a vanished holder keeps its blocks. */
  readonly silence: Duration;
}

export class LeaseTable {
  readonly #silence: Duration;
  readonly #firstBlock: number;
  /** Holder by block. */
  readonly #owner = new Int32Array(BLOCKS).fill(NO_HOLDER);
  readonly #unused = new Set<number>();
  /** Free again, longest first. */
  readonly #freed: number[] = [];
  readonly #vanished = new Map<number, Instant>();

  constructor(options: LeaseTableOptions) {
    this.#silence = options.silence;
    this.#firstBlock = Math.max(1, Math.ceil((options.firstPort ?? BLOCK_PORTS) / BLOCK_PORTS));
    for (let block = this.#firstBlock; block < BLOCKS; block++) this.#unused.add(block);
  }

  /** Blocks that can be granted at all. */
  get capacity(): number {
    return Math.max(0, BLOCKS - this.#firstBlock);
  }

  /** Blocks that nobody holds. */
  get free(): number {
    return this.#unused.size + this.#freed.length;
  }

  /** The holder that a response to this port belongs to, or `NO_HOLDER`. */
  ownerOfPort(port: number): number {
    return this.#owner[port >>> BLOCK_SHIFT]!;
  }

  blocksOf(holder: number): number[] {
    const blocks: number[] = [];
    this.#owner.forEach((owner, block) => {
      if (owner === holder) blocks.push(block);
    });
    return blocks;
  }

  /**
   * Grants blocks until the holder has `total`, or none are free. `place` is any number that differs between holders
   * and stays the same for one (a hash of its id). Returns what was added.
   */
  grant(holder: number, total: number, place: number): number[] {
    const added: number[] = [];
    let missing = total - this.blocksOf(holder).length;
    for (; missing > 0; missing--) {
      const block = this.#pick(place);
      if (block === undefined) break;
      this.#owner[block] = holder;
      added.push(block);
    }
    return added;
  }

  /** Gives these blocks to the holder as far as they are free or already its own; returns those that are. */
  reclaim(holder: number, blocks: readonly number[]): number[] {
    return blocks.filter((block) => {
      if (this.#owner[block] === holder) return true;
      if (!this.#takeFree(block)) return false;
      this.#owner[block] = holder;
      return true;
    });
  }

  /** Frees all blocks of a holder. */
  release(holder: number): void {
    this.#vanished.delete(holder);
    for (const block of this.blocksOf(holder)) {
      this.#owner[block] = NO_HOLDER;
      this.#freed.push(block);
    }
  }

  /** The holder's last connection is gone: its silence begins. */
  vanish(holder: number, now: Instant): void {
    this.#vanished.set(holder, addTime(now, this.#silence));
  }

  /** The holder is back. */
  appear(holder: number): void {
    this.#vanished.delete(holder);
  }

  /** Frees the blocks of holders that stayed away too long, and returns these holders. */
  expire(now: Instant): number[] {
    const gone = [...this.#vanished].filter(([, at]) => at <= now).map(([holder]) => holder);
    for (const holder of gone) this.release(holder);
    return gone;
  }

  #pick(place: number): number | undefined {
    for (let i = 0; i < this.capacity && this.#unused.size > 0; i++) {
      const block = this.#firstBlock + ((place + i) % this.capacity);
      if (this.#unused.delete(block)) return block;
    }
    return this.#freed.shift();
  }

  #takeFree(block: number): boolean {
    if (this.#unused.delete(block)) return true;
    const at = this.#freed.indexOf(block);
    if (at < 0) return false;
    this.#freed.splice(at, 1);
    return true;
  }
}

/** The place of an instance for `LeaseTable.grant`. */
export function leasePlace(instanceId: Uint8Array): number {
  // FNV-1a: any spread of 8 random bytes will do.
  let hash = 0x811c9dc5 | 0;
  for (const byte of instanceId) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}
