/** Says what became of units, each once, and gives up what is held for them. */
import type { UnitBucket } from '../report/ledger.ts';
import type { ReadRequest } from './exchange.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { SessionEnd } from './target.ts';
import { giveUpUnit, type Unit } from './unit.ts';

/**
 * Settles, oldest first, the units that are delivered and answered, or to which no answer will come. Returns whether a
 * broken one ended the session: then the next can be released.
 */
export function settleAnswered(session: ReplicaSession): boolean {
  if (!session.isOpen) return false;
  for (let unit = session.units.first; unit !== undefined; unit = session.units.first) {
    const whole = unit.released && unit.handedOver;
    if (!whole || !session.hasAll(unit)) return false;
    if (unit.broken !== undefined) {
      session.abort();
      session.over(unit.broken);
      settleFirst(session, unit.broken);
      return true;
    }
    const answered = session.hasAnswered(unit);
    if (!answered && session.context.expectsResponses) return false;
    settleFirst(session, answered ? 'answered' : 'unanswered');
  }
  return false;
}

/** The session has ended: all units released into it are over, too. */
export function settleReleased(session: ReplicaSession, end: SessionEnd): void {
  const { units } = session;
  for (let unit = units.first; unit?.released === true; unit = units.first) {
    const delivered = isDelivered(session, unit);
    if (!unit.ended) {
      units.discarding = true;
      units.cutShort = delivered;
    }
    if (unit.broken !== undefined) settleFirst(session, unit.broken);
    else if (delivered && session.hasAnswered(unit)) settleFirst(session, 'answered');
    else if (delivered && (end === 'closed' || end === 'timed-out')) settleFirst(session, 'unanswered');
    else settleFirst(session, end === 'closed' ? 'reset' : end);
  }
}

/** A unit waits in vain for a session that ended before its dialogue let anything go: the next one has its own try. */
export function settleWaiting(session: ReplicaSession, bucket: UnitBucket): void {
  const unit = session.units.first;
  if (unit?.waits === true && !unit.released && !session.carried) settleCurrent(session, bucket);
}

/** The unit whose turn it is does not go. */
export function settleCurrent(session: ReplicaSession, bucket: UnitBucket): void {
  session.outOfReach = bucket;
  settle(session, session.units.removeCurrent(), bucket);
}

/** The unit being captured does not go; `refused` bytes of it found no place in the queue. */
export function settleLast(session: ReplicaSession, bucket: UnitBucket, refused: number): void {
  settle(session, session.units.removeLast(refused), bucket);
}

/** Gives up all of them. */
export function settleAll(session: ReplicaSession, bucket: UnitBucket): void {
  for (let unit = session.units.first; unit !== undefined; unit = session.units.first)
    settleFirst(session, unit.broken ?? bucket);
}

/** The same, but what the target has is `unanswered`. */
export function settleUndelivered(session: ReplicaSession, bucket: UnitBucket): void {
  for (let unit = session.units.first; unit !== undefined; unit = session.units.first) {
    settleFirst(session, unit.broken ?? (isDelivered(session, unit) ? 'unanswered' : bucket));
  }
}

/** A unit that never was in the queue. */
export function settleLost(session: ReplicaSession, bucket: UnitBucket, request?: ReadRequest): void {
  session.context.ledger.unitsOpened++;
  request?.exchange?.targetSettled(undefined);
  session.owner.unitSettled(bucket);
}

function settleFirst(session: ReplicaSession, bucket: UnitBucket): void {
  const unit = session.units.removeFirst();
  session.context.ledger.bytesDelivered += bucket === 'answered' || bucket === 'unanswered' ? unit.length : 0;
  settle(session, unit, bucket);
}

function settle(session: ReplicaSession, unit: Unit, bucket: UnitBucket): void {
  unit.request?.exchange?.targetSettled(unit.response);
  if (bucket === 'answered') session.context.answered(unit.captured);
  session.owner.unitSettled(bucket);
  giveUpUnit(unit);
}

/** Whether the target has acknowledged all of a unit that was captured. */
function isDelivered(session: ReplicaSession, unit: Unit): boolean {
  return unit.released && unit.sent > 0 && unit.sent === unit.length && session.hasAll(unit);
}
