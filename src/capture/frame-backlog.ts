/**
 * Frames that were taken out of the kernel's buffer because it was filling up, until there is time for them.
 *
 * The kernel hands blocks over by time, nearly empty at most rates, so a ring runs out of blocks long before it is full
 * of bytes. The same frames put together take a fraction of that; and as memory of our own, none while there is no need.
 * They are kept in batches, each with its own piece of memory.
 */
import { FrameBatch } from '../core/frame-batch.ts';
import type { Instant } from '../core/time.ts';

const PIECE_BYTES = 256 * 1024;
const PIECE_FRAMES = 1_024;

export class FrameBacklog {
  readonly #pieces: number;
  #batches: FrameBatch[] = [];
  /** Bytes used of the last one. */
  #used = 0;
  /** One that was read to the end, to be filled again. */
  #spare: FrameBatch | undefined;

  /** `limit`: the most it may take, bytes. */
  constructor(limit: number) {
    this.#pieces = Math.ceil(limit / PIECE_BYTES);
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  /** It may have no room for another batch. */
  get isFull(): boolean {
    return this.#batches.length >= this.#pieces;
  }

  /** Copies the frames of a batch. */
  add(batch: FrameBatch): void {
    const { offset, captured, length, time, linkType, flags, vlanTci } = batch;
    for (let i = 0; i < batch.count; i++) {
      const size = captured[i]!;
      const into = this.#roomFor(size);
      into.bytes.set(batch.bytes.subarray(offset[i], offset[i]! + size), this.#used);
      into.add(this.#used, size, length[i]!, time[i]! as Instant, linkType[i]!, flags[i]!, vlanTci[i]!);
      this.#used += size;
    }
  }

  /** The oldest frames, which leave the backlog; valid until the next call. */
  next(): FrameBatch | undefined {
    const batch = this.#batches.shift();
    if (batch !== undefined) this.#spare = batch;
    return batch;
  }

  clear(): void {
    this.#batches = [];
    this.#spare = undefined;
  }

  #roomFor(size: number): FrameBatch {
    const last = this.#batches.at(-1);
    if (last !== undefined && last.count < last.capacity && this.#used + size <= last.bytes.length) return last;
    this.#used = 0;
    const fresh = this.#fresh(size);
    this.#batches.push(fresh);
    return fresh;
  }

  #fresh(size: number): FrameBatch {
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare === undefined || size > spare.bytes.length) {
      return new FrameBatch(PIECE_FRAMES, new Uint8Array(Math.max(size, PIECE_BYTES)));
    }
    spare.reset(spare.bytes);
    return spare;
  }
}
