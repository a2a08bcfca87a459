/**
 * What the peer says it holds beyond the cumulative acknowledgement (RFC 2018), and thereby which holes are left. Exists
 * only while a session suffers loss, so it may allocate.
 */
import { seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, type SeqNum } from '../core/seq-num.ts';
import { Assembler, type SeqRange } from '../reassembly/assembler.ts';

/** Distinct ranges remembered; more only means that some of them are sent once too often. */
const RANGES_MAX = 256;
const BYTES_MAX = 0x3fff_ffff;

export class SackScoreboard {
  readonly #held = new Assembler({ maxBytes: BYTES_MAX, maxPieces: RANGES_MAX });
  #ranges: readonly SeqRange[] = [];

  get bytes(): number {
    return this.#held.heldBytes;
  }

  get isEmpty(): boolean {
    return this.#held.isEmpty;
  }

  /** Start of the lowest range, or `otherwise` when there is none. */
  first(otherwise: SeqNum): SeqNum {
    return this.#held.firstSeq ?? otherwise;
  }

  /** One past the highest byte held, or `otherwise` when there is none. */
  highest(otherwise: SeqNum): SeqNum {
    return this.#held.endSeq ?? otherwise;
  }

  /** Adds `[start, end)`; returns whether it told anything new. */
  add(start: SeqNum, end: SeqNum): boolean {
    if (this.#held.insert(start, undefined, 0, seqDiff(end, start)) === 0) return false;
    this.#ranges = this.#held.ranges();
    return true;
  }

  /** The cumulative acknowledgement reached `una`. */
  discardBefore(una: SeqNum): void {
    this.#held.discardBefore(una);
    this.#ranges = this.#held.ranges();
  }

  /** `seq`, or the end of the range that holds it. */
  skipHeld(seq: SeqNum): SeqNum {
    for (const range of this.#ranges) {
      if (seqGt(range.start, seq)) break;
      if (seqGt(range.end, seq)) return range.end;
    }
    return seq;
  }

  /** Where the hole that begins at `seq` ends: at the next range, or at `limit`. */
  holeEnd(seq: SeqNum, limit: SeqNum): SeqNum {
    for (const range of this.#ranges) {
      if (seqGe(range.start, seq)) return seqLt(range.start, limit) ? range.start : limit;
    }
    return limit;
  }

  /** How many bytes of `[from, to)` are held. */
  bytesWithin(from: SeqNum, to: SeqNum): number {
    let sum = 0;
    for (const range of this.#ranges) {
      if (seqGe(range.start, to)) break;
      if (seqLe(range.end, from)) continue;
      sum += seqDiff(seqLt(range.end, to) ? range.end : to, seqMax(range.start, from));
    }
    return sum;
  }
}
