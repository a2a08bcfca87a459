/**
 * One direction of a connection: segments in any order in, one ordered run of bytes out.
 *
 * Theory of operation
 *
 * `next` is the sequence number of the first byte not handed out yet. A segment that begins there passes straight
 * through: `offer` says how many of its bytes continue the stream and the caller hands them out of the segment itself.
 * What is ahead is copied into `#held`; what is behind has been handed out already, so the first copy of a byte wins.
 *
 * Payload with a bad checksum is held apart, as suspect. It is used only where the peer acknowledged it and nothing
 * good covers it by then: a receiver drops a corrupted segment and does not acknowledge it before the good copy has
 * come, whereas a segment that only looks bad because the capturing host's NIC was to fill in the checksum is
 * acknowledged without ever being sent again. Data on a SYN is suspect in the same way, because a server may accept or
 * ignore it (RFC 7413 §3).
 *
 * A hole is a stretch in front of `next` that must exist (something behind it is held, the peer acknowledged it, the
 * sender's own sequence numbers passed it, a FIN lies behind it) and was not seen. It stands until its bytes come or
 * until `skip` tells the outlet (stream-outlet), which hands out all that `offer` does not, to declare it a gap.
 *
 * The start of the stream is known from a SYN, or from the acknowledgement on the peer's SYN-ACK. Several SYN-ACKs may
 * offer different ISNs: until a segment continues one of them the choice is tentative. Without either the half is
 * unanchored, and begins with the first data it sees or, when it is to wait, the lowest it sees. A first lone byte
 * without PSH, which other data follows only later or which is zero, is a keep-alive probe and no data (RFC 9293 §3.8.4
 * allows one garbage byte).
 *
 * `mode` is zero exactly when the next in-order segment needs nothing but to be passed through.
 */
import { seqAdd, seqDiff, seqGt, seqLt, seqMax, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import {
  ACKED,
  FLAG_SEEN_GOOD,
  FLAGS,
  NEXT,
  OFFSET,
  RECORD_DOUBLES,
  RECORD_WORDS,
  type FlowRecords,
} from './flow-record.ts';
import { HeldBytes } from './held-bytes.ts';
import { HoleClock } from './hole-clock.ts';
import type { StreamContext } from './stream-context.ts';
import { isNear, MAX_WINDOW, StreamExtent } from './stream-extent.ts';
import { mayBeProbe, wasProbe } from './stream-origin.ts';
import {
  COUNT_AFTER_FIN,
  COUNT_BAD_CHECKSUM,
  COUNT_DELIVERED,
  COUNT_DUPLICATE,
  COUNT_GAPS,
  COUNT_GAP_BYTES,
  COUNT_KEEP_ALIVE,
  COUNT_OUT_OF_WINDOW,
} from './tracker-options.ts';

/** The start of the stream is not known. */
export const UNANCHORED = 1;
/** The start is from a SYN that no later segment has continued. */
const TENTATIVE = 2;
/** Bytes are held, good or suspect. */
const HOLDING = 4;
/** Bytes beyond `next` are known to exist. */
const LAGGING = 8;
/** The sequence number of the FIN is known. */
const FIN_KNOWN = 16;
/** The FIN has been handed out: the stream is over. */
const ENDED = 32;

/** Nothing, one hole, or everything that is missing is to be declared a gap. */
export const SKIP_NOTHING = 0;
export const SKIP_ONE = 1;
export const SKIP_ALL = 2;

export class HalfStream {
  readonly #context: StreamContext;
  mode = UNANCHORED;
  next: SeqNum = seqNum(0);
  readonly extent = new StreamExtent();
  /** Whether any segment from this side had a good checksum; until then bad ones are taken at their word. */
  seenGood = false;
  /** Whether a SYN of this side was seen. */
  synSeen = false;
  skip = SKIP_NOTHING;
  /** What cannot be handed out yet, if there is anything. */
  held: HeldBytes | undefined = undefined;
  /** Whether bytes with a bad checksum have turned out to be all there is of some stretch. */
  suspectTrusted = false;
  /** Bytes handed out or declared missing: the offset of `next` in the stream. */
  #offset = 0.5;
  #start: SeqNum = seqNum(0);
  /** Where data on the SYN ended. */
  #synDataEnd: SeqNum | undefined = undefined;
  #otherIsns: SeqNum[] | undefined = undefined;
  #clock: HoleClock | undefined = undefined;

  constructor(context: StreamContext) {
    this.#context = context;
    this.#offset = 0;
  }

  get anchored(): boolean {
    return (this.mode & UNANCHORED) === 0;
  }

  get ended(): boolean {
    return (this.mode & ENDED) !== 0;
  }

  /** The offset of `next` in the stream, in bytes. */
  get streamOffset(): number {
    return this.#offset;
  }

  /** Whether nothing of this half has been handed out or declared missing. */
  get untold(): boolean {
    return this.#offset === 0 && !this.ended;
  }

  /** First sequence number of the stream, or `undefined` while it is not known. */
  get start(): SeqNum | undefined {
    return this.anchored ? this.#start : undefined;
  }

  /** No good payload was seen at all. */
  get unseen(): boolean {
    return !this.extent.payloadSeen && this.#offset === 0;
  }

  /** All that is missing is rather the FIN's number than a byte's; what is seen behind it tells, and until then nobody waits. */
  get lacksFin(): boolean {
    return this.anchored && this.extent.lacksFin(this.next);
  }

  get finKnown(): boolean {
    return this.extent.fin !== undefined;
  }

  /** Whether a hole keeps the stream waiting, as of the last `wait`. */
  get waiting(): boolean {
    return this.#clock !== undefined;
  }

  /** The lowest sequence number held out of order. */
  get lowestHeld(): SeqNum | undefined {
    return this.held?.firstSeq;
  }

  get position(): SeqNum | undefined {
    if (this.anchored) return this.next;
    const { payloadSeen, seenEnd, ackKnown, peerAck } = this.extent;
    if (payloadSeen) return seenEnd;
    return ackKnown ? peerAck : undefined;
  }

  /** Writes into the flow's record what changes when a segment is passed straight through. */
  stash({ words, doubles }: FlowRecords, entry: number, half: number): void {
    words[entry * RECORD_WORDS + NEXT + half] = this.next;
    words[entry * RECORD_WORDS + ACKED + half] = this.extent.peerAck;
    doubles[entry * RECORD_DOUBLES + OFFSET + half] = this.#offset;
  }

  /** Takes it back as it has become. */
  restore({ words, doubles }: FlowRecords, entry: number, half: number): void {
    this.next = words[entry * RECORD_WORDS + NEXT + half]! as SeqNum;
    this.extent.peerAck = words[entry * RECORD_WORDS + ACKED + half]! as SeqNum;
    this.#offset = doubles[entry * RECORD_DOUBLES + OFFSET + half]!;
    if (words[entry * RECORD_WORDS + FLAGS]! & (FLAG_SEEN_GOOD << half)) this.seenGood = true;
  }

  /** Catches up with what was passed straight through. Call before anything else that a segment gives rise to. */
  sync(): void {
    if (this.mode === 0) this.extent.catchUp(this.next);
  }

  /** Whether a segment at `seq` can belong to this stream at all. */
  plausible(seq: SeqNum, length: number): boolean {
    const base = this.anchored ? this.next : this.held?.firstSeq;
    return base === undefined || isNear(seq, length, base);
  }

  /** The stream is known to begin at `seq`; data held from before that is no part of it. */
  anchor(seq: SeqNum, tentative: boolean): void {
    this.#start = this.next = seq;
    this.mode = (this.mode & ~UNANCHORED) | (tentative ? TENTATIVE : 0);
    this.held?.discardBefore(seq);
    this.extent.begin(seq);
    this.update();
  }

  /** A SYN or SYN-ACK of this side. */
  takeSyn(isn: SeqNum): void {
    const start = seqAdd(isn, 1);
    this.synSeen = true;
    if (!this.anchored) this.anchor(start, true);
    else if (this.mode & TENTATIVE && start !== this.#start) (this.#otherIsns ??= []).push(start);
    if (this.#otherIsns !== undefined && this.#otherIsns.length > 8) this.#otherIsns.shift();
  }

  /** Data on a SYN that begins at `seq`. */
  takeSynData(segment: Segment, seq: SeqNum): void {
    if (!this.anchored || this.next !== seq) return;
    this.#synDataEnd = seqAdd(seq, segment.payloadLength);
    this.holding().holdSuspect(segment, seq, 0, segment.payloadLength);
    this.update();
  }

  /** A segment of this side, other than SYN, begins at `seq`: settles a tentative start, and shows how far it has sent. */
  takeSeq(seq: SeqNum): void {
    if (this.mode & TENTATIVE) this.settle(seq);
    if (!this.anchored) return;
    if (this.#synDataEnd !== undefined && seqGt(seq, this.#start)) {
      // The sender goes on behind its SYN data only when the peer has acknowledged that.
      if (seq === this.#synDataEnd) this.takeAck(seq);
      this.#synDataEnd = undefined;
    }
    if (seqGt(seq, this.extent.sentTo) && seqDiff(seq, this.next) < MAX_WINDOW) {
      this.extent.sentTo = seq;
      if (seqGt(seq, this.next)) this.update();
    }
  }

  /** An acknowledgement of this half by its peer. */
  takeAck(ack: SeqNum): void {
    if (this.mode & TENTATIVE) this.settle(ack);
    const { extent } = this;
    if (this.anchored && seqDiff(ack, this.next) > MAX_WINDOW) return;
    extent.noteAck(ack);
    if (!this.anchored) return;
    if (extent.suspectFin !== undefined && seqGt(ack, extent.suspectFin)) this.takeFin(extent.suspectFin);
    if (seqGt(ack, this.next)) this.update();
  }

  /** A FIN at `seq`. The first one counts; one before what was handed out is none. */
  takeFin(seq: SeqNum): void {
    this.extent.suspectFin = undefined;
    if (this.finKnown) return;
    if (this.anchored && (seqLt(seq, this.next) || seqDiff(seq, this.next) > MAX_WINDOW)) return;
    this.extent.end(seq);
    this.held?.discardFrom(seq);
    this.update();
  }

  /**
   * Takes a segment's payload. Returns how many of its bytes continue the stream right now: those up to `next`, which
   * count as handed out.
   */
  offer(segment: Segment, seq: SeqNum): number {
    const { counters } = this.#context;
    if (!this.plausible(seq, segment.sentLength)) {
      counters.add(COUNT_OUT_OF_WINDOW);
      return 0;
    }
    const { fin } = this.extent;
    let length = segment.payloadLength;
    let sentEnd = seqAdd(seq, segment.sentLength);
    if (fin !== undefined && seqGt(sentEnd, fin)) {
      const allowed = Math.min(length, Math.max(0, seqDiff(fin, seq)));
      counters.add(COUNT_AFTER_FIN, length - allowed);
      length = allowed;
      sentEnd = seqMax(seq, fin);
    }
    if (this.ended) return 0;
    if (length === 0 && sentEnd === seq) return 0;
    if (!this.anchored) {
      if (!this.#context.startAtOnce || (this.held === undefined && mayBeProbe(segment))) {
        this.extent.see(sentEnd);
        this.hold(segment, seq, 0, length);
        return 0;
      }
      this.anchorAt(segment, seq);
    }
    this.extent.see(sentEnd);
    const behind = seqDiff(this.next, seq);
    if (behind < 0) {
      this.hold(segment, seq, 0, length);
      return 0;
    }
    if (behind > 0) counters.add(COUNT_DUPLICATE, Math.min(behind, length));
    if (behind >= length) {
      this.update();
      return 0;
    }
    let ready = length - behind;
    const firstHeld = this.held?.piece(0)?.seq;
    if (firstHeld !== undefined && seqDiff(firstHeld, this.next) < ready) {
      ready = Math.max(0, seqDiff(firstHeld, this.next));
      this.hold(segment, seq, behind + ready, length);
    }
    this.advance(ready);
    this.update();
    return ready;
  }

  /** Payload whose checksum is bad. */
  offerSuspect(segment: Segment, seq: SeqNum): void {
    this.#context.counters.add(COUNT_BAD_CHECKSUM, segment.payloadLength);
    if (segment.payloadLength === 0 || this.ended) return;
    if (!this.plausible(seq, segment.payloadLength)) {
      this.#context.counters.add(COUNT_OUT_OF_WINDOW);
      return;
    }
    const passed = this.anchored ? Math.max(0, seqDiff(this.next, seq)) : 0;
    const { fin } = this.extent;
    const length = Math.min(segment.payloadLength, fin === undefined ? Infinity : Math.max(0, seqDiff(fin, seq)));
    if (passed >= length) return;
    this.holding().holdSuspect(segment, seq, passed, length);
    this.update();
  }

  /** Whether a RST at `seq` could be meant for the receiver of this stream (RFC 9293 §3.10.7.4, RFC 5961 §3). */
  acceptsReset(seq: SeqNum): boolean {
    return !this.anchored || this.extent.reaches(seq, this.next);
  }

  /** Moves the stream on by bytes that the caller hands out itself. */
  advance(length: number): void {
    this.next = seqAdd(this.next, length);
    this.#offset += length;
    this.#context.counters.add(COUNT_DELIVERED, length);
  }

  /** Declares everything up to `end` missing; returns how many bytes that is. */
  skipTo(end: SeqNum): number {
    const length = seqDiff(end, this.next);
    this.next = end;
    this.#clock = undefined;
    this.#offset += length;
    this.#context.counters.add(COUNT_GAPS);
    this.#context.counters.add(COUNT_GAP_BYTES, length);
    this.update();
    return length;
  }

  /**
   * Notes that everything ready has been handed out; returns whether a hole keeps the stream waiting. `answers`: how far its
   * sender has acknowledged what the other side sends.
   */
  wait(now: Instant, answers: SeqNum): boolean {
    const first = this.held?.piece(0);
    const at = this.anchored ? this.next : first?.seq;
    if (this.ended || at === undefined || (first === undefined && ((this.mode & LAGGING) === 0 || this.lacksFin))) {
      this.#clock = undefined;
      return false;
    }
    const since = first?.note !== undefined && first.note.time < now ? first.note.time : now;
    const clock = this.#clock;
    if (clock?.at === at) return true;
    const resent = clock?.wasFilledLate(now) === true ? now : undefined;
    this.#clock = new HoleClock(at, since, first?.note?.ack ?? answers, resent);
    return true;
  }

  /** Whether the hole at `next` has stood longer than it may. `answers`: as for `wait`, now. */
  overdue(now: Instant, answers: SeqNum): boolean {
    const clock = this.#clock;
    if (clock === undefined) return false;
    const acked = this.anchored && seqGt(this.extent.peerAck, this.next);
    return clock.overdue(now, this.#context, acked, !this.anchored || clock.answered(answers));
  }

  /** Gives back what is held; the stream hands out nothing more. */
  drop(): void {
    this.release();
    this.mode = ENDED;
  }

  private settle(seq: SeqNum): void {
    const other = this.#otherIsns?.includes(seq);
    if (other && seq !== this.#start) {
      this.extent.peerAck = seq;
      this.anchor(seq, false);
    }
    const ahead = seqDiff(seq, this.#start);
    if (other || (ahead >= 0 && ahead < MAX_WINDOW)) {
      this.mode &= ~TENTATIVE;
      this.#otherIsns = undefined;
    }
  }

  private holding(): HeldBytes {
    return (this.held ??= new HeldBytes(this.#context));
  }

  private hold(segment: Segment, seq: SeqNum, from: number, until: number): void {
    if (from >= until) return;
    this.holding().hold(segment, seq, from, until);
    this.update();
  }

  /** The unanchored stream begins with the segment at `seq`, or with what was held for being a probe perhaps. */
  private anchorAt(segment: Segment, seq: SeqNum): void {
    const first = this.held?.firstSeq;
    const probe = wasProbe(this.held?.piece(0), seq, segment.time);
    if (probe) this.#context.counters.add(COUNT_KEEP_ALIVE);
    this.anchor(first !== undefined && seqLt(first, seq) && !probe ? first : seq, false);
  }

  /** Brings `mode` and the account of held memory in line with the stores. */
  update(): void {
    if (this.ended) return;
    const held = this.held;
    if (held !== undefined) {
      if (this.anchored) held.discardBefore(this.next);
      held.account();
      if (held.isEmpty) this.held = undefined;
    }
    const { extent } = this;
    if (this.anchored) extent.keepUp(this.next);
    let mode = this.mode & (UNANCHORED | TENTATIVE);
    if (extent.fin !== undefined) mode |= FIN_KNOWN;
    if (this.held !== undefined) mode |= HOLDING;
    if (this.anchored && seqGt(extent.known, this.next)) mode |= LAGGING;
    this.mode = mode;
  }

  private release(): void {
    this.held?.clear();
    this.held = undefined;
    this.#clock = undefined;
    this.#otherIsns = undefined;
  }
}
