/** Releases the units of a replica one after another, and hands their bytes to its session. */
import { addTime, seconds } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { Conversation } from './conversation.ts';
import type { ReplicaSession } from './replica-session.ts';
import { settleCurrent } from './unit-settler.ts';
import type { Unit } from './unit.ts';

/** How long the target is waited for where the client waited in the middle of a message (RFC 9110 §10.1.1). */
const LONGEST_HOLD = seconds(1);

const NOTHING = new Uint8Array(0);

/** Hands over a piece of the last unit where nothing is before it; returns how many bytes went. */
export function sendAtOnce(session: ReplicaSession, unit: Unit, piece: Piece): number {
  const free = unit.hold === undefined && session.units.hasNoBytes;
  if (!free || !unit.released || session.units.current !== unit) return 0;
  return session.take(piece.bytes, piece.offset, piece.length);
}

/** Sends all that may go now. */
export function sendUnits(session: ReplicaSession): void {
  const { units } = session;
  if (!session.sendOwn()) return;
  for (let unit = units.current; unit !== undefined; unit = units.current) {
    if (!unit.released && !release(session, unit)) {
      if (units.current === unit) break;
      continue;
    }
    if (unit.sendable > 0) units.drain(unit.sendable, session);
    if (mayGoOn(session, unit) && unit.sendable > 0) units.drain(unit.sendable, session);
    if (!unit.handedOver) break;
    units.advance();
    if (!session.sendOwn()) break;
  }
}

/** The client waited here, inside the unit, for the server to say `answers` bytes: so does the rest of it. */
export function holdUnit(session: ReplicaSession, unit: Unit, answers: number): void {
  unit.hold = { at: unit.length, answers, until: addTime(session.context.now(), LONGEST_HOLD) };
  session.seenOnline += answers;
}

/** Whether a unit held inside may go on; from then on the target's bytes answer the rest of it. */
function mayGoOn(session: ReplicaSession, unit: Unit): boolean {
  const { hold } = unit;
  if (hold === undefined) return true;
  if (unit.sent < hold.at) return false;
  const now = session.context.now();
  if (!session.turn.isOver(hold.answers, now) && now < hold.until) return false;
  unit.hold = undefined;
  session.beginTurn(unit);
  return true;
}

/** Makes a queued unit the session's; false when it must wait, or was settled because no session is to be had. */
function release(session: ReplicaSession, unit: Unit): boolean {
  if (unit.notBefore !== undefined && unit.notBefore > session.context.now()) return false;
  const { conversation } = session;
  if (unit.sameSession && session.outOfReach !== undefined) {
    settleCurrent(session, session.outOfReach);
    return false;
  }
  // The dialogue will want to see how it begins.
  if (conversation?.prepares === true && unit.length === 0 && !unit.ended) return false;
  if (session.isOpen) {
    if (session.closing || session.units.isBroken) return false;
    if (!session.hasSaidWhatWasSeenBefore(unit)) return false;
  } else {
    const failure = session.open();
    if (failure !== undefined) {
      settleCurrent(session, failure);
      return false;
    }
  }
  if (conversation?.prepares === true && !prepare(session, unit, conversation)) return false;
  session.carried = true;
  session.outOfReach = undefined;
  unit.start = session.sent;
  // What the first one answers was said in the session before.
  if (session.sent > 0) session.seenOnline += unit.answers;
  unit.receivedBefore = session.turn.received;
  session.context.released(unit.captured);
  return true;
}

/** Asks the dialogue about the unit whose turn it is, and does as it says; false when the unit does not go now. */
function prepare(session: ReplicaSession, unit: Unit, conversation: Conversation): boolean {
  const { units } = session;
  const head = (unit.length > 0 ? units.bytes.first : undefined) ?? NOTHING;
  const said = conversation.prepare({ message: unit.request?.message, bytes: head });
  // What it has to say itself goes first, and may be what the unit has to wait for.
  const ownSent = session.sendOwn();
  if (said === 'wait' || !ownSent) {
    unit.waits = true;
    return false;
  }
  if (said === 'send') return true;
  if ('refuse' in said) {
    session.owner.notReplayable(said.refuse, false);
    settleCurrent(session, 'not-replayable');
    return false;
  }
  const whole = said.instead === 'whole';
  const replaced = whole ? unit.length : head.length;
  units.discard(replaced);
  units.bytes.prepend(said.bytes);
  unit.length += said.bytes.length - replaced;
  if (whole && !unit.ended) units.endLast();
  return true;
}
