/**
 * When a replica is looked at again although nothing happens, when its target has had time enough, and what the run is told
 * of its load.
 */
import { addTime, earliest, millis, NEVER, type Instant } from '../core/time.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { SessionClosing } from './session-closing.ts';
import { TimerEntry } from './timer-wheel.ts';
import type { UnitQueue } from './unit-queue.ts';

/** How soon a session is tried again that took nothing though nothing of it is under way: memory was short. */
const RETRY = millis(10);

export interface ReplicaTimerOwner {
  /** Something may go on by now. */
  lookAgain(): void;
  /** The target has been waited for as long as it may be. */
  patienceOver(): void;
}

export class ReplicaTimer extends TimerEntry {
  readonly #context: ReplayContext;
  readonly #owner: ReplicaTimerOwner;
  readonly #units: UnitQueue;
  readonly #session: ReplicaSession;
  readonly #closing: SessionClosing;
  #giveUpAt: Instant = NEVER;
  /** A unit waited, or the client had ended, when the timer was last set. */
  #held = false;
  /** Counted in `context.busyReplicas`, in `crowdedReplicas`, in `heldReplicas`, and in `behindReplicas`. */
  #busy = false;
  #crowded = false;
  #waiting = false;
  #behind = false;

  constructor(
    context: ReplayContext,
    owner: ReplicaTimerOwner,
    units: UnitQueue,
    session: ReplicaSession,
    closing: SessionClosing,
  ) {
    super();
    this.#context = context;
    this.#owner = owner;
    this.#units = units;
    this.#session = session;
    this.#closing = closing;
  }

  /** The target has done something: its time begins anew. */
  targetActed(): void {
    this.#giveUpAt = NEVER;
  }

  /** Everything was looked at: until when nothing need be. */
  set(): void {
    const waitsFor = this.#waitsFor();
    const held = this.#closing.isDue || this.#units.length > 1 || this.#units.first?.released === false;
    this.#tellLoad(waitsFor === 'target', this.#units.bytes.crowded, this.#waitsToBeSent(), held);
    if (waitsFor === 'nobody' || this.#isDelayed) this.#giveUpAt = NEVER;
    else if (this.#giveUpAt === NEVER || (held && !this.#held)) {
      const latest = addTime(this.#context.now(), this.#context.patience(held));
      this.#giveUpAt = earliest(this.#giveUpAt, latest);
    }
    this.#held = held;
    this.#context.wheel.schedule(this, earliest(this.#giveUpAt, this.#lookAt()));
  }

  /** The replica is done. */
  stop(): void {
    this.#tellLoad(false, false, false, false);
    this.#context.wheel.schedule(this, NEVER);
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
  #waitsFor(): 'nobody' | 'client' | 'target' {
    const unit = this.#units.first;
    if (unit === undefined) return 'nobody';
    if (this.#units.length > 1 || !unit.released || !this.#session.isOpen) return 'target';
    if (unit.sent < unit.length || !this.#session.hasAll(unit)) return 'target';
    if (!this.#context.expectsResponses || this.#session.hasAnswered(unit)) return 'nobody';
    return unit.ended ? 'target' : 'client';
  }

  /** The target has answered all it was sent, and the next unit is held back: nobody loses patience. */
  get #isDelayed(): boolean {
    const unit = this.#units.first;
    return unit?.released === false && unit.notBefore !== undefined && unit.notBefore > this.#context.now();
  }

  /** When to look again although nothing happens; NEVER when only events can change anything. */
  #lookAt(): Instant {
    const next = this.#units.current;
    const session = this.#session;
    const { turn } = session;
    const now = this.#context.now();
    if (next?.released === false && next.notBefore !== undefined && next.notBefore > now) return next.notBefore;
    if (!session.isOpen || session.closing) return NEVER;
    const hold = next?.released === true ? next.hold : undefined;
    if (hold !== undefined && next!.sent >= hold.at) return earliest(hold.until, turn.quietAt);
    if (session.hasBytesToSend) return session.acknowledged < session.sent ? NEVER : addTime(now, RETRY);
    if (session.readsTurns) return NEVER;
    if (next === undefined && this.#closing.isDue) return earliest(session.closeAt, this.#closing.latest);
    return next === undefined || next.released ? NEVER : turn.quietAt;
  }

  /** What was captured goes out when the target has done something: responded, or accepted the session. */
  #waitsToBeSent(): boolean {
    if (this.#units.length === 0) return false;
    if (this.#session.isOpen && this.#session.acknowledged === 0) return true;
    return this.#units.current?.released === false;
  }

  /** Keeps the figures of the context. */
  #tellLoad(busy: boolean, crowded: boolean, waiting: boolean, held: boolean): void {
    const behind = busy && held;
    if (busy !== this.#busy) this.#context.busyReplicas += busy ? 1 : -1;
    if (crowded !== this.#crowded) this.#context.crowdedReplicas += crowded ? 1 : -1;
    if (waiting !== this.#waiting) this.#context.heldReplicas += waiting ? 1 : -1;
    if (behind !== this.#behind) this.#context.behindReplicas += behind ? 1 : -1;
    this.#busy = busy;
    this.#crowded = crowded;
    this.#waiting = waiting;
    this.#behind = behind;
  }
}
