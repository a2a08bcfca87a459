/**
 * What one stream holds that it cannot hand out yet: good bytes ahead of a hole, and suspect ones (bad checksum, or data
 * on a SYN) that wait for a good copy or for their acknowledgement. Exists only while something is held.
 */
import { seqAdd, seqDiff, seqGt, seqLt, type SeqNum } from '../core/seq-num.ts';
import type { Segment } from '../wire/segment.ts';
import type { Piece } from './assembler.ts';
import type { StreamContext } from './stream-context.ts';
import { originOf, type Origin, type Store } from './stream-origin.ts';
import { COUNT_BAD_CHECKSUM_USED, COUNT_DUPLICATE } from './tracker-options.ts';

export class HeldBytes {
  readonly #context: StreamContext;
  readonly #good: Store;
  readonly #suspect: Store;
  #cost = 0;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#good = context.newStore();
    this.#suspect = context.newSuspectStore();
  }

  get isEmpty(): boolean {
    return this.#good.isEmpty && this.#suspect.isEmpty;
  }

  /** The `index`-th piece of good bytes. */
  piece(index: number): Readonly<Piece<Origin>> | undefined {
    return this.#good.peek(index);
  }

  /** The lowest sequence number held, of good bytes if there are any. */
  get firstSeq(): SeqNum | undefined {
    return this.#good.firstSeq ?? this.#suspect.firstSeq;
  }

  /** One past the last suspect byte. */
  get suspectEnd(): SeqNum | undefined {
    return this.#suspect.endSeq;
  }

  /** Whether the stream holds more than it may, and must give up a hole. */
  get overCap(): boolean {
    return this.#context.costOf(this.#good) > this.#context.maxHeldPerStream;
  }

  /** Where the first good byte is, or the first suspect one before `suspectLimit`; what continues at `next` aside. */
  firstUsable(next: SeqNum, suspectLimit: SeqNum): SeqNum | undefined {
    const good = this.#good.firstSeq;
    const suspect = this.#suspect.firstSeq;
    if (suspect === undefined || !seqGt(suspect, next) || !seqLt(suspect, suspectLimit)) return good;
    return good === undefined || seqLt(suspect, good) ? suspect : good;
  }

  /** Copies payload bytes `[from, until)` of a segment whose payload begins at `seq`. */
  hold(segment: Segment, seq: SeqNum, from: number, until: number): void {
    const at = segment.payloadOffset + from;
    const stored = this.#good.insert(seqAdd(seq, from), segment.bytes, at, until - from, originOf(segment));
    this.#context.counters.add(COUNT_DUPLICATE, until - from - stored);
  }

  holdSuspect(segment: Segment, seq: SeqNum, from: number, until: number): void {
    const at = segment.payloadOffset + from;
    this.#suspect.insert(seqAdd(seq, from), segment.bytes, at, until - from, originOf(segment));
  }

  /** The piece that continues the stream at `next`: a good one, or else a suspect one before `suspectLimit`. */
  take(next: SeqNum, suspectLimit: SeqNum): Piece<Origin> | undefined {
    const good = this.#good.takeReady(next);
    if (good !== undefined || !seqGt(suspectLimit, next)) return good;
    const firstGood = this.#good.firstSeq;
    const usable = seqDiff(suspectLimit, next);
    const limit = firstGood === undefined ? usable : Math.min(usable, seqDiff(firstGood, next));
    const suspect = this.#suspect.takeReady(next, limit);
    if (suspect !== undefined) this.#context.counters.add(COUNT_BAD_CHECKSUM_USED, suspect.length);
    return suspect;
  }

  discardBefore(seq: SeqNum): void {
    this.#good.discardBefore(seq);
    this.#suspect.discardBefore(seq);
  }

  discardFrom(seq: SeqNum): void {
    this.#good.discardFrom(seq);
    this.#suspect.discardFrom(seq);
  }

  /** Brings the account of all streams' memory up to date. */
  account(): void {
    const cost = this.#context.costOf(this.#good) + this.#context.costOf(this.#suspect);
    this.#context.heldBytes += cost - this.#cost;
    this.#cost = cost;
  }

  clear(): void {
    this.#good.clear();
    this.#suspect.clear();
    this.account();
  }
}
