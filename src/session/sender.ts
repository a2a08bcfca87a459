/**
 * The sending half (RFC 9293 §3.8.6, §3.10.7.4): the send variables, what an acknowledgement changes, and which segment
 * of the stream may go out next.
 *
 * The stream occupies [ISS + 1, end); a FIN, once asked for, occupies `end` itself. `una` is the oldest byte not
 * acknowledged and `nxt` one past the newest ever sent, so it never moves back: what is sent again lies in the marks of
 * the retransmit queue. Invariant: while una ≠ nxt the retransmission timer runs, and while bytes wait behind a shut
 * window with nothing outstanding the persist timer does. There is no third case in which a session could sleep for ever.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqNum, type SeqNum } from '../core/seq-num.ts';
import { instant, NEVER, type Instant } from '../core/time.ts';
import type { TcpOptions } from '../wire/tcp-options.ts';
import { Congestion } from './congestion.ts';
import { RetransmitQueue } from './retransmit-queue.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { SendBuffer } from './send-buffer.ts';
import type { SessionConfig } from './session-config.ts';
import type { SessionStats } from './session-stats.ts';
import type { Timers } from './timers.ts';

/** What an IPv4 host without an MSS option takes (RFC 9293 §3.7.1); IPv6's is larger. */
const MSS_DEFAULT_V4 = 536;
const MSS_DEFAULT_V6 = 1_220;
/**
 * Smaller announcements are taken for this: a hostile MSS must not turn a request into thousands of packets. And it leaves
 * room for payload beside 40 bytes of options.
 */
const MSS_MIN = 48;

const TIMESTAMPS_LENGTH = 12;

export class Sender {
  readonly iss: SeqNum;
  /** What our SYN announces: the largest payload that our end of the path takes. */
  readonly mss: number;
  una: SeqNum;
  nxt: SeqNum;
  /** One past the last byte accepted from the user. */
  end: SeqNum;
  finQueued = false;
  /** As the peer announced, scaled; and the largest so far. */
  window = 0;
  maxWindow = 0;
  windowShift = 0;
  sackEnabled = false;
  timestampsEnabled = false;
  /** Payload bytes of our stream that the peer acknowledged. */
  acknowledged = 0;
  /** The segment found by `choose`. */
  segmentSeq: SeqNum = seqNum(0);
  segmentLength = 0;
  segmentFin = false;
  readonly buffer: SendBuffer;
  readonly rtt: RttEstimator;
  readonly #config: SessionConfig;
  readonly #timers: Timers;
  readonly #stats: SessionStats;
  /** From the first sign of loss until everything it was about is acknowledged. */
  #loss: RetransmitQueue | undefined = undefined;
  readonly #congestion: Congestion;
  /** Payload and options together, at most; and payload alone in the usual segment. */
  #payloadMax: number;
  #segmentSize: number;
  /** Where the last whole `send` ended: the segment that reaches it carries PSH. */
  #push: SeqNum;
  /** SEG.SEQ and SEG.ACK of the last window update. */
  #windowSeq: SeqNum = seqNum(0);
  #windowAck: SeqNum = seqNum(0);
  /** One segment at a time is timed: when `timing`, the one that ends at `#timedEnd`, sent once at `#timedAt`. */
  #timing = false;
  #timedEnd: SeqNum = seqNum(0);
  #timedAt: Instant = instant(0.5);
  /** Retransmission timeouts, or probes, since anything moved. */
  #tries = 0;
  #probeDue = false;
  /** When the wait for progress began. */
  #stuckSince: Instant = instant(0.5);
  /** When the peer last acknowledged anything. */
  #heardAt: Instant = instant(0.5);

  constructor(config: SessionConfig, timers: Timers, stats: SessionStats, ipVersion: 4 | 6, iss: SeqNum) {
    this.#config = config;
    this.#timers = timers;
    this.#stats = stats;
    this.iss = iss;
    this.una = iss;
    this.nxt = iss;
    this.end = seqAdd(iss, 1);
    this.#push = iss;
    this.buffer = new SendBuffer(config.sendBuffer);
    this.rtt = new RttEstimator(config.initialRto, config.minRto, config.maxRto);
    this.mss = Math.max(MSS_MIN, Math.min(config.mss, payloadOf(config.mtu, ipVersion)));
    this.#payloadMax = this.mss;
    this.#segmentSize = this.#payloadMax;
    this.#congestion = new Congestion(this.#segmentSize, config.initialWindowSegments, config.sendBufferPerSession);
  }

  /** Whether our FIN has been acknowledged. */
  get finAcked(): boolean {
    return this.finQueued && seqGt(this.una, this.end);
  }

  get outstanding(): boolean {
    return this.una !== this.nxt;
  }

  append(bytes: Uint8Array, offset: number, length: number): number {
    const room = this.#config.sendBufferPerSession - this.buffer.length;
    const accepted = this.buffer.append(bytes, offset, length < room ? length : room);
    this.end = seqAdd(this.end, accepted);
    // A send that was cut short goes on in the next: its last byte so far is not where the receiver should wake up.
    if (accepted === length) this.#push = this.end;
    return accepted;
  }

  // ---- the handshake ----

  /** A SYN (or SYN-ACK) goes out, the first or again. */
  synSent(now: Instant): void {
    if (this.una === this.nxt) {
      this.nxt = seqAdd(this.iss, 1);
      this.#timing = true;
      this.#timedEnd = this.nxt;
      this.#timedAt = now;
      this.#stuckSince = now;
    } else {
      this.#timing = false;
      this.#stats.retransmissions++;
    }
    this.#timers.setRetransmit(now, this.rtt.rto);
  }

  /** Another SYN is due; false when there have been enough. */
  synTimedOut(now: Instant): boolean {
    this.#stats.timeouts++;
    this.#tries++;
    this.rtt.timedOut();
    this.#timers.setRetransmit(now, this.rtt.rto);
    return this.#tries < this.#config.synTries && now - this.#stuckSince < this.#config.giveUpAfter;
  }

  /** What the peer's SYN says about segments to it. `mss` is 0 when it said nothing. */
  setPeerMss(mss: number, ipVersion: 4 | 6): void {
    const announced = mss === 0 ? (ipVersion === 4 ? MSS_DEFAULT_V4 : MSS_DEFAULT_V6) : Math.max(mss, MSS_MIN);
    this.#setPayloadMax(Math.min(this.#payloadMax, announced), true);
  }

  /** Our SYN was acknowledged by `ack`; `window` is unscaled if it came in a SYN. */
  connected(now: Instant, seq: SeqNum, ack: SeqNum, window: number): void {
    this.una = ack;
    this.#tries = 0;
    this.rtt.backoff = 0;
    if (this.#timing) this.rtt.sample(now - this.#timedAt);
    this.#timing = false;
    this.#heardAt = now;
    this.#timers.retransmit = NEVER;
    this.#setWindow(seq, ack, window);
  }

  // ---- acknowledgements ----

  /**
   * Processes SEG.ACK, SEG.WND (as on the wire) and SACK blocks of an acceptable segment; `bare`: it carries no text, so
   * it can be a duplicate. False when it acknowledges what was never sent, or a long way back (RFC 5961 §5).
   */
  handleAck(now: Instant, seq: SeqNum, ack: SeqNum, wireWindow: number, bare: boolean, options: TcpOptions): boolean {
    if (seqGt(ack, this.nxt) || seqLt(ack, seqAdd(this.una, -this.maxWindow))) return false;
    this.#heardAt = now;
    const window = wireWindow << this.windowShift;
    const moved = this.#updateWindow(now, seq, ack, window);
    const news =
      options.sackBlocks > 0 &&
      this.sackEnabled &&
      this.outstanding &&
      this.#noteLoss().noteSack(options, this.una, this.nxt);
    if (seqGt(ack, this.una)) {
      this.#advance(now, ack, options);
    } else if (ack === this.una && this.outstanding && (news || (bare && !moved && options.sackBlocks === 0))) {
      this.#noteLoss().duplicateAck();
    }
    if (this.#loss !== undefined && this.outstanding && this.#loss.lossSuspected(this.#segmentSize)) {
      this.#fastRetransmit(now);
    }
    return true;
  }

  /** RFC 9293 §3.10.7.4: an older segment must not bring back an older window. Returns whether it changed. */
  #updateWindow(now: Instant, seq: SeqNum, ack: SeqNum, window: number): boolean {
    const newer = seqLt(this.#windowSeq, seq) || (this.#windowSeq === seq && seqLe(this.#windowAck, ack));
    if (!newer || seqLt(ack, this.una)) return false;
    const changed = window !== this.window;
    if (changed && this.window === 0) {
      this.#timers.persist = NEVER;
      this.#probeDue = false;
      this.#tries = 0;
      this.#stuckSince = now;
    }
    this.#setWindow(seq, ack, window);
    return changed;
  }

  #setWindow(seq: SeqNum, ack: SeqNum, window: number): void {
    this.window = window;
    if (window > this.maxWindow) this.maxWindow = window;
    this.#windowSeq = seq;
    this.#windowAck = ack;
  }

  #advance(now: Instant, ack: SeqNum, options: TcpOptions): void {
    const inFlight = seqDiff(this.nxt, this.una);
    const streamEnd = seqGt(ack, this.end) ? this.end : ack;
    const bytes = seqDiff(streamEnd, this.una);
    this.una = ack;
    this.buffer.discard(bytes);
    this.acknowledged += bytes;

    if (this.#timing && seqGe(ack, this.#timedEnd)) {
      this.#timing = false;
      this.rtt.sample(now - this.#timedAt);
    } else if (this.timestampsEnabled && options.hasTimestamps && options.timestampEcho !== 0) {
      this.rtt.sample(((this.timestamp(now) - options.timestampEcho) | 0) * 1_000);
    }
    this.rtt.progressed();
    this.#tries = 0;
    this.#stuckSince = now;

    const loss = this.#loss;
    const wasFast = loss !== undefined && loss.inFastRecovery;
    if (loss !== undefined && loss.advanced(ack, this.nxt, this.#segmentSize)) this.#loss = undefined;
    if (!wasFast) this.#congestion.acknowledged(bytes, 2 * inFlight >= this.#congestion.window);

    if (this.outstanding) this.#timers.setRetransmit(now, this.rtt.rto);
    else this.#timers.retransmit = NEVER;
  }

  #noteLoss(): RetransmitQueue {
    return (this.#loss ??= new RetransmitQueue());
  }

  #fastRetransmit(now: Instant): void {
    this.#stats.fastRetransmits++;
    this.#congestion.lost(seqDiff(this.nxt, this.una));
    this.#noteLoss().enterFast(this.una, this.nxt, this.#segmentSize);
    this.#timers.setRetransmit(now, this.rtt.rto);
  }

  // ---- timeouts ----

  /** The retransmission timer ran out on data or a FIN. False when it is time to give up. */
  retransmitTimedOut(now: Instant): boolean {
    this.#stats.timeouts++;
    const again = this.#tries > 0;
    this.#tries++;
    if (this.window === 0) {
      // The peer shut its window on what was sent: sending again serves as a probe, and is answered for as long as it
      // lives (RFC 9293 §3.8.6.1). Only silence, or the patience for shut windows, ends it.
      if (this.#shutTooLong(now)) return false;
    } else if (this.#tries > this.#config.dataTries || now - this.#stuckSince >= this.#config.giveUpAfter) {
      return false;
    }
    this.rtt.timedOut();
    this.#timing = false;
    this.#congestion.timedOut(seqDiff(this.nxt, this.una), again);
    this.#noteLoss().enterTimeout(this.una, this.nxt);
    this.#timers.setRetransmit(now, this.rtt.rto);
    return true;
  }

  /** The persist timer ran out: a probe is due. False when it is time to give up. */
  persistTimedOut(now: Instant): boolean {
    if (this.#shutTooLong(now)) return false;
    this.#probeDue = true;
    this.#tries++;
    this.#timers.setPersist(now, this.rtt.timeout(this.#tries));
    return true;
  }

  #shutTooLong(now: Instant): boolean {
    const silentSince = this.#heardAt > this.#stuckSince ? this.#heardAt : this.#stuckSince;
    return now - silentSince >= this.#config.giveUpAfter || now - this.#stuckSince >= this.#config.zeroWindowTimeout;
  }

  /** A smaller path MTU: cuts segments to it, and sends again what may have been too large. Not a sign of congestion. */
  handleMtu(now: Instant, mtu: number, ipVersion: 4 | 6): void {
    const payload = Math.max(MSS_MIN, payloadOf(mtu, ipVersion));
    if (payload >= this.#payloadMax) return;
    this.#setPayloadMax(payload, false);
    if (!this.outstanding || this.una === this.iss) return;
    this.#timing = false;
    this.#noteLoss().enterTimeout(this.una, this.nxt);
    this.#timers.setRetransmit(now, this.rtt.rto);
  }

  // ---- transmission ----

  /**
   * Finds the segment of the stream that may go out now, beside `optionsLength` bytes of options: what was lost first,
   * then what is new. Arms the persist timer when only the peer's window is in the way.
   */
  choose(now: Instant, optionsLength: number): boolean {
    const size = this.#payloadMax - optionsLength;
    if (this.#loss !== undefined && this.#chooseLost(this.#loss, size)) return true;
    return this.#chooseNew(now, size);
  }

  #chooseLost(queue: RetransmitQueue, size: number): boolean {
    if (!queue.nextHole()) return false;
    const start = queue.holeStart;
    const holeEnd = queue.holeEnd;
    const dataEnd = seqGt(holeEnd, this.end) ? this.end : holeEnd;
    let length = seqDiff(dataEnd, start) as number;
    if (length > size) length = size;
    // A window that shrank: nothing beyond it, except the first segment, which then is the probe.
    const usable = seqDiff(seqAdd(this.una, this.window), start);
    if (usable <= 0 && start !== this.una) return false;
    if (usable > 0 && length > usable) length = usable;
    const inFlight = queue.inFlight(this.una, this.nxt, this.#segmentSize);
    if (!queue.urgent && inFlight > 0 && inFlight + length > this.#congestion.window) return false;
    this.segmentSeq = start;
    this.segmentLength = length;
    this.segmentFin = seqGt(holeEnd, this.end) && seqAdd(start, length) === this.end;
    return true;
  }

  #chooseNew(now: Instant, size: number): boolean {
    const available = seqDiff(this.end, this.nxt) as number;
    const finWaits = this.finQueued && available >= 0;
    if (available <= 0 && !finWaits) return false;
    const idle = this.una === this.nxt;
    const usable = seqDiff(seqAdd(this.una, this.window), this.nxt);
    if (usable <= 0) {
      if (idle && this.#timers.persist === NEVER) this.#beginPersist(now);
      return false;
    }
    let length = available < size ? available : size;
    if (length > usable) {
      length = usable;
      // Silly window avoidance (RFC 9293 §3.8.6.2.1): wait for more window while something is on its way to open it.
      if (!idle && length < this.maxWindow >> 1) return false;
    }
    if (idle) {
      if (now - this.#heardAt > this.rtt.rto) this.#congestion.restart();
    } else {
      const { una, nxt } = this;
      const loss = this.#loss;
      const inFlight = loss === undefined ? seqDiff(nxt, una) : loss.inFlight(una, nxt, this.#segmentSize);
      if (inFlight > 0 && inFlight + length > this.#congestion.window) return false;
    }
    this.segmentSeq = this.nxt;
    this.segmentLength = length;
    this.segmentFin = finWaits && length === available && usable > length;
    return true;
  }

  #beginPersist(now: Instant): void {
    this.#tries = 0;
    this.#stuckSince = now;
    this.#timers.setPersist(now, this.rtt.timeout(this.#tries));
  }

  /** Whether the segment found by `choose` reaches the end of a `send`. */
  get segmentPush(): boolean {
    const end = seqAdd(this.segmentSeq, this.segmentLength);
    return this.segmentLength > 0 && seqLt(this.segmentSeq, this.#push) && seqGe(end, this.#push);
  }

  /** The segment found by `choose` was written. */
  sent(now: Instant): void {
    const end = seqAdd(this.segmentSeq, this.segmentLength + (this.segmentFin ? 1 : 0));
    if (seqGt(end, this.nxt)) {
      if (this.una === this.nxt) this.#stuckSince = now;
      if (!this.#timing && this.#loss === undefined) {
        this.#timing = true;
        this.#timedEnd = end;
        this.#timedAt = now;
      }
      this.nxt = end;
    } else {
      this.#stats.retransmissions++;
      this.#timing = false;
      this.#loss?.resent(end);
    }
    if (this.#timers.retransmit === NEVER) this.#timers.setRetransmit(now, this.rtt.rto);
  }

  /** Whether a window probe is due; asking takes it. */
  takeProbe(): boolean {
    const due = this.#probeDue;
    this.#probeDue = false;
    if (due) this.#stats.zeroWindowProbes++;
    return due;
  }

  /** Our timestamp clock: milliseconds (RFC 7323 §5.4). */
  timestamp(now: Instant): number {
    return Math.floor(now / 1_000 + this.#config.timestampOffset) | 0;
  }

  /** Forgets everything queued: the session is over. */
  release(): void {
    this.buffer.clear();
    this.#loss = undefined;
  }

  #setPayloadMax(payload: number, fresh: boolean): void {
    this.#payloadMax = payload;
    this.#segmentSize = payload - (this.timestampsEnabled ? TIMESTAMPS_LENGTH : 0);
    this.#congestion.setMss(this.#segmentSize, fresh);
  }
}

/** What an IP packet of `mtu` bytes leaves for TCP options and payload. */
function payloadOf(mtu: number, ipVersion: 4 | 6): number {
  return mtu - (ipVersion === 4 ? 20 : 40) - 20;
}
