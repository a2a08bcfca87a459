/**
 * When a replica is looked at again although nothing happens, when its target has had time enough, and what the run is told
 * of its load.
 */
import { addTime, earliest, millis, NEVER, type Instant } from '../core/time.ts';
import type { ReplicaSession } from './replica-session.ts';
import { TimerEntry } from './timer-wheel.ts';

/** How soon a session is tried again that took nothing though nothing of it is under way: memory was short. */
const RETRY = millis(10);

/** Counted in `context.busyReplicas`, `crowdedReplicas`, `heldReplicas`, `behindReplicas`. */
const BUSY = 1;
const CROWDED = 2;
const HELD = 4;
const BEHIND = 8;
/** A unit waited, or the client had ended. Not counted. */
const PRESSED = 16;

export interface ReplicaTimerOwner {
  /** Something may go on by now. */
  lookAgain(): void;
  /** The target has been waited for as long as it may be. */
  patienceOver(): void;
}

export class ReplicaTimer extends TimerEntry {
  readonly #session: ReplicaSession;
  readonly #owner: ReplicaTimerOwner;
  #giveUpAt: Instant = NEVER;
  /** Where the context counts this replica, and whether it was pressed when the timer was last set: bits. */
  #load = 0;

  constructor(session: ReplicaSession, owner: ReplicaTimerOwner) {
    super();
    this.#session = session;
    this.#owner = owner;
  }

  /** The target has done something: its time begins anew. */
  targetActed(): void {
    this.#giveUpAt = NEVER;
  }

  /** Everything was looked at: until when nothing need be. */
  set(): void {
    const waitsFor = this.waitsFor();
    const held =
      this.#session.ending !== undefined ||
      this.#session.units.length > 1 ||
      this.#session.units.first?.released === false;
    const busy = waitsFor === 'target';
    const wasPressed = (this.#load & PRESSED) !== 0;
    this.tellLoad(
      (held ? PRESSED : 0) |
        (busy ? BUSY : 0) |
        (this.#session.units.crowded ? CROWDED : 0) |
        (this.waitsToBeSent() ? HELD : 0) |
        (busy && held ? BEHIND : 0),
    );
    if (waitsFor === 'nobody' || this.isDelayed()) this.#giveUpAt = NEVER;
    else if (this.#giveUpAt === NEVER || (held && !wasPressed)) {
      const latest = addTime(this.#session.context.now(), this.#session.context.patience(held));
      this.#giveUpAt = earliest(this.#giveUpAt, latest);
    }
    this.#session.context.wheel.schedule(this, earliest(this.#giveUpAt, this.lookAt()));
  }

  /** The replica is done. */
  stop(): void {
    this.tellLoad(0);
    this.#session.context.wheel.schedule(this, NEVER);
  }

  timerFired(now: Instant): void {
    if (now < this.#giveUpAt) {
      this.#owner.lookAgain();
      return;
    }
    this.#giveUpAt = NEVER;
    this.#owner.patienceOver();
  }

  /**
   * Whom the oldest unit waits for. The client: all we have of it is delivered and it is not answered, but more of it may
   * come.
   */
  private waitsFor(): 'nobody' | 'client' | 'target' {
    const unit = this.#session.units.first;
    if (unit === undefined) return 'nobody';
    if (this.#session.units.length > 1 || !unit.released || !this.#session.isOpen) return 'target';
    if (unit.sent < unit.length || !this.#session.hasAll(unit)) return 'target';
    if (!this.#session.context.expectsResponses || this.#session.hasAnswered(unit)) return 'nobody';
    return unit.ended ? 'target' : 'client';
  }

  /** The target has answered all it was sent, and the next unit is held back: nobody loses patience. */
  private isDelayed(): boolean {
    const unit = this.#session.units.first;
    return unit?.released === false && unit.notBefore !== undefined && unit.notBefore > this.#session.context.now();
  }

  /** When to look again although nothing happens; NEVER when only events can change anything. */
  private lookAt(): Instant {
    const next = this.#session.units.current;
    const session = this.#session;
    const { turn } = session;
    const now = this.#session.context.now();
    if (next?.released === false && next.notBefore !== undefined && next.notBefore > now) return next.notBefore;
    if (!session.isOpen || session.closing) return NEVER;
    const hold = next?.released === true ? next.hold : undefined;
    if (hold !== undefined && next!.sent >= hold.at) return earliest(hold.until, turn.quietAt);
    if (session.hasBytesToSend) return session.acknowledged < session.sent ? NEVER : addTime(now, RETRY);
    if (session.readsTurns) return NEVER;
    const { ending } = session;
    if (next === undefined && ending !== undefined) return ending.lookAt;
    return next === undefined || next.released ? NEVER : turn.quietAt;
  }

  /** What was captured goes out when the target has done something: responded, or accepted the session. */
  private waitsToBeSent(): boolean {
    if (this.#session.units.length === 0) return false;
    if (this.#session.isOpen && this.#session.acknowledged === 0) return true;
    return this.#session.units.current?.released === false;
  }

  /** Keeps the figures of the context. */
  private tellLoad(load: number): void {
    const changed = load ^ this.#load;
    if (changed === 0) return;
    const { context } = this.#session;
    if ((changed & BUSY) !== 0) context.busyReplicas += (load & BUSY) !== 0 ? 1 : -1;
    if ((changed & CROWDED) !== 0) context.crowdedReplicas += (load & CROWDED) !== 0 ? 1 : -1;
    if ((changed & HELD) !== 0) context.heldReplicas += (load & HELD) !== 0 ? 1 : -1;
    if ((changed & BEHIND) !== 0) context.behindReplicas += (load & BEHIND) !== 0 ? 1 : -1;
    this.#load = load;
  }
}
