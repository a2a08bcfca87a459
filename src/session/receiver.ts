/**
 * The receiving half (RFC 9293 §3.10.7.4): which segments are acceptable, what of their text is new, when it is
 * acknowledged, and in which order it is handed to the user.
 *
 * Text in order is not copied: `next` hands out the very bytes of the segment, so they must be taken before the next
 * input. Text ahead of its turn is copied into an `Assembler`, which exists only from the first such segment on. Since
 * everything is handed out at once, the window announced never changes.
 *
 * The intercept may leave payload out (`Segment.payloadMissing`). Sequence space advances all the same, and the user is
 * told of a length without bytes.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqNum, type SeqLen, type SeqNum } from '../core/seq-num.ts';
import { NEVER, type Instant } from '../core/time.ts';
import { Assembler } from '../reassembly/assembler.ts';
import { TCP_FIN, TCP_PSH, type Segment } from '../wire/segment.ts';
import type { TcpOptions } from '../wire/tcp-options.ts';
import type { SessionConfig } from './session-config.ts';
import type { Timers } from './timers.ts';

/** Separately held pieces of text ahead of its turn. */
const EARLY_PIECES_MAX = 256;
/** A peer's segment is taken to be at least this large when every second one is acknowledged (as Linux does). */
const SEGMENT_SIZE_MIN = 536;
/** Duplicate acknowledgements owed when many segments came between two transmissions; three tell the peer of a loss. */
const DUPLICATE_ACKS_MAX = 8;

/** Bytes of the peer's stream as the user gets them; `bytes` is undefined where only their number is known. */
export class Received {
  bytes: Uint8Array | undefined = undefined;
  offset = 0;
  length = 0;
  /** The peer pushed: the end of these bytes is probably the end of a message. */
  push = false;
}

/** The text of the last segment with any, and whose it is: taken before the next, it is needed once. */
const text: { owner: Receiver | undefined; bytes: Uint8Array; offset: number; push: boolean } = {
  owner: undefined,
  bytes: new Uint8Array(0),
  offset: 0,
  push: false,
};

export class Receiver {
  /** RCV.NXT. */
  nxt: SeqNum = seqNum(0);
  /** RCV.WND, and the shift it is announced with. */
  window: number;
  windowShift = 0;
  /** Whether both ends scale (RFC 7323 §2.2). */
  windowScaling = false;
  sackEnabled = false;
  timestampsEnabled = false;
  /** TS.Recent (RFC 7323 §4.3). */
  timestampRecent = 0;
  /** An acknowledgement is to leave at once; or this many, each alone, so that the peer counts duplicates. */
  ackNow = false;
  duplicateAcks = 0;
  /** The peer's FIN has come in order. */
  finTaken = false;
  readonly #config: SessionConfig;
  readonly #timers: Timers;
  /** Last.ACK.sent (RFC 7323 §4.3). */
  #acked: SeqNum = seqNum(0);
  /** Bytes received since, and the largest segment seen. */
  #unacked = 0;
  #segmentSize = SEGMENT_SIZE_MIN;
  #early: Assembler<boolean> | undefined = undefined;
  /** It holds bytes, not just lengths; and how many of them the budget knows of. */
  #earlyHasBytes = false;
  #budgeted = 0;
  #finKnown = false;
  #finSeq: SeqNum = seqNum(0);
  /** How far the user has been served; between it and `nxt` lie first the segment's text, then pieces of `#early`. */
  #served: SeqNum = seqNum(0);
  #textLength = 0;
  #textMissing = 0;

  constructor(config: SessionConfig, timers: Timers) {
    this.#config = config;
    this.#timers = timers;
    this.window = Math.min(config.receiveWindow, 0xffff << 14);
  }

  /** The peer's SYN came, with this sequence number. */
  begin(irs: SeqNum): void {
    this.nxt = seqAdd(irs, 1);
    this.#acked = this.nxt;
    this.#served = this.nxt;
  }

  /** The window as it goes on the wire; that of a SYN is never scaled (RFC 7323 §2.2). */
  wireWindow(inSyn: boolean): number {
    const value = inSyn ? this.window : this.window >>> this.windowShift;
    return value < 0xffff ? value : 0xffff;
  }

  get ackDue(): boolean {
    return this.ackNow || this.duplicateAcks > 0;
  }

  /** Whether anything ahead of its turn is held, for SACK. */
  get hasEarly(): boolean {
    return this.#early !== undefined && !this.#early.isEmpty;
  }

  /** The store of what is held ahead of its turn. */
  get early(): Assembler<boolean> | undefined {
    return this.#early;
  }

  /** A segment with our acknowledgement in it leaves; `alone`: it carries nothing else. */
  ackSent(alone: boolean): void {
    this.ackNow = false;
    if (alone && this.duplicateAcks > 0) this.duplicateAcks--;
    this.#acked = this.nxt;
    this.#unacked = 0;
    this.#timers.delayedAck = NEVER;
  }

  /**
   * RFC 9293 §3.10.7.4, first. Where that compares with RCV.NXT at the left edge, this compares with the last
   * acknowledgement sent, as Linux does: a bare ACK that text overtook on its way is still good.
   */
  acceptable(seq: SeqNum, length: number): boolean {
    const ahead = seqDiff(seq, this.nxt);
    if (ahead >= this.window) return false;
    return length === 0 ? seqGe(seq, this.#acked) : seqGt(seqAdd(seq, length), this.#acked);
  }

  /** RFC 7323 §5.3 R1. A segment without the option is let pass, as Linux does: there is nothing to compare. */
  isOld(options: TcpOptions): boolean {
    return this.timestampsEnabled && options.hasTimestamps && ((options.timestampValue - this.timestampRecent) | 0) < 0;
  }

  /** RFC 7323 §4.3 (2): of the segments since the last acknowledgement, the first one's clock is echoed. */
  noteTimestamp(seq: SeqNum, options: TcpOptions): void {
    if (this.timestampsEnabled && options.hasTimestamps && seqLe(seq, this.#acked)) {
      this.timestampRecent = options.timestampValue;
    }
  }

  /** Takes the text and FIN of an acceptable segment. */
  handleText(now: Instant, segment: Segment): void {
    const length = segment.sentLength;
    const fin = (segment.flags & TCP_FIN) !== 0;
    if (length === 0 && !fin) return;
    const seq = segment.seq;
    let end = seqAdd(seq, length);
    const windowEnd = seqAdd(this.nxt, this.window);
    if (fin && !this.#finKnown && seqLe(end, windowEnd) && seqGe(end, this.nxt)) {
      this.#finKnown = true;
      this.#finSeq = end;
      // A peer that sent text beyond its own FIN is confused: the FIN counts.
      this.#early?.discardFrom(end);
      this.account();
    }
    if (this.#finKnown && seqGt(end, this.#finSeq)) end = this.#finSeq;
    if (seqGt(end, windowEnd)) end = windowEnd;

    if (seqGt(seq, this.nxt)) {
      this.handleEarly(segment, seqDiff(end, seq));
    } else if (seqGt(end, this.nxt)) {
      this.handleInOrder(now, segment, seqDiff(this.nxt, seq), end);
    } else if (length > 0) {
      this.#config.stats.duplicates++;
      this.ackNow = true;
    }
    if (this.#finKnown && !this.finTaken && this.nxt === this.#finSeq) {
      this.finTaken = true;
      this.nxt = seqAdd(this.nxt, 1);
      this.ackNow = true;
    }
  }

  private handleInOrder(now: Instant, segment: Segment, skip: SeqLen, end: SeqNum): void {
    const length = seqDiff(end, this.nxt);
    const present = Math.min(Math.max(segment.payloadLength - skip, 0), length);
    text.owner = this;
    text.bytes = segment.bytes;
    text.offset = segment.payloadOffset + skip;
    text.push = (segment.flags & TCP_PSH) !== 0;
    this.#textLength = present;
    this.#textMissing = length - present;
    this.nxt = end;

    const size = Math.min(segment.sentLength, this.#config.mss);
    if (size > this.#segmentSize) this.#segmentSize = size;
    this.#unacked += length;
    if (this.hasEarly) {
      this.absorbEarly(this.#early!);
      this.duplicateAcks = 0;
      this.ackNow = true;
    } else if (this.#unacked >= 2 * this.#segmentSize) {
      this.ackNow = true;
    } else if (this.#timers.delayedAck === NEVER) {
      this.#timers.setDelayedAck(now, this.#config.delayedAck);
    }
  }

  /** Text ahead of its turn: kept, and the hole before it reported at once (RFC 5681 §4.2). */
  private handleEarly(segment: Segment, length: number): void {
    if (length > 0) {
      this.#config.stats.outOfOrder++;
      this.#early ??= new Assembler({ maxBytes: this.#config.outOfOrderLimit, maxPieces: EARLY_PIECES_MAX });
      const push = (segment.flags & TCP_PSH) !== 0;
      const present = Math.min(segment.payloadLength, length);
      const missing = length - present;
      const budget = this.#config.outOfOrderBudget;
      // Not acknowledged, so the peer sends it again (RFC 9293 §3.10.7.4 leaves that to the receiver).
      const fits = present === 0 || budget.used + present <= budget.limit;
      if (present > 0 && fits) {
        this.#earlyHasBytes = true;
        this.#early.insert(segment.seq, segment.bytes, segment.payloadOffset, present, push && missing === 0);
      }
      if (missing > 0 && fits) this.#early.insert(seqAdd(segment.seq, present), undefined, 0, missing, push);
      this.account();
    }
    if (this.duplicateAcks < DUPLICATE_ACKS_MAX) this.duplicateAcks++;
  }

  /** Text arrived up to `nxt`: what is held right behind it is now in order too. */
  private absorbEarly(early: Assembler<boolean>): void {
    for (const range of early.ranges()) {
      if (seqGt(range.start, this.nxt)) return;
      if (seqGt(range.end, this.nxt)) this.nxt = range.end;
    }
  }

  /** What a new input makes of text not taken: its bytes are gone. */
  forgetText(): void {
    this.#served = seqAdd(this.#served, this.#textLength + this.#textMissing);
    this.#textLength = 0;
    this.#textMissing = 0;
  }

  /** Hands out the next run of bytes in order; false when all have been. */
  next(out: Received): boolean {
    if (this.#textLength > 0) {
      out.bytes = text.owner === this ? text.bytes : undefined;
      out.offset = text.offset;
      out.length = this.#textLength;
      out.push = text.push && this.#textMissing === 0;
      this.#textLength = 0;
    } else if (this.#textMissing > 0) {
      out.bytes = undefined;
      out.offset = 0;
      out.length = this.#textMissing;
      out.push = text.push;
      this.#textMissing = 0;
    } else {
      const end = this.finTaken ? this.#finSeq : this.nxt;
      const piece = seqLt(this.#served, end) ? this.#early?.takeReady(this.#served) : undefined;
      this.account();
      if (piece === undefined) return false;
      out.bytes = piece.bytes;
      out.offset = piece.offset;
      out.length = piece.length;
      out.push = piece.note === true;
    }
    this.#served = seqAdd(this.#served, out.length);
    return true;
  }

  /** Whether `next` has something. */
  get textWaits(): boolean {
    return this.#served !== (this.finTaken ? this.#finSeq : this.nxt);
  }

  /** The session is over: what is held ahead of its turn will never be in order. */
  release(): void {
    this.#early?.clear();
    this.account();
  }

  private account(): void {
    if (!this.#earlyHasBytes) return;
    const held = this.#early!.heldBytes;
    this.#config.outOfOrderBudget.used += held - this.#budgeted;
    this.#budgeted = held;
  }
}
