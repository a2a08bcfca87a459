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
 * The work is done by role, around a `ControlBlock` that owns the state: `segment-arrives` checks segments in the RFC's
 * order (`handshake` judges answers to a SYN), `Sender` owns the send variables and what may go out (with `SendWindow`,
 * `RetransmitQueue`, `Congestion`, `RttEstimator`, `Patience`), `Receiver` the receive variables, ordering and
 * acknowledgement policy, `timeouts` what timers do, and `transmit` which packet is next.
 *
 * The end. The last event (CLOSED, REFUSED, RESET, TIMED_OUT) comes when nothing more can happen to the data. After an
 * orderly close that is on entering TIME-WAIT; the session then still answers repeated FINs of the peer until
 * `finished` is true. An owner that forgets it earlier loses only that. Whoever gives up on a peer resets it, and a
 * closed session answers what still comes with RST, so that nothing half-open is left at the target.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { PacketBatch } from '../core/packet-batch.ts';
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { ControlBlock } from './control-block.ts';
import { Received } from './receiver.ts';
import { segmentArrives } from './segment-arrives.ts';
import type { SessionConfig } from './session-config.ts';
import {
  EVENT_ACKED,
  EVENT_CLOSED,
  EVENT_CONNECTED,
  EVENT_DATA,
  EVENT_NONE,
  EVENT_PEER_FIN,
  type SessionEvent,
} from './session-event.ts';
import { CLOSED, ON_CLOSE, SYN_SENT, type TcpState } from './tcp-state.ts';
import { timeoutsPass } from './timeouts.ts';
import { transmit } from './transmit.ts';

/** One for all sessions: it is read before anything else is polled. */
const RECEIVED = new Received();

export class Session {
  readonly #tcb: ControlBlock;

  constructor(config: SessionConfig, local: Endpoint, remote: Endpoint, isn: SeqNum) {
    this.#tcb = new ControlBlock(config, local, remote, isn);
  }

  /** What an EVENT_DATA is about; valid until the next `poll` or input of any session. */
  get received(): Received {
    return RECEIVED;
  }

  get local(): Endpoint {
    return this.#tcb.local;
  }

  get remote(): Endpoint {
    return this.#tcb.remote;
  }

  get state(): TcpState {
    return this.#tcb.state;
  }

  /** Bytes of our stream that the peer has acknowledged. */
  get acknowledged(): number {
    return this.#tcb.sender.acknowledged;
  }

  /** Bytes accepted by `send` and not yet acknowledged. */
  get queued(): number {
    return this.#tcb.sender.buffer.length;
  }

  /** Whether the peer takes nothing of it just now: its window is shut (RFC 9293 §3.8.6.1). */
  get shutOut(): boolean {
    return this.#tcb.sender.shutOut;
  }

  /** Closed, with nothing left to send, not even an answer to a repeated FIN: to be forgotten. */
  get finished(): boolean {
    return this.#tcb.opened && this.#tcb.state === CLOSED && this.#tcb.reset === undefined;
  }

  /** Smoothed round-trip time in microseconds, 0 when none was measured. */
  get roundTripTime(): number {
    return this.#tcb.sender.rtt.smoothed;
  }

  // ---- inputs: the user's side ----

  /**
   * `sendsFirst`: the user will probably send before the peer does, so that the acknowledgement which ends the handshake
   * is delayed like any other and leaves with the data (as Linux does for a socket that waits to write).
   */
  open(now: Instant, sendsFirst = false): void {
    const tcb = this.#tcb;
    if (tcb.opened) return;
    tcb.opened = true;
    tcb.sendsFirst = sendsFirst;
    tcb.synDue = true;
    tcb.setState(SYN_SENT);
    tcb.timers.setRetransmit(now, tcb.config.initialRto);
  }

  /**
   * Copies up to `length` bytes into the send buffer and returns how many: fewer at the session's cap or the pool's, none
   * after `close`. May be called before CONNECTED.
   */
  send(bytes: Uint8Array, offset: number, length: number): number {
    const tcb = this.#tcb;
    if (tcb.sender.finQueued || tcb.lastEvent !== EVENT_NONE || length <= 0) return 0;
    return tcb.sender.append(bytes, offset, length);
  }

  /**
   * Ends our direction with a FIN after everything accepted has been sent; the peer may go on. Before the handshake is
   * done it is finished first, where RFC 9293 §3.10.4 would drop what is queued.
   */
  close(): void {
    const tcb = this.#tcb;
    if (tcb.sender.finQueued || tcb.lastEvent !== EVENT_NONE) return;
    if (!tcb.opened) {
      tcb.opened = true;
      tcb.end(EVENT_CLOSED);
      return;
    }
    tcb.sender.finQueued = true;
    tcb.follow(ON_CLOSE);
  }

  /** Ends both directions at once with a RST; what is queued is dropped. */
  abort(): void {
    const tcb = this.#tcb;
    if (tcb.lastEvent !== EVENT_NONE) return;
    tcb.resetPeer();
    tcb.opened = true;
    tcb.end(EVENT_CLOSED);
  }

  // ---- inputs: the network's side, and time ----

  /** A segment from the peer. Ports and addresses were the caller's look-up and are not compared again. */
  handleSegment(now: Instant, segment: Segment): void {
    segmentArrives(this.#tcb, now, segment);
  }

  handleTimeout(now: Instant): void {
    timeoutsPass(this.#tcb, now);
  }

  /** The path carries IP packets of at most `mtu` bytes: EMSGSIZE on sending, or ICMP. */
  handleMtu(now: Instant, mtu: number): void {
    const tcb = this.#tcb;
    if (tcb.state !== CLOSED) tcb.sender.handleMtu(now, mtu, tcb.remote.address.version);
  }

  // ---- outputs ----

  poll(): SessionEvent {
    const tcb = this.#tcb;
    if (tcb.take(EVENT_CONNECTED)) return EVENT_CONNECTED;
    if (tcb.take(EVENT_ACKED)) return EVENT_ACKED;
    if (tcb.receiver.textWaits && tcb.receiver.next(RECEIVED)) return EVENT_DATA;
    if (tcb.take(EVENT_PEER_FIN)) return EVENT_PEER_FIN;
    return tcb.take(tcb.lastEvent) ? tcb.lastEvent : EVENT_NONE;
  }

  /** Writes at most one packet; false when there is none to send, or `batch` has no room for one. */
  pollTransmit(now: Instant, batch: PacketBatch): boolean {
    return transmit(this.#tcb, now, batch);
  }

  /**
   * When to call `handleTimeout` at the latest; NEVER when nothing is pending. Changes rarely: it may be earlier than
   * the next timer that is really due, and then moves on when called.
   */
  pollTimeout(): Instant {
    return this.#tcb.timers.wake;
  }
}
