/**
 * Client bytes that wait to be handed to a session: for their turn, for room, or for a session to exist. Bytes are
 * copied in once; a budget shared by all queues bounds them.
 */
import { copyOf } from '../core/bytes.ts';
import { compact } from '../core/compact.ts';

/** Why bytes find no place: their queue is full, or all queues together are. */
export type Overflow = 'queue-cap' | 'memory-cap';

export class ByteBudget {
  used = 0;
  readonly limit: number;
  /**
   * Whether each queue has limits of its own. Who reads a recording stops while one is crowded, but what reassembly held back
   * comes at once, and in far more than a queue's worth: of that nothing is refused but for the budget.
   */
  readonly boundsQueues: boolean;

  constructor(limit: number, boundsQueues = true) {
    this.limit = limit;
    this.boundsQueues = boundsQueues;
  }

  /** What keeps `length` bytes out of a queue that is `full` by its own limits or not; `undefined` when they fit. */
  refuses(length: number, full: boolean): Overflow | undefined {
    if (this.boundsQueues && full) return 'queue-cap';
    return this.used + length > this.limit ? 'memory-cap' : undefined;
  }
}

/** Most pieces in one queue: each costs some 200 bytes beside its own, which one-byte pieces would make the most of. */
const PIECE_LIMIT = 16_384;
/** Share of a limit beyond which a queue is crowded. */
const CROWDED = 1 / 4;
const GONE = new Uint8Array(0);
/** Of a queue without pieces, as most are most of the time; never written to. */
const NONE: Uint8Array[] = [];

/** Who is handed bytes. */
export interface PieceTaker {
  /** Returns how many it accepts; they are not its own. */
  take(bytes: Uint8Array, offset: number, length: number): number;
}

const NOBODY: PieceTaker = { take: (_bytes, _offset, length) => length };

export class PieceQueue {
  readonly #budget: ByteBudget;
  readonly #limit: number;
  #chunks: Uint8Array[] = NONE;
  #head = 0;
  /** Bytes of the first chunk already taken. */
  #taken = 0;
  length = 0;

  /** `limit`: the most one queue may hold, bytes. */
  constructor(budget: ByteBudget, limit: number) {
    this.#budget = budget;
    this.#limit = limit;
  }

  /** More should not be asked for: who reads a recording stops here. */
  get crowded(): boolean {
    return this.length > this.#limit * CROWDED || this.#pieces > PIECE_LIMIT * CROWDED;
  }

  /** What keeps a piece of `length` bytes out, or `undefined` when it fits. */
  refuses(length: number): Overflow | undefined {
    return this.#budget.refuses(length, this.length + length > this.#limit || this.#pieces >= PIECE_LIMIT);
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    const copy = copyOf(bytes, offset, length);
    if (this.#chunks === NONE) this.#chunks = [copy];
    else this.#chunks.push(copy);
    this.length += length;
    this.#budget.used += length;
  }

  /** The oldest piece, or what is left of it. */
  get first(): Uint8Array | undefined {
    return this.#chunks[this.#head]?.subarray(this.#taken);
  }

  /** Puts bytes in front of all others; they are not copied. Only while no piece has been taken in part. */
  prepend(bytes: Uint8Array): void {
    if (this.#head > 0) this.#chunks[--this.#head] = bytes;
    else if (this.#chunks === NONE) this.#chunks = [bytes];
    else this.#chunks.unshift(bytes);
    this.length += bytes.length;
    this.#budget.used += bytes.length;
  }

  /** Offers up to `most` bytes to `taker` in order, until it accepts fewer than offered; returns how many went. */
  drain(most: number, taker: PieceTaker): number {
    let gone = 0;
    while (gone < most && this.#head < this.#chunks.length) {
      const chunk = this.#chunks[this.#head]!;
      const offered = Math.min(chunk.length - this.#taken, most - gone);
      const accepted = taker.take(chunk, this.#taken, offered);
      this.#consume(accepted);
      gone += accepted;
      if (accepted < offered) break;
    }
    return gone;
  }

  /** Forgets the first `count` bytes. */
  discard(count: number): void {
    this.drain(count, NOBODY);
  }

  /** Forgets the last `count` bytes. */
  discardTail(count: number): void {
    this.length -= count;
    this.#budget.used -= count;
    for (let left = count; left > 0;) {
      const last = this.#chunks.pop()!;
      const held = last.length - (this.#head === this.#chunks.length ? this.#taken : 0);
      if (held > left) this.#chunks.push(last.subarray(0, last.length - left));
      left -= Math.min(held, left);
    }
    if (this.#head === this.#chunks.length) this.#reset();
  }

  get #pieces(): number {
    return this.#chunks.length - this.#head;
  }

  #reset(): void {
    this.#chunks = NONE;
    this.#head = 0;
    this.#taken = 0;
  }

  #consume(count: number): void {
    this.length -= count;
    this.#budget.used -= count;
    this.#taken += count;
    const chunk = this.#chunks[this.#head];
    if (chunk !== undefined && this.#taken === chunk.length) {
      this.#taken = 0;
      this.#chunks[this.#head++] = GONE;
      if (this.#head === this.#chunks.length) this.#reset();
      else this.#head = compact(this.#chunks, this.#head);
    }
  }
}
