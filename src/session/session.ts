/**
 * One user-space TCP client connection (RFC 9293), without I/O: an active opener that sends what it is given to the
 * target and reads the answers.
 *
 * Theory of operation. Inputs are `open`, `handleSegment`, `handleTimeout`, `handleMtu`, `send`, `close` and `abort`.
 * They change state and nothing else. After every input the owner asks for the outputs, in this order:
 *
 *     while ((event = session.poll()) !== EVENT_NONE) …   // DATA must be taken before the next input
 *     while (session.pollTransmit(now, batch)) …          // false with a full batch: flush it, and ask again
 *     wheel.set(session, session.pollTimeout());          // then handleTimeout(now), whenever that has passed
 *
 * Time is a parameter, monotonic, and the same clock throughout. Events first gives the owner the chance to answer
 * CONNECTED or DATA with `send`, whose segment then carries the acknowledgement.
 *
 * The work is done by role: `handshake` judges answers to a SYN, `Sender` owns the send variables, timeouts and window
 * (with `RetransmitQueue`, `Congestion`, `RttEstimator`), `Receiver` the receive variables, ordering and
 * acknowledgement policy. This file checks segments in the order of RFC 9293 §3.10.7, owns the state, and decides what
 * of all that is due leaves first: a reset, a SYN, stream data or FIN (each carrying an acknowledgement), a window
 * probe, a bare acknowledgement.
 *
 * The end. The last event (CLOSED, REFUSED, RESET, TIMED_OUT) comes when nothing more can happen to the data. After an
 * orderly close that is on entering TIME-WAIT; the session then still answers repeated FINs of the peer until
 * `finished` is true. An owner that forgets it earlier loses only that. Whoever gives up on a peer resets it, and a
 * closed session answers what still comes with RST, so that nothing half-open is left at the target.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { PacketBatch } from '../core/packet-batch.ts';
import { seqAdd, seqDiff, seqNum, type SeqNum } from '../core/seq-num.ts';
import { instant, micros, NEVER, type Instant } from '../core/time.ts';
import { CHECKSUM_BAD, TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { parseTcpOptions, TcpOptions } from '../wire/tcp-options.ts';
import {
  isCrossedSynAck,
  judgeSynSent,
  negotiate,
  SYN_ACCEPTED,
  SYN_CROSSED,
  SYN_REFUSED,
  SYN_STALE,
  windowShiftFor,
} from './handshake.ts';
import { outgoing, writeSegment } from './packet-writer.ts';
import { Received, Receiver } from './receiver.ts';
import { writeOptions, writeSynOptions } from './segment-options.ts';
import { Sender } from './sender.ts';
import type { SessionConfig } from './session-config.ts';
import {
  EVENT_ACKED,
  EVENT_CLOSED,
  EVENT_CONNECTED,
  EVENT_DATA,
  EVENT_NONE,
  EVENT_PEER_FIN,
  EVENT_REFUSED,
  EVENT_RESET,
  EVENT_TIMED_OUT,
  type SessionEvent,
} from './session-event.ts';
import { SessionStats } from './session-stats.ts';
import {
  canReceive,
  CLOSED,
  CLOSING,
  ESTABLISHED,
  FIN_WAIT_2,
  LAST_ACK,
  ON_CLOSE,
  ON_FIN_ACKED,
  ON_PEER_FIN,
  STAYS,
  SYN_RECEIVED,
  SYN_SENT,
  TIME_WAIT,
  type TcpState,
} from './tcp-state.ts';
import { Timers } from './timers.ts';

/** How soon a SYN follows the reset of a stale connection: late enough not to overtake it. */
const STALE_RETRY = micros(2_000);
const CHALLENGE_PERIOD = 1_000_000;
/** More than any packet without payload takes. */
const HEADERS_MAX = 128;

/** Read anew from each segment; no session keeps it. */
const incoming = new TcpOptions();

export class Session {
  readonly local: Endpoint;
  readonly remote: Endpoint;
  /** What an EVENT_DATA is about; valid until the next `poll` or input. */
  readonly received = new Received();
  readonly stats = new SessionStats();
  readonly #config: SessionConfig;
  readonly #timers = new Timers();
  readonly #sender: Sender;
  readonly #receiver: Receiver;
  #state: TcpState = CLOSED;
  #opened = false;
  /** Largest packet sent, for `PacketBatch.reserve`. */
  #packetMax: number;
  #synDue = false;
  #resetDue = false;
  #resetSeq: SeqNum = seqNum(0);
  #resetAcks = false;
  /** A stale connection at the target has been reset once already: from now on the SYN waits for its timer. */
  #staleSeen = false;
  #challenges = 0;
  #challengesSince: Instant = instant(0.5);
  /** Events not yet polled, but for DATA, which the receiver knows of: bit N is event N. */
  #events = 0;
  #lastEvent: SessionEvent = EVENT_NONE;

  constructor(config: SessionConfig, local: Endpoint, remote: Endpoint, isn: SeqNum) {
    this.#config = config;
    this.local = local;
    this.remote = remote;
    this.#sender = new Sender(config, this.#timers, this.stats, remote.address.version, isn);
    this.#receiver = new Receiver(config, this.#timers, this.stats);
    this.#packetMax = Math.max(config.mtu, HEADERS_MAX);
  }

  get state(): TcpState {
    return this.#state;
  }

  /** Bytes of our stream that the peer has acknowledged. */
  get acknowledged(): number {
    return this.#sender.acknowledged;
  }

  /** Bytes accepted by `send` and not yet acknowledged. */
  get queued(): number {
    return this.#sender.buffer.length;
  }

  /** Closed, with nothing left to send, not even an answer to a repeated FIN: to be forgotten. */
  get finished(): boolean {
    return this.#opened && this.#state === CLOSED && !this.#resetDue;
  }

  /** One past the last sequence number used: what `IsnGenerator.nextAfter` wants of a port's previous session. */
  get sequenceEnd(): SeqNum {
    return this.#sender.nxt;
  }

  /** Smoothed round-trip time in microseconds, 0 when none was measured. */
  get roundTripTime(): number {
    return this.#sender.rtt.smoothed;
  }

  // ---- inputs: the user's side ----

  open(now: Instant): void {
    if (this.#opened) return;
    this.#opened = true;
    this.#challengesSince = now;
    this.#synDue = true;
    this.#setState(SYN_SENT);
    this.#timers.setRetransmit(now, this.#config.initialRto);
  }

  /**
   * Copies up to `length` bytes into the send buffer and returns how many: fewer at the session's cap or the pool's, none
   * after `close`. May be called before CONNECTED.
   */
  send(bytes: Uint8Array, offset: number, length: number): number {
    if (this.#sender.finQueued || this.#lastEvent !== EVENT_NONE || length <= 0) return 0;
    return this.#sender.append(bytes, offset, length);
  }

  /**
   * Ends our direction with a FIN after everything accepted has been sent; the peer may go on. Before the handshake is
   * done it is finished first, where RFC 9293 §3.10.4 would drop what is queued.
   */
  close(): void {
    if (this.#sender.finQueued || this.#lastEvent !== EVENT_NONE) return;
    if (!this.#opened) {
      this.#opened = true;
      this.#end(EVENT_CLOSED);
      return;
    }
    this.#sender.finQueued = true;
    this.#follow(ON_CLOSE);
  }

  /** Ends both directions at once with a RST; what is queued is dropped. */
  abort(): void {
    if (this.#lastEvent !== EVENT_NONE) return;
    this.#resetPeer();
    this.#opened = true;
    this.#end(EVENT_CLOSED);
  }

  // ---- inputs: the network's side ----

  /** A segment from the peer. Ports and addresses were the caller's look-up and are not compared again. */
  handleSegment(now: Instant, segment: Segment): void {
    this.#receiver.forgetText();
    if (segment.checksum === CHECKSUM_BAD) {
      this.stats.refused++;
      return;
    }
    if (this.#state === CLOSED) {
      this.#answerClosed(segment);
      return;
    }
    if (segment.optionsLength > 0) parseTcpOptions(segment, incoming);
    else incoming.clear();
    if (this.#state === SYN_SENT) this.#handleSynSent(now, segment);
    else this.#handleSynchronized(now, segment);
  }

  handleTimeout(now: Instant): void {
    const timers = this.#timers;
    if (now < timers.wake) return;
    if (timers.delayedAck <= now) {
      timers.delayedAck = NEVER;
      this.#receiver.ackNow = true;
    }
    if (timers.retransmit <= now) this.#retransmitTimedOut(now);
    if (timers.persist <= now && !this.#sender.persistTimedOut(now)) this.#giveUp();
    if (timers.linger <= now) this.#lingerTimedOut();
    timers.rewake();
  }

  /** The path carries IP packets of at most `mtu` bytes: EMSGSIZE on sending, or ICMP. */
  handleMtu(now: Instant, mtu: number): void {
    if (this.#state !== CLOSED) this.#sender.handleMtu(now, mtu, this.remote.address.version);
  }

  // ---- outputs ----

  poll(): SessionEvent {
    if (this.#take(EVENT_CONNECTED)) return EVENT_CONNECTED;
    if (this.#take(EVENT_ACKED)) return EVENT_ACKED;
    if (this.#receiver.textWaits && this.#receiver.next(this.received)) return EVENT_DATA;
    if (this.#take(EVENT_PEER_FIN)) return EVENT_PEER_FIN;
    return this.#take(this.#lastEvent) ? this.#lastEvent : EVENT_NONE;
  }

  #take(event: SessionEvent): boolean {
    if ((this.#events & (1 << event)) === 0) return false;
    this.#events &= ~(1 << event);
    return true;
  }

  #announce(event: SessionEvent): void {
    this.#events |= 1 << event;
  }

  /**
   * When to call `handleTimeout` at the latest; NEVER when nothing is pending. Changes rarely: it may be earlier than
   * the next timer that is really due, and then moves on when called.
   */
  pollTimeout(): Instant {
    return this.#timers.wake;
  }

  /** Writes at most one packet; false when there is none to send, or `batch` has no room for one. */
  pollTransmit(now: Instant, batch: PacketBatch): boolean {
    const at = batch.reserve(this.#packetMax);
    if (at < 0) return false;
    if (this.#resetDue) return this.#writeReset(batch, at);
    const state = this.#state;
    if (state === CLOSED) return false;
    if (this.#synDue) return this.#writeSyn(now, batch, at);
    if (state === SYN_SENT) return false;

    const sender = this.#sender;
    const receiver = this.#receiver;
    outgoing.optionsLength =
      receiver.timestampsEnabled || receiver.hasEarly
        ? writeOptions(outgoing.options, receiver, sender.timestamp(now))
        : 0;
    if (state >= ESTABLISHED && sender.choose(now, outgoing.optionsLength)) {
      const flags = (sender.segmentPush ? TCP_PSH : 0) | (sender.segmentFin ? TCP_FIN : 0);
      const length = sender.segmentLength;
      this.#write(batch, at, sender.segmentSeq, flags, length);
      sender.sent(now);
      receiver.ackSent(false);
      return true;
    }
    if (sender.takeProbe()) {
      // As Linux probes: one number back and empty, which no receiver can accept and each must therefore answer.
      this.#write(batch, at, seqAdd(sender.una, -1), 0, 0);
      return true;
    }
    if (!receiver.ackDue) return false;
    this.#write(batch, at, sender.nxt, 0, 0);
    receiver.ackSent(true);
    return true;
  }

  // ---- segment arrives (RFC 9293 §3.10.7) ----

  /** §3.10.7.1. A session that never opened, or was closed by a RST of the peer, is as good as none. */
  #answerClosed(segment: Segment): void {
    this.stats.refused++;
    if (!this.#opened || (segment.flags & (TCP_RST | TCP_ACK)) !== TCP_ACK || this.#resetDue) return;
    this.#scheduleReset(segment.ack, false);
  }

  /** §3.10.7.3. */
  #handleSynSent(now: Instant, segment: Segment): void {
    const sender = this.#sender;
    switch (judgeSynSent(segment, seqAdd(sender.iss, 1))) {
      case SYN_ACCEPTED:
        negotiate(this.#config, sender, this.#receiver, segment, incoming);
        this.#established(now, segment, segment.window);
        this.#receiver.ackNow = true;
        break;
      case SYN_CROSSED:
        negotiate(this.#config, sender, this.#receiver, segment, incoming);
        this.#setState(SYN_RECEIVED);
        this.#synDue = true;
        break;
      case SYN_REFUSED:
        this.#end(EVENT_REFUSED);
        break;
      case SYN_STALE:
        this.stats.refused++;
        this.#scheduleReset(segment.ack, false);
        if (!this.#staleSeen) this.#timers.setRetransmit(now, STALE_RETRY);
        this.#staleSeen = true;
        break;
      default:
        this.stats.refused++;
    }
  }

  /** §3.10.7.4: every state from SYN-RECEIVED on. */
  #handleSynchronized(now: Instant, segment: Segment): void {
    const sender = this.#sender;
    const receiver = this.#receiver;
    const flags = segment.flags;
    const seq = segment.seq;

    if (this.#state === SYN_RECEIVED && isCrossedSynAck(segment, receiver, sender)) {
      this.#established(now, segment, segment.window);
      receiver.ackNow = true;
      return;
    }
    if ((flags & TCP_RST) !== 0) {
      this.#handleReset(now, seq);
      return;
    }
    if (receiver.isOld(incoming)) {
      this.#challenge(now);
      return;
    }
    const length = segment.sentLength + (flags & TCP_FIN ? 1 : 0) + (flags & TCP_SYN ? 1 : 0);
    if (!receiver.acceptable(seq, length)) {
      this.#handleUnacceptable(now, segment);
      return;
    }
    if ((flags & TCP_SYN) !== 0) {
      // RFC 5961 §4. Also the SYN-ACK again, when our acknowledgement of it was lost.
      this.#challenge(now);
      return;
    }
    if ((flags & TCP_ACK) === 0) {
      this.stats.refused++;
      return;
    }
    if (this.#state === SYN_RECEIVED) {
      if (segment.ack !== sender.nxt) {
        this.stats.refused++;
        this.#scheduleReset(segment.ack, false);
        return;
      }
      this.#established(now, segment, segment.window << sender.window.shift);
    }
    receiver.noteTimestamp(seq, incoming);

    const acknowledged = sender.acknowledged;
    if (!sender.handleAck(now, seq, segment.ack, segment.window, length === 0, incoming)) {
      this.#challenge(now);
      return;
    }
    if (sender.acknowledged !== acknowledged) this.#announce(EVENT_ACKED);
    if (sender.finAcked) {
      this.#follow(ON_FIN_ACKED);
      if (this.#lastEvent !== EVENT_NONE) return;
      if (this.#state === FIN_WAIT_2) this.#timers.setLinger(now, this.#config.finWait2Timeout);
      if (this.#state === TIME_WAIT) this.#enterTimeWait(now);
    }
    if (length > 0 && canReceive(this.#state)) this.#handleText(now, segment);
  }

  #handleText(now: Instant, segment: Segment): void {
    this.#receiver.handleText(now, segment);
    if (!this.#receiver.finTaken) return;
    this.#announce(EVENT_PEER_FIN);
    this.#follow(ON_PEER_FIN);
    if (this.#state === TIME_WAIT) this.#enterTimeWait(now);
  }

  /** RFC 5961 §3: only the exact next number resets; any other in the window is asked to prove itself. */
  #handleReset(now: Instant, seq: SeqNum): void {
    const ahead = seqDiff(seq, this.#receiver.nxt);
    if (ahead !== 0) {
      if (ahead > 0 && ahead < this.#receiver.window) this.#challenge(now);
      else this.stats.refused++;
      return;
    }
    if (this.#state === TIME_WAIT) this.#close();
    else if (this.#state === SYN_RECEIVED) this.#end(EVENT_REFUSED);
    else if ((this.#state === CLOSING || this.#state === LAST_ACK) && this.queued === 0) this.#end(EVENT_CLOSED);
    else this.#end(EVENT_RESET);
  }

  /** §3.10.7.4, first. Repeated text or FIN means that our acknowledgement was lost; anything else may be a probe. */
  #handleUnacceptable(now: Instant, segment: Segment): void {
    if (segment.sentLength === 0 && (segment.flags & TCP_FIN) === 0) {
      this.#challenge(now);
      return;
    }
    this.stats.duplicates++;
    this.#receiver.ackNow = true;
    if (this.#state === TIME_WAIT) this.#timers.setLinger(now, this.#config.timeWait);
  }

  /** An acknowledgement that says where we are, within the limit (RFC 5961 §7). */
  #challenge(now: Instant): void {
    this.stats.refused++;
    if (now - this.#challengesSince >= CHALLENGE_PERIOD) {
      this.#challengesSince = now;
      this.#challenges = 0;
    }
    if (this.#challenges >= this.#config.challengeAcksPerSecond) return;
    this.#challenges++;
    this.#receiver.ackNow = true;
  }

  // ---- timeouts ----

  #retransmitTimedOut(now: Instant): void {
    if (this.#state === SYN_SENT || this.#state === SYN_RECEIVED) {
      if (this.#sender.synTimedOut(now)) this.#synDue = true;
      else this.#giveUp();
    } else if (!this.#sender.retransmitTimedOut(now)) {
      this.#giveUp();
    }
  }

  #lingerTimedOut(): void {
    if (this.#state === TIME_WAIT) this.#close();
    else this.#giveUp();
  }

  #giveUp(): void {
    this.#resetPeer();
    this.#end(EVENT_TIMED_OUT);
  }

  // ---- changes of state ----

  #established(now: Instant, segment: Segment, window: number): void {
    this.#sender.connected(now, segment.seq, segment.ack, window);
    this.#synDue = false;
    this.#setState(ESTABLISHED);
    this.#announce(EVENT_CONNECTED);
    if (this.#sender.finQueued) this.#follow(ON_CLOSE);
  }

  #enterTimeWait(now: Instant): void {
    this.#timers.clear();
    this.#timers.setLinger(now, this.#config.timeWait);
    this.#announceEnd(EVENT_CLOSED);
  }

  /** Follows a rule of tcp-state. */
  #follow(rule: readonly (TcpState | typeof STAYS)[]): void {
    const next = rule[this.#state]!;
    if (next === STAYS) return;
    if (next === CLOSED) this.#end(EVENT_CLOSED);
    else this.#setState(next);
  }

  #end(event: SessionEvent): void {
    this.#close();
    this.#announceEnd(event);
  }

  #close(): void {
    this.#setState(CLOSED);
    this.#timers.clear();
    this.#synDue = false;
    this.#sender.release();
  }

  #announceEnd(event: SessionEvent): void {
    this.#lastEvent = event;
    this.#announce(event);
  }

  #setState(to: TcpState): void {
    const from = this.#state;
    if (from === to) return;
    this.#state = to;
    this.#config.trace?.(from, to);
  }

  // ---- packets ----

  /** A RST that the peer must believe, if it knows this connection at all. */
  #resetPeer(): void {
    if (this.#state === CLOSED || this.#state === TIME_WAIT) return;
    this.#scheduleReset(this.#sender.nxt, this.#state !== SYN_SENT);
  }

  #scheduleReset(seq: SeqNum, acks: boolean): void {
    this.#resetDue = true;
    this.#resetSeq = seq;
    this.#resetAcks = acks;
  }

  #writeReset(batch: PacketBatch, at: number): true {
    this.#resetDue = false;
    outgoing.optionsLength = 0;
    outgoing.seq = this.#resetSeq;
    outgoing.ack = this.#resetAcks ? this.#receiver.nxt : seqNum(0);
    outgoing.flags = this.#resetAcks ? TCP_RST | TCP_ACK : TCP_RST;
    outgoing.window = 0;
    writeSegment(batch, at, this.local, this.remote, this.#sender.buffer, 0, 0);
    return true;
  }

  #writeSyn(now: Instant, batch: PacketBatch, at: number): true {
    this.#synDue = false;
    const config = this.#config;
    const sender = this.#sender;
    const receiver = this.#receiver;
    const crossed = this.#state === SYN_RECEIVED;
    const timestamps = crossed ? receiver.timestampsEnabled : config.timestamps;
    outgoing.optionsLength = writeSynOptions(
      outgoing.options,
      sender.mss,
      crossed && !receiver.windowScaling ? -1 : windowShiftFor(config.receiveWindow),
      crossed ? receiver.sackEnabled : config.sack,
      timestamps,
      timestamps ? sender.timestamp(now) : 0,
      receiver.timestampRecent,
    );
    outgoing.seq = sender.iss;
    outgoing.ack = crossed ? receiver.nxt : seqNum(0);
    outgoing.flags = crossed ? TCP_SYN | TCP_ACK : TCP_SYN;
    outgoing.window = receiver.wireWindow(true);
    writeSegment(batch, at, this.local, this.remote, sender.buffer, 0, 0);
    sender.synSent(now);
    if (crossed) receiver.ackSent(false);
    return true;
  }

  #write(batch: PacketBatch, at: number, seq: SeqNum, flags: number, length: number): void {
    const sender = this.#sender;
    outgoing.seq = seq;
    outgoing.ack = this.#receiver.nxt;
    outgoing.flags = flags | TCP_ACK;
    outgoing.window = this.#receiver.wireWindow(false);
    writeSegment(batch, at, this.local, this.remote, sender.buffer, length > 0 ? seqDiff(seq, sender.una) : 0, length);
  }
}
