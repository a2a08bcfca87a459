/** Releases the units of a replica one after another, and hands their bytes to its session. */
import { addTime, seconds } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { Conversation } from './conversation.ts';
import type { PieceTaker } from './piece-queue.ts';
import type { ReplicaSession } from './replica-session.ts';
import type { SessionOwner } from './target.ts';
import type { UnitSettler } from './unit-settler.ts';
import type { Unit } from './unit.ts';

/** How long the target is waited for where the client waited in the middle of a message (RFC 9110 §10.1.1). */
const LONGEST_HOLD = seconds(1);

const NOTHING = new Uint8Array(0);

export class UnitSender implements PieceTaker {
  readonly #session: ReplicaSession;
  readonly #settle: UnitSettler;
  /** Who is told of the events of sessions. */
  readonly #hears: SessionOwner;
  /** Units were left out: what the client had seen answered may have been those. */
  skipped = false;

  constructor(session: ReplicaSession, settle: UnitSettler, hears: SessionOwner) {
    this.#session = session;
    this.#settle = settle;
    this.#hears = hears;
  }

  /** Hands bytes of the unit being sent to the session; returns how many it took. */
  take(bytes: Uint8Array, offset: number, length: number): number {
    const session = this.#session;
    const { units } = session;
    const unit = units.current!;
    const start = session.sent;
    const taken = session.send(bytes, offset, length);
    if (taken > 0 && unit.sent === 0) session.beginUnit(unit, start);
    unit.sent += taken;
    return taken;
  }

  /** Hands over a piece of the last unit where nothing is before it; returns how many bytes went. */
  sendAtOnce(unit: Unit, piece: Piece): number {
    const free = unit.hold === undefined && this.#session.units.hasNoBytes;
    if (!free || !unit.released || this.#session.units.current !== unit) return 0;
    return this.take(piece.bytes, piece.offset, piece.length);
  }

  /** Sends all that may go now. */
  send(): void {
    const { units } = this.#session;
    if (!this.#session.sendOwn()) return;
    for (let unit = units.current; unit !== undefined; unit = units.current) {
      if (!unit.released && !this.#release(unit)) {
        if (units.current === unit) break;
        continue;
      }
      if (unit.sendable > 0) units.drain(unit.sendable, this);
      if (this.#mayGoOn(unit) && unit.sendable > 0) units.drain(unit.sendable, this);
      if (!unit.handedOver) break;
      units.advance();
      if (!this.#session.sendOwn()) break;
    }
  }

  /** The client waited here, inside the unit, for the server to say `answers` bytes: so does the rest of it. */
  hold(unit: Unit, answers: number): void {
    unit.hold = { at: unit.length, answers, until: addTime(this.#session.context.now(), LONGEST_HOLD) };
    this.#session.seenOnline += answers;
  }

  /** Whether a unit held inside may go on; from then on the target's bytes answer the rest of it. */
  #mayGoOn(unit: Unit): boolean {
    const { hold } = unit;
    if (hold === undefined) return true;
    if (unit.sent < hold.at) return false;
    const now = this.#session.context.now();
    if (!this.#session.turn.isOver(hold.answers, now) && now < hold.until) return false;
    unit.hold = undefined;
    this.#session.beginTurn(unit);
    return true;
  }

  /** Makes a queued unit the session's; false when it must wait, or was settled because no session is to be had. */
  #release(unit: Unit): boolean {
    if (unit.notBefore !== undefined && unit.notBefore > this.#session.context.now()) return false;
    const session = this.#session;
    const { conversation } = session;
    if (unit.sameSession && session.outOfReach !== undefined) {
      this.#settle.current(session.outOfReach);
      return false;
    }
    // The dialogue will want to see how it begins.
    if (conversation?.prepares === true && unit.length === 0 && !unit.ended) return false;
    if (session.isOpen) {
      if (session.closing || this.#session.units.isBroken) return false;
      if (!session.hasSaidWhatWasSeenBefore(unit, this.skipped)) return false;
    } else {
      const failure = session.open(this.#hears);
      if (failure !== undefined) {
        this.#settle.current(failure);
        return false;
      }
    }
    if (conversation?.prepares === true && !this.#prepare(unit, conversation)) return false;
    session.carried = true;
    session.outOfReach = undefined;
    unit.start = session.sent;
    // What the first one answers was said in the session before.
    if (session.sent > 0) session.seenOnline += unit.answers;
    unit.receivedBefore = session.turn.received;
    this.#session.context.released(unit.captured);
    return true;
  }

  /** Asks the dialogue about the unit whose turn it is, and does as it says; false when the unit does not go now. */
  #prepare(unit: Unit, conversation: Conversation): boolean {
    const { units } = this.#session;
    const head = (unit.length > 0 ? units.bytes.first : undefined) ?? NOTHING;
    const said = conversation.prepare({ message: unit.request?.message, bytes: head });
    // What it has to say itself goes first, and may be what the unit has to wait for.
    const ownSent = this.#session.sendOwn();
    if (said === 'wait' || !ownSent) {
      unit.waits = true;
      return false;
    }
    if (said === 'send') return true;
    if ('refuse' in said) {
      this.#session.owner.notReplayable(said.refuse, false);
      this.#settle.current('not-replayable');
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
}
