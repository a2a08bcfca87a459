/**
 * The sending half (RFC 9293 §3.8.6, §3.10.7.4): the send variables, what an acknowledgement changes, and which segment
 * of the stream may go out next.
 *
 * The stream occupies [ISS + 1, end); a FIN, once asked for, occupies `end` itself. `una` is the oldest byte not
 * acknowledged and `nxt` one past the newest ever sent, so it never moves back: what is sent again lies in the marks of
 * the retransmit queue. Invariant: while una ≠ nxt the retransmission timer runs, and while bytes wait behind a shut
 * window with nothing outstanding the persist timer does. There is no third case in which a session could sleep for ever.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLt, seqNum, type SeqNum } from '../core/seq-num.ts';
import { NEVER, type Instant } from '../core/time.ts';
import type { TcpOptions } from '../wire/tcp-options.ts';
import { Congestion } from './congestion.ts';
import { Patience } from './patience.ts';
import { RetransmitQueue } from './retransmit-queue.ts';
import { RttEstimator } from './rtt-estimator.ts';
import { announcedMss, MSS_MIN, payloadOf, TIMESTAMPS_LENGTH } from './segment-size.ts';
import { SendBuffer } from './send-buffer.ts';
import { SendWindow } from './send-window.ts';
import type { SessionConfig } from './session-config.ts';
import type { Timers } from './timers.ts';

/** IPv6 and TCP with options. */
const HEADERS_MAX = 40 + 60;

/** The segment found by `choose`, of whichever sender was asked last: it is written at once. */
export const chosen = { seq: seqNum(0), length: 0, fin: false };

export class Sender {
  readonly iss: SeqNum;
  /** What our SYN announces: the largest payload that our end of the path takes. */
  readonly mss: number;
  una: SeqNum;
  nxt: SeqNum;
  /** One past the last byte accepted from the user. */
  end: SeqNum;
  finQueued = false;
  sackEnabled = false;
  timestampsEnabled = false;
  /** Payload bytes of our stream that the peer acknowledged. */
  acknowledged = 0;
  readonly window = new SendWindow();
  readonly buffer: SendBuffer;
  readonly rtt: RttEstimator;
  readonly #config: SessionConfig;
  readonly #timers: Timers;
  readonly #patience = new Patience();
  readonly #congestion: Congestion;
  /** From the first sign of loss until everything it was about is acknowledged. */
  #loss: RetransmitQueue | undefined = undefined;
  /** Payload and options together, at most; and payload alone in the usual segment. */
  #payloadMax: number;
  #segmentSize: number;
  /** Where the last whole `send` ended: the segment that reaches it carries PSH. */
  #push: SeqNum;
  #probeDue = false;

  constructor(config: SessionConfig, timers: Timers, ipVersion: 4 | 6, iss: SeqNum) {
    this.#config = config;
    this.#timers = timers;
    this.iss = iss;
    this.una = iss;
    this.nxt = iss;
    this.end = seqAdd(iss, 1);
    this.#push = iss;
    this.buffer = new SendBuffer(config.sendBuffer);
    this.rtt = new RttEstimator(config);
    this.mss = Math.max(MSS_MIN, Math.min(config.mss, payloadOf(config.mtu, ipVersion)));
    this.#payloadMax = this.mss;
    this.#segmentSize = this.mss;
    this.#congestion = new Congestion(this.mss, config);
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

  /** Our timestamp clock: milliseconds (RFC 7323 §5.4). */
  timestamp(now: Instant): number {
    return Math.floor(now / 1_000 + this.#config.timestampOffset) | 0;
  }

  /** Forgets everything queued: the session is over. */
  release(): void {
    this.buffer.clear();
    this.#loss = undefined;
  }

  // ---- the handshake ----

  /** A SYN (or SYN-ACK) goes out, the first or again. */
  synSent(now: Instant): void {
    if (this.una === this.nxt) {
      this.nxt = seqAdd(this.iss, 1);
      this.rtt.startTiming(now, this.nxt);
      this.#patience.restart(now);
    } else {
      this.rtt.timing = false;
      this.#config.stats.retransmissions++;
    }
    this.#timers.setRetransmit(now, this.rtt.rto);
  }

  /** Another SYN is due; false when there have been enough. */
  synTimedOut(now: Instant): boolean {
    this.#config.stats.timeouts++;
    this.#patience.tries++;
    this.rtt.timedOut();
    this.#timers.setRetransmit(now, this.rtt.rto);
    return !this.#patience.isOver(now, this.#config.synTries, this.#config);
  }

  /** What the peer's SYN says about segments to it. `mss` is 0 when it said nothing. */
  setPeerMss(mss: number, ipVersion: 4 | 6): void {
    this.#setPayloadMax(Math.min(this.#payloadMax, announcedMss(mss, ipVersion)), true);
  }

  /** Our SYN was acknowledged by `ack`; `window` is unscaled if it came in a SYN. */
  connected(now: Instant, seq: SeqNum, ack: SeqNum, window: number): void {
    this.una = ack;
    this.rtt.backoff = 0;
    this.rtt.timed(now, ack);
    this.#patience.restart(now);
    this.#patience.heard(now);
    this.#timers.retransmit = NEVER;
    this.window.set(seq, ack, window);
  }

  // ---- acknowledgements ----

  /**
   * Processes SEG.ACK, SEG.WND (as on the wire) and SACK blocks of an acceptable segment; `bare`: it carries no text, so
   * it can be a duplicate. False when it acknowledges what was never sent, or a long way back (RFC 5961 §5).
   */
  handleAck(now: Instant, seq: SeqNum, ack: SeqNum, wireWindow: number, bare: boolean, options: TcpOptions): boolean {
    if (seqGt(ack, this.nxt) || seqLt(ack, seqAdd(this.una, -this.window.largest))) return false;
    this.#patience.heard(now);
    const moved = this.#updateWindow(now, seq, ack, wireWindow << this.window.shift);
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

  /** Returns whether the window changed. */
  #updateWindow(now: Instant, seq: SeqNum, ack: SeqNum, size: number): boolean {
    const window = this.window;
    if (!window.isNewer(seq, ack) || seqLt(ack, this.una)) return false;
    const changed = size !== window.size;
    if (changed && window.size === 0) {
      this.#timers.clearPersist();
      this.#probeDue = false;
      this.#patience.restart(now);
    }
    window.set(seq, ack, size);
    return changed;
  }

  #advance(now: Instant, ack: SeqNum, options: TcpOptions): void {
    const inFlight = seqDiff(this.nxt, this.una);
    const streamEnd = seqGt(ack, this.end) ? this.end : ack;
    const bytes = seqDiff(streamEnd, this.una);
    this.una = ack;
    this.buffer.discard(bytes);
    this.acknowledged += bytes;

    if (!this.rtt.timed(now, ack) && this.timestampsEnabled && options.hasTimestamps && options.timestampEcho !== 0) {
      this.rtt.sample(((this.timestamp(now) - options.timestampEcho) | 0) * 1_000);
    }
    this.rtt.progressed();
    this.#patience.restart(now);

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
    this.#config.stats.fastRetransmits++;
    this.#congestion.lost(seqDiff(this.nxt, this.una));
    this.#noteLoss().enterFast(this.una, this.nxt, this.#segmentSize);
    this.#timers.setRetransmit(now, this.rtt.rto);
  }

  // ---- timeouts ----

  /** The retransmission timer ran out on data or a FIN. False when it is time to give up. */
  retransmitTimedOut(now: Instant): boolean {
    this.#config.stats.timeouts++;
    // A window shut on what was already sent: sending again serves as the probe (RFC 9293 §3.8.6.1).
    const over =
      this.window.size === 0
        ? this.#patience.isOverShut(now, this.#config)
        : this.#patience.isOver(now, this.#config.dataTries, this.#config);
    if (over) return false;
    const again = this.#patience.tries++ > 0;
    this.rtt.timedOut();
    this.#congestion.timedOut(seqDiff(this.nxt, this.una), again);
    this.#resendAll(now);
    return true;
  }

  /** The persist timer ran out: a probe is due. False when it is time to give up. */
  persistTimedOut(now: Instant): boolean {
    if (this.#patience.isOverShut(now, this.#config)) return false;
    this.#probeDue = true;
    this.#patience.tries++;
    this.#timers.setPersist(now, this.rtt.timeout(this.#patience.tries));
    return true;
  }

  /** A smaller path MTU: cuts segments to it, and sends again what may have been too large. Not a sign of congestion. */
  handleMtu(now: Instant, mtu: number, ipVersion: 4 | 6): void {
    const payload = Math.max(MSS_MIN, payloadOf(mtu, ipVersion));
    if (payload >= this.#payloadMax) return;
    this.#setPayloadMax(payload, false);
    if (this.outstanding && this.una !== this.iss) this.#resendAll(now);
  }

  #resendAll(now: Instant): void {
    this.rtt.timing = false;
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

  #chooseLost(loss: RetransmitQueue, size: number): boolean {
    if (!loss.nextHole()) return false;
    const start = loss.holeStart;
    const holeEnd = loss.holeEnd;
    const dataEnd = seqGt(holeEnd, this.end) ? this.end : holeEnd;
    let length = seqDiff(dataEnd, start) as number;
    if (length > size) length = size;
    // A window that shrank: nothing beyond it, except the first segment, which then is the probe.
    const usable = seqDiff(seqAdd(this.una, this.window.size), start);
    if (usable <= 0 && start !== this.una) return false;
    if (usable > 0 && length > usable) length = usable;
    if (!loss.urgent && !this.#fitsCongestionWindow(length)) return false;
    chosen.seq = start;
    chosen.length = length;
    chosen.fin = seqGt(holeEnd, this.end) && seqAdd(start, length) === this.end;
    return true;
  }

  #chooseNew(now: Instant, size: number): boolean {
    const available = seqDiff(this.end, this.nxt) as number;
    const finWaits = this.finQueued && available >= 0;
    if (available <= 0 && !finWaits) return false;
    const idle = this.una === this.nxt;
    const usable = seqDiff(seqAdd(this.una, this.window.size), this.nxt);
    if (usable <= 0) {
      if (idle && this.#timers.persist === NEVER) this.#beginPersist(now);
      return false;
    }
    let length = available < size ? available : size;
    if (length > usable) {
      length = usable;
      // Silly window avoidance (RFC 9293 §3.8.6.2.1): wait for more window while something is on its way to open it.
      if (!idle && length < this.window.largest >> 1) return false;
    }
    if (idle) {
      if (this.#patience.silence(now) > this.rtt.rto) this.#congestion.restart();
    } else if (!this.#fitsCongestionWindow(length)) {
      return false;
    }
    if (length === size && available > size) length = this.#enlarge(size, available < usable ? available : usable);
    chosen.seq = this.nxt;
    chosen.length = length;
    chosen.fin = finWaits && length === available && usable > length;
    return true;
  }

  /** What a segment with so many bytes of options holds at most; a packet with more is to be cut. */
  segmentMax(optionsLength: number): number {
    return this.#payloadMax - optionsLength;
  }

  /** As many segments as one packet may stand for, out of `most` bytes; only the last of the stream may be short. */
  #enlarge(size: number, most: number): number {
    const { una, nxt } = this;
    const { packetMax, mtu } = this.#config;
    if (packetMax <= mtu) return size;
    const loss = this.#loss;
    const inFlight = loss === undefined ? seqDiff(nxt, una) : loss.inFlight(una, nxt, this.#segmentSize);
    let length = Math.min(most, this.#congestion.window - inFlight, packetMax - HEADERS_MAX);
    if (length < seqDiff(this.end, nxt)) length -= length % size;
    return length > size ? length : size;
  }

  /** One segment may always be in the network, whatever the window. */
  #fitsCongestionWindow(length: number): boolean {
    const { una, nxt } = this;
    const loss = this.#loss;
    const inFlight = loss === undefined ? seqDiff(nxt, una) : loss.inFlight(una, nxt, this.#segmentSize);
    return inFlight === 0 || inFlight + length <= this.#congestion.window;
  }

  #beginPersist(now: Instant): void {
    this.#patience.restart(now);
    this.#timers.setPersist(now, this.rtt.timeout(0));
  }

  /** Whether the segment found by `choose` reaches the end of a `send`. */
  get segmentPush(): boolean {
    const end = seqAdd(chosen.seq, chosen.length);
    return chosen.length > 0 && seqLt(chosen.seq, this.#push) && seqGe(end, this.#push);
  }

  /** The segment found by `choose` was written. */
  sent(now: Instant): void {
    const end = seqAdd(chosen.seq, chosen.length + (chosen.fin ? 1 : 0));
    if (seqGt(end, this.nxt)) {
      if (this.una === this.nxt) this.#patience.restart(now);
      if (!this.rtt.timing && this.#loss === undefined) this.rtt.startTiming(now, end);
      this.nxt = end;
    } else {
      this.#config.stats.retransmissions++;
      this.rtt.timing = false;
      this.#loss?.resent(end);
    }
    if (this.#timers.retransmit === NEVER) this.#timers.setRetransmit(now, this.rtt.rto);
  }

  /** Whether something waits behind a window that the peer has shut. */
  get shutOut(): boolean {
    return this.window.size === 0 && this.buffer.length > 0 && this.una !== this.iss;
  }

  /** Whether a window probe is due; asking takes it. */
  takeProbe(): boolean {
    const due = this.#probeDue;
    this.#probeDue = false;
    if (due) this.#config.stats.zeroWindowProbes++;
    return due;
  }

  #setPayloadMax(payload: number, fresh: boolean): void {
    this.#payloadMax = payload;
    this.#segmentSize = payload - (this.timestampsEnabled ? TIMESTAMPS_LENGTH : 0);
    this.#congestion.setMss(this.#segmentSize, fresh);
  }
}
