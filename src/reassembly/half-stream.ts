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
 * until `skip` tells `pull` to declare it a gap.
 *
 * The start of the stream is known from a SYN, or from the acknowledgement on the peer's SYN-ACK. Several SYN-ACKs may
 * offer different ISNs: until a segment continues one of them the choice is tentative. Without either the half is
 * unanchored, and begins with the first data it sees or, when it is to wait, the lowest it sees. A first lone byte
 * without PSH, which other data follows only later or which is zero, is a keep-alive probe and no data (RFC 9293 §3.8.4
 * allows one garbage byte).
 *
 * `mode` is zero exactly when the next in-order segment needs nothing but to be passed through.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLt, seqMax, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { EVENT_DATA, EVENT_GAP, EVENT_HALF_CLOSED, EVENT_NONE, type Chunk, type Gap } from './delivery.ts';
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
  COUNT_STREAM_CAP,
  WAIT_FOREVER,
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

/** How far beyond what was seen a RST may lie: segments before it may have been missed. */
const RESET_SLACK = 2 ** 20;

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
  /** Bytes handed out or declared missing: the offset of `next` in the stream. */
  #offset = 0.5;
  #start: SeqNum = seqNum(0);
  /** Whether bytes with a bad checksum have turned out to be all there is of some stretch. */
  #suspectTrusted = false;
  /** Where data on the SYN ended. */
  #synDataEnd: SeqNum | undefined = undefined;
  #otherIsns: SeqNum[] | undefined = undefined;
  #held: HeldBytes | undefined = undefined;
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

  get finKnown(): boolean {
    return this.extent.fin !== undefined;
  }

  /** Whether a hole keeps the stream waiting, as of the last `wait`. */
  get waiting(): boolean {
    return this.#clock !== undefined;
  }

  /** The lowest sequence number held out of order. */
  get lowestHeld(): SeqNum | undefined {
    return this.#held?.firstSeq;
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
    const base = this.anchored ? this.next : this.#held?.firstSeq;
    return base === undefined || isNear(seq, length, base);
  }

  /** The stream is known to begin at `seq`; data held from before that is no part of it. */
  anchor(seq: SeqNum, tentative: boolean): void {
    this.#start = this.next = seq;
    this.mode = (this.mode & ~UNANCHORED) | (tentative ? TENTATIVE : 0);
    this.#held?.discardBefore(seq);
    this.extent.begin(seq);
    this.#update();
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
    this.#holding().holdSuspect(segment, seq, 0, segment.payloadLength);
    this.#update();
  }

  /** A segment of this side, other than SYN, begins at `seq`: settles a tentative start, and shows how far it has sent. */
  takeSeq(seq: SeqNum): void {
    if (this.mode & TENTATIVE) this.#settle(seq);
    if (!this.anchored) return;
    if (this.#synDataEnd !== undefined && seqGt(seq, this.#start)) {
      // The sender goes on behind its SYN data only when the peer has acknowledged that.
      if (seq === this.#synDataEnd) this.takeAck(seq);
      this.#synDataEnd = undefined;
    }
    if (seqGt(seq, this.extent.sentTo) && seqDiff(seq, this.next) < MAX_WINDOW) {
      this.extent.sentTo = seq;
      if (seqGt(seq, this.next)) this.#update();
    }
  }

  /** An acknowledgement of this half by its peer. */
  takeAck(ack: SeqNum): void {
    if (this.mode & TENTATIVE) this.#settle(ack);
    const { extent } = this;
    if (this.anchored && seqDiff(ack, this.next) > MAX_WINDOW) return;
    extent.noteAck(ack);
    if (!this.anchored) return;
    if (extent.suspectFin !== undefined && seqGt(ack, extent.suspectFin)) this.takeFin(extent.suspectFin);
    if (seqGt(ack, this.next)) this.#update();
  }

  /** A FIN at `seq`. The first one counts; one before what was handed out is none. */
  takeFin(seq: SeqNum): void {
    this.extent.suspectFin = undefined;
    if (this.finKnown) return;
    if (this.anchored && (seqLt(seq, this.next) || seqDiff(seq, this.next) > MAX_WINDOW)) return;
    this.extent.end(seq);
    this.#held?.discardFrom(seq);
    this.#update();
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
      if (!this.#context.startAtOnce || (this.#held === undefined && mayBeProbe(segment))) {
        this.extent.see(sentEnd);
        this.#hold(segment, seq, 0, length);
        return 0;
      }
      this.#anchorAt(segment, seq);
    }
    this.extent.see(sentEnd);
    const behind = seqDiff(this.next, seq);
    if (behind < 0) {
      this.#hold(segment, seq, 0, length);
      return 0;
    }
    if (behind > 0) counters.add(COUNT_DUPLICATE, Math.min(behind, length));
    if (behind >= length) {
      this.#update();
      return 0;
    }
    let ready = length - behind;
    const firstHeld = this.#held?.piece(0)?.seq;
    if (firstHeld !== undefined && seqDiff(firstHeld, this.next) < ready) {
      ready = Math.max(0, seqDiff(firstHeld, this.next));
      this.#hold(segment, seq, behind + ready, length);
    }
    this.advance(ready);
    this.#update();
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
    this.#holding().holdSuspect(segment, seq, passed, length);
    this.#update();
  }

  /** Moves the stream on by bytes that the caller hands out itself. */
  advance(length: number): void {
    this.next = seqAdd(this.next, length);
    this.#offset += length;
    this.#context.counters.add(COUNT_DELIVERED, length);
  }

  /** The next thing to hand out, after what `offer` returned: fills `chunk` or `gap`. */
  pull(chunk: Chunk, gap: Gap): typeof EVENT_NONE | typeof EVENT_DATA | typeof EVENT_GAP | typeof EVENT_HALF_CLOSED {
    if (this.mode === 0 || this.mode & ENDED) return EVENT_NONE;
    const forced = this.#held?.overCap === true;
    if (this.skip === SKIP_ALL && this.#unseen) this.#suspectTrusted = true;
    if (!this.anchored) {
      if (this.skip === SKIP_NOTHING && !forced && !(this.#context.startAtOnce && this.finKnown)) return EVENT_NONE;
      this.#anchorAtLowest();
      if (!this.anchored) {
        if (this.skip === SKIP_ONE) this.skip = SKIP_NOTHING;
        return EVENT_NONE;
      }
    }
    if (this.#pullHeld(chunk)) return EVENT_DATA;
    if (this.next === this.extent.fin) {
      this.mode = ENDED;
      this.#release();
      return EVENT_HALF_CLOSED;
    }
    if (this.skip === SKIP_NOTHING && !forced) return EVENT_NONE;
    const end = this.#holeEnd(gap);
    if (!seqGt(end, this.next)) {
      if (this.skip === SKIP_ONE) this.skip = SKIP_NOTHING;
      return EVENT_NONE;
    }
    if (forced && this.skip === SKIP_NOTHING) this.#context.counters.add(COUNT_STREAM_CAP);
    if (this.skip === SKIP_ONE) this.skip = SKIP_NOTHING;
    gap.offset = this.#offset;
    gap.length = seqDiff(end, this.next);
    this.next = end;
    this.#clock = undefined;
    this.#offset += gap.length;
    this.#context.counters.add(COUNT_GAPS);
    this.#context.counters.add(COUNT_GAP_BYTES, gap.length);
    this.#update();
    return EVENT_GAP;
  }

  /**
   * Notes that everything ready has been handed out; returns whether a hole keeps the stream waiting. `answers`: how far its
   * sender has acknowledged what the other side sends.
   */
  wait(now: Instant, answers: SeqNum): boolean {
    const first = this.#held?.piece(0);
    const at = this.anchored ? this.next : first?.seq;
    if (this.ended || at === undefined || (first === undefined && ((this.mode & LAGGING) === 0 || this.#lacksFin))) {
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
    const { gapPatience, ackedGapPatience, unansweredGapPatience, resentGapPatience } = this.#context;
    const { anchored } = this;
    if (anchored && seqGt(this.extent.peerAck, this.next)) return clock.overdue(now, ackedGapPatience);
    if (!anchored || clock.answered(answers)) return clock.overdue(now, gapPatience);
    return clock.overdueUnanswered(now, unansweredGapPatience, resentGapPatience);
  }

  /** Gives back what is held; the stream hands out nothing more. */
  drop(): void {
    this.#release();
    this.mode = ENDED;
  }

  #settle(seq: SeqNum): void {
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

  /** No good payload was seen at all. */
  get #unseen(): boolean {
    return !this.extent.payloadSeen && this.#offset === 0;
  }

  #holding(): HeldBytes {
    return (this.#held ??= new HeldBytes(this.#context));
  }

  #hold(segment: Segment, seq: SeqNum, from: number, until: number): void {
    if (from >= until) return;
    this.#holding().hold(segment, seq, from, until);
    this.#update();
  }

  /**
   * Whether all that is missing is one number in front of nothing that was seen. It is rather the FIN's than a byte's; what is
   * seen behind it tells, and until then nobody waits for it.
   */
  get #lacksFin(): boolean {
    const { fin, seenEnd, known } = this.extent;
    return this.anchored && fin === undefined && !seqGt(seenEnd, this.next) && seqDiff(known, this.next) === 1;
  }

  /** Puts bytes that continue the stream into `chunk`, from what is held or else from what is suspect and acknowledged. */
  #pullHeld(chunk: Chunk): boolean {
    const limit = this.#suspectLimit();
    const good = this.#held?.piece(0)?.seq === this.next;
    const piece = this.#held?.take(this.next, limit);
    if (piece?.bytes === undefined || piece.note === undefined) return false;
    if (!good) this.#suspectTrusted = true;
    chunk.bytes = piece.bytes;
    chunk.offset = piece.offset;
    chunk.length = piece.length;
    chunk.streamOffset = this.#offset;
    chunk.time = piece.note.time;
    chunk.push = piece.note.push;
    chunk.peerAck = piece.note.ack;
    this.advance(piece.length);
    this.extent.see(this.next);
    this.#update();
    return true;
  }

  /** Where the hole at `next` ends by what is known; sets the kind of gap it would be. */
  #holeEnd(gap: Gap): SeqNum {
    gap.kind = 'hole';
    const end = this.#held?.firstUsable(this.next, this.#suspectLimit());
    if (end !== undefined) return end;
    const { extent } = this;
    if (seqGt(extent.seenEnd, this.next)) return extent.seenEnd;
    gap.kind = 'tail';
    if (this.#lacksFin && this.#context.gapPatience !== WAIT_FOREVER) return this.next;
    if (this.skip === SKIP_ONE || this.#context.gapPatience !== WAIT_FOREVER) return extent.known;
    // At the end of a recording: a side that showed neither SYN nor payload misses nothing that could be named, and how
    // far the sender's bare segments had got is no proof, since the last of them may be no part of the recording.
    if (!this.synSeen && this.#unseen) return this.next;
    return extent.fin ?? extent.peerAck;
  }

  /**
   * Up to where suspect bytes may be used. At the end of the connection, when nothing more can tell, that is all of them
   * if checksums of this side are never to be believed: no good payload was seen, or bad payload was acknowledged before.
   */
  #suspectLimit(): SeqNum {
    const end = this.#held?.suspectEnd;
    return this.skip === SKIP_ALL && this.#suspectTrusted && end !== undefined ? end : this.extent.acked;
  }

  /** The unanchored stream begins with the segment at `seq`, or with what was held for being a probe perhaps. */
  #anchorAt(segment: Segment, seq: SeqNum): void {
    const first = this.#held?.firstSeq;
    const probe = wasProbe(this.#held?.piece(0), seq, segment.time);
    if (probe) this.#context.counters.add(COUNT_KEEP_ALIVE);
    this.anchor(first !== undefined && seqLt(first, seq) && !probe ? first : seq, false);
  }

  /** The same where the data was held before the start was decided. */
  #anchorAtLowest(): void {
    const lowest = this.#held?.firstSeq;
    if (lowest === undefined) {
      if (this.extent.fin !== undefined) this.anchor(this.extent.fin, false);
      return;
    }
    const second = this.#held?.piece(1);
    const probe = second?.note !== undefined && wasProbe(this.#held?.piece(0), second.seq, second.note.time);
    if (probe) this.#context.counters.add(COUNT_KEEP_ALIVE);
    this.anchor(probe ? second.seq : lowest, false);
  }

  /** Brings `mode` and the account of held memory in line with the stores. */
  #update(): void {
    if (this.ended) return;
    const held = this.#held;
    if (held !== undefined) {
      if (this.anchored) held.discardBefore(this.next);
      held.account();
      if (held.isEmpty) this.#held = undefined;
    }
    const { extent } = this;
    if (this.anchored) extent.keepUp(this.next);
    let mode = this.mode & (UNANCHORED | TENTATIVE);
    if (extent.fin !== undefined) mode |= FIN_KNOWN;
    if (this.#held !== undefined) mode |= HOLDING;
    if (this.anchored && seqGt(extent.known, this.next)) mode |= LAGGING;
    this.mode = mode;
  }

  #release(): void {
    this.#held?.clear();
    this.#held = undefined;
    this.#clock = undefined;
    this.#otherIsns = undefined;
  }

  /** Whether a RST at `seq` could be meant for the receiver of this stream (RFC 9293 §3.10.7.4, RFC 5961 §3). */
  acceptsReset(seq: SeqNum): boolean {
    if (!this.anchored) return true;
    const { peerAck, seenEnd, sentTo } = this.extent;
    const lowest = seqLt(peerAck, this.next) ? peerAck : this.next;
    const highest = seqMax(seqMax(seenEnd, sentTo), this.next);
    return seqGe(seq, lowest) && seqDiff(seq, highest) <= RESET_SLACK;
  }
}
