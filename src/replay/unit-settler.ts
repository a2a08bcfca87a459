/** Says what became of units, each once, and gives up what is held for them. */
import type { UnitBucket } from '../report/ledger.ts';
import type { ReadRequest } from './exchange.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { SessionEnd } from './target.ts';
import type { Unit } from './unit.ts';

export class UnitSettler {
  readonly #session: ReplicaSession;

  constructor(session: ReplicaSession) {
    this.#session = session;
  }

  /**
   * Settles, oldest first, the units that are delivered and answered, or to which no answer will come. Returns whether a
   * broken one ended the session: then the next can be released.
   */
  answered(): boolean {
    const session = this.#session;
    if (!session.isOpen) return false;
    for (let unit = this.#session.units.first; unit !== undefined; unit = this.#session.units.first) {
      const whole = unit.released && unit.handedOver;
      if (!whole || !session.hasAll(unit)) return false;
      if (unit.broken !== undefined) {
        session.abort();
        session.over(unit.broken);
        this.#first(unit.broken);
        return true;
      }
      const answered = session.hasAnswered(unit);
      if (!answered && this.#session.context.expectsResponses) return false;
      this.#first(answered ? 'answered' : 'unanswered');
    }
    return false;
  }

  /** The session has ended: all units released into it are over, too. */
  released(end: SessionEnd): void {
    const { units } = this.#session;
    for (let unit = units.first; unit?.released === true; unit = units.first) {
      const delivered = this.#isDelivered(unit);
      if (!unit.ended) {
        units.discarding = true;
        units.cutShort = delivered;
      }
      if (unit.broken !== undefined) this.#first(unit.broken);
      else if (delivered && this.#session.hasAnswered(unit)) this.#first('answered');
      else if (delivered && (end === 'closed' || end === 'timed-out')) this.#first('unanswered');
      else this.#first(end === 'closed' ? 'reset' : end);
    }
  }

  /** A unit waits in vain for a session that ended before its dialogue let anything go: the next one has its own try. */
  waiting(bucket: UnitBucket): void {
    const unit = this.#session.units.first;
    if (unit?.waits === true && !unit.released && !this.#session.carried) this.current(bucket);
  }

  /** The unit whose turn it is does not go. */
  current(bucket: UnitBucket): void {
    this.#session.outOfReach = bucket;
    this.#settle(this.#session.units.removeCurrent(), bucket);
  }

  /** The unit being captured does not go; `refused` bytes of it found no place in the queue. */
  last(bucket: UnitBucket, refused: number): void {
    this.#settle(this.#session.units.removeLast(refused), bucket);
  }

  /** Gives up all of them. */
  all(bucket: UnitBucket): void {
    for (let unit = this.#session.units.first; unit !== undefined; unit = this.#session.units.first)
      this.#first(unit.broken ?? bucket);
  }

  /** The same, but what the target has is `unanswered`. */
  undelivered(bucket: UnitBucket): void {
    for (let unit = this.#session.units.first; unit !== undefined; unit = this.#session.units.first) {
      this.#first(unit.broken ?? (this.#isDelivered(unit) ? 'unanswered' : bucket));
    }
  }

  /** A unit that never was in the queue. */
  lost(bucket: UnitBucket, request?: ReadRequest): void {
    this.#session.context.ledger.unitsOpened++;
    request?.exchange?.targetSettled(undefined);
    this.#session.owner.unitSettled(bucket);
  }

  #first(bucket: UnitBucket): void {
    const unit = this.#session.units.removeFirst();
    this.#session.context.ledger.bytesDelivered += bucket === 'answered' || bucket === 'unanswered' ? unit.length : 0;
    this.#settle(unit, bucket);
  }

  #settle(unit: Unit, bucket: UnitBucket): void {
    unit.request?.exchange?.targetSettled(unit.response);
    if (bucket === 'answered') this.#session.context.answered(unit.captured);
    this.#session.owner.unitSettled(bucket);
  }

  /** Whether the target has acknowledged all of a unit that was captured. */
  #isDelivered(unit: Unit): boolean {
    return unit.released && unit.sent > 0 && unit.sent === unit.length && this.#session.hasAll(unit);
  }
}
