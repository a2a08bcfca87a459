/** One session of the raw target: the TCP state machine, its owner, its timer and its place in the transmit list. */
import type { Endpoint } from '../core/ip-address.ts';
import type { Instant } from '../core/time.ts';
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
} from '../session/session-event.ts';
import type { Session } from '../session/session.ts';
import type { Segment } from '../wire/segment.ts';
import type { SessionEnd, SessionOwner, TargetSession } from './target.ts';
import { TimerEntry } from './timer-wheel.ts';

/** What a session needs of the target that holds it. */
export interface RawSessionHost {
  now(): Instant;
  /** The session has something to send, or a timer that moved. */
  touched(session: RawSession): void;
  /** The first bytes of the session: `ours`, or the target's. */
  spoke(session: RawSession, ours: boolean): void;
  /** The state machine is done: free the port. */
  gone(session: RawSession): void;
}

export class RawSession extends TimerEntry implements TargetSession {
  readonly machine: Session;
  readonly remote: Endpoint;
  /** Index of the source address, and the leased port: together the session's key. */
  readonly addressIndex: number;
  readonly port: number;
  /** In the transmit list already. */
  listed = false;
  /** Nothing of this session may be sent any more. */
  silenced = false;
  /** Counted among those whose window the target has shut. */
  shutOut = false;
  /** Packets of this session that the kernel refused to send. */
  sendFailures = 0;
  readonly #host: RawSessionHost;
  #owner: SessionOwner | undefined;
  /** Somebody has said something. */
  #spoken = false;
  #over = false;

  constructor(
    host: RawSessionHost,
    owner: SessionOwner,
    machine: Session,
    remote: Endpoint,
    addressIndex: number,
    port: number,
  ) {
    super();
    this.#host = host;
    this.#owner = owner;
    this.machine = machine;
    this.remote = remote;
    this.addressIndex = addressIndex;
    this.port = port;
  }

  /** The machine has ended and the port is free again. */
  get over(): boolean {
    return this.#over;
  }

  get acknowledged(): number {
    return this.machine.acknowledged;
  }

  send(bytes: Uint8Array, offset: number, length: number): number {
    const taken = this.machine.send(bytes, offset, length);
    if (taken > 0) {
      if (!this.#spoken) this.noteFirst(true);
      this.#host.touched(this);
    }
    return taken;
  }

  close(): void {
    this.machine.close();
    this.#host.touched(this);
  }

  abort(): void {
    this.#owner = undefined;
    this.machine.abort();
    this.#host.touched(this);
  }

  handleSegment(now: Instant, segment: Segment): void {
    this.machine.handleSegment(now, segment);
    this.drainEvents();
    this.#host.touched(this);
  }

  timerFired(now: Instant): void {
    this.machine.handleTimeout(now);
    this.drainEvents();
    this.#host.touched(this);
  }

  /** The path carries packets of at most `mtu` bytes. */
  shrinkMtu(mtu: number): void {
    this.machine.handleMtu(this.#host.now(), mtu);
    this.#host.touched(this);
  }

  /** No response can reach this session any more: forget it without a word to the target. */
  lost(): void {
    this.silenced = true;
    // For what it has buffered; the reset it would send stays unsent.
    this.machine.abort();
    this.ended('timed-out');
  }

  /** Tells the owner what the machine has to tell. */
  drainEvents(): void {
    let progressed = false;
    for (let event = this.machine.poll(); event !== EVENT_NONE; event = this.machine.poll()) {
      progressed = event === EVENT_CONNECTED || event === EVENT_ACKED;
      if (!progressed) this.tell(event);
    }
    // Behind anything else the owner has looked at everything already.
    if (progressed) this.#owner?.sessionProgressed();
  }

  private tell(event: SessionEvent): void {
    switch (event) {
      case EVENT_DATA: {
        if (!this.#spoken) this.noteFirst(false);
        const { bytes, offset, length, push } = this.machine.received;
        this.#owner?.sessionReceived(bytes, offset, length, push);
        break;
      }
      case EVENT_PEER_FIN:
        this.#owner?.sessionPeerClosed();
        break;
      case EVENT_CLOSED:
        this.ended('closed');
        break;
      case EVENT_REFUSED:
        this.ended('refused');
        break;
      case EVENT_RESET:
        this.ended('reset');
        break;
      case EVENT_TIMED_OUT:
        this.ended(this.sendFailures > 0 ? 'send-failed' : 'timed-out');
        break;
    }
  }

  private noteFirst(ours: boolean): void {
    this.#spoken = true;
    this.#host.spoke(this, ours);
  }

  private ended(end: SessionEnd): void {
    if (this.#over) return;
    this.#over = true;
    const owner = this.#owner;
    this.#owner = undefined;
    this.#host.gone(this);
    owner?.sessionEnded(end);
  }
}

/** The next smaller of the usual path MTUs (RFC 1191 §7.1), for a kernel that does not say which one it wants. */
export function nextLowerMtu(size: number): number {
  for (const mtu of [9_000, 4_352, 1_500, 1_492, 1_400, 1_280, 1_006, 576, 508, 296]) if (mtu < size) return mtu;
  return 68;
}
