/**
 * What the parts of one session share, RFC 9293's transmission control block: its state, what is due to be sent out of
 * the ordinary, and what its owner has yet to be told. The one place that changes state.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { Receiver } from './receiver.ts';
import { Sender } from './sender.ts';
import type { SessionConfig } from './session-config.ts';
import { EVENT_CLOSED, EVENT_CONNECTED, EVENT_NONE, EVENT_TIMED_OUT, type SessionEvent } from './session-event.ts';
import { CLOSED, ESTABLISHED, ON_CLOSE, STAYS, SYN_SENT, TIME_WAIT, type Rule, type TcpState } from './tcp-state.ts';
import { Timers } from './timers.ts';

const CHALLENGE_PERIOD = 1_000_000;

export interface Reset {
  readonly seq: SeqNum;
  /** It acknowledges what was received. */
  readonly acks: boolean;
}

export class ControlBlock {
  readonly config: SessionConfig;
  readonly local: Endpoint;
  readonly remote: Endpoint;
  readonly timers = new Timers();
  readonly sender: Sender;
  readonly receiver: Receiver;
  state: TcpState = CLOSED;
  opened = false;
  /** The user is expected to send first, and soon: its data may carry the acknowledgement that ends the handshake. */
  sendsFirst = false;
  synDue = false;
  /** A RST that is due. */
  reset: Reset | undefined = undefined;
  /** A stale connection at the target has been reset once already: from now on the SYN waits for its timer. */
  staleSeen = false;
  /** EVENT_NONE, or the last event there will be. */
  lastEvent: SessionEvent = EVENT_NONE;
  /** Events not yet polled, but for DATA, which the receiver knows of: bit N is event N. */
  #events = 0;
  /** Of the last second in which there was one. */
  #challenges: { since: Instant; count: number } | undefined = undefined;

  constructor(config: SessionConfig, local: Endpoint, remote: Endpoint, isn: SeqNum) {
    this.config = config;
    this.local = local;
    this.remote = remote;
    this.sender = new Sender(config, this.timers, remote.address.version, isn);
    this.receiver = new Receiver(config, this.timers);
  }

  setState(to: TcpState): void {
    const from = this.state;
    if (from === to) return;
    this.state = to;
    this.config.trace?.(from, to);
  }

  /** Follows a rule of tcp-state. */
  follow(rule: Rule): void {
    const next = rule[this.state]!;
    if (next === STAYS) return;
    if (next === CLOSED) this.end(EVENT_CLOSED);
    else this.setState(next);
  }

  /** The handshake is done: `window` is what the peer announced, scaled where it should be. */
  establish(now: Instant, segment: Segment, window: number): void {
    this.sender.connected(now, segment.seq, segment.ack, window);
    this.synDue = false;
    this.setState(ESTABLISHED);
    this.announce(EVENT_CONNECTED);
    if (this.sender.finQueued) this.follow(ON_CLOSE);
  }

  /** Both FINs are acknowledged: the owner has nothing more to expect, the peer perhaps an acknowledgement. */
  enterTimeWait(now: Instant): void {
    this.timers.clear();
    this.timers.setLinger(now, this.config.timeWait);
    this.lastEvent = EVENT_CLOSED;
    this.announce(EVENT_CLOSED);
  }

  close(): void {
    this.setState(CLOSED);
    this.timers.clear();
    this.synDue = false;
    this.sender.release();
    this.receiver.release();
  }

  end(event: SessionEvent): void {
    this.close();
    this.lastEvent = event;
    this.announce(event);
  }

  /** The peer is not worth waiting for any longer. */
  giveUp(): void {
    this.resetPeer();
    this.end(EVENT_TIMED_OUT);
  }

  announce(event: SessionEvent): void {
    this.#events |= 1 << event;
  }

  /** Whether this event waits to be polled; asking takes it. */
  take(event: SessionEvent): boolean {
    if ((this.#events & (1 << event)) === 0) return false;
    this.#events &= ~(1 << event);
    return true;
  }

  /** A RST that the peer must believe, if it knows this connection at all. */
  resetPeer(): void {
    if (this.state === CLOSED || this.state === TIME_WAIT) return;
    this.scheduleReset(this.sender.nxt, this.state !== SYN_SENT);
  }

  scheduleReset(seq: SeqNum, acks: boolean): void {
    this.reset = { seq, acks };
  }

  /** Refuses a segment with an acknowledgement that says where we are, within the limit (RFC 5961 §7). */
  challenge(now: Instant): void {
    this.config.stats.refused++;
    const challenges = (this.#challenges ??= { since: now, count: 0 });
    if (now - challenges.since >= CHALLENGE_PERIOD) {
      challenges.since = now;
      challenges.count = 0;
    }
    if (challenges.count >= this.config.challengeAcksPerSecond) return;
    challenges.count++;
    this.receiver.ackNow = true;
  }
}
