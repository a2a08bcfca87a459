/**
 * One copy of one connection: the units a client sent, put into sessions to the target.
 *
 * Theory of operation. Units are queued in the order they were captured and *released* one after another. A unit that
 * answers something the server said (`answers` > 0) is held until the target has said as much: where responses are read
 * (conversation), whole responses to all that was sent; else as many bytes as the client had seen and a PSH, or a quiet
 * where the target's response is shorter or pushes nothing. Released bytes go straight into the session; what does not fit
 * waits in the queue. A unit is *settled*, once, when its fate is known. A session that ends takes the units released into
 * it along; the next unit opens a fresh one.
 *
 * A unit that only makes sense behind the one before it (the bytes of a tunnel) gets no fresh session: where that one was
 * lost, or its session is over, it is counted with it.
 *
 * A unit of which the capture lost bytes is *broken*. What there is of it is sent when part of it was, or in a recording,
 * where what is sent must not depend on how fast the target is. When that has arrived, and all before it is answered,
 * the session is reset, so that nobody takes the half for the whole; the next unit opens a fresh session.
 *
 *     begin → (queued) → release → (sent) → settle
 *                 └ no session to be had, or the queue is full ─┘
 *
 * This file turns events of the client and of the session into one look at everything (`#pump`). What there is to look at:
 * the units (unit-queue) and the session (replica-session); who acts on it: unit-sender, unit-settler, session-closing,
 * replica-timer.
 */
import { addTime, type Duration } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { ServerMessage } from '../protocol/response-reader.ts';
import type { UnitBucket } from '../report/ledger.ts';
import type { ReadRequest } from './exchange.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ClientEnd, ReplicaOwner } from './replica-owner.ts';
import { ReplicaSession } from './replica-session.ts';
import { ReplicaTimer, type ReplicaTimerOwner } from './replica-timer.ts';
import { SessionClosing } from './session-closing.ts';
import type { SessionEnd, SessionOwner } from './target.ts';
import { holdUnit, sendAtOnce, sendUnits } from './unit-sender.ts';
import {
  settleAll,
  settleAnswered,
  settleLast,
  settleLost,
  settleReleased,
  settleUndelivered,
  settleWaiting,
} from './unit-settler.ts';
import { newUnit } from './unit.ts';

export class Replica implements SessionOwner, ReplicaTimerOwner {
  readonly #session: ReplicaSession;
  readonly #timer: ReplicaTimer;
  /** The dialogue has given up: nothing more of this copy is sent. */
  #failed = false;
  /** Where that was counted which is missing before what is captured next; `undefined`: nothing is. */
  #severed: UnitBucket | undefined;
  #done = false;

  constructor(context: ReplayContext, owner: ReplicaOwner, index: number) {
    this.#session = new ReplicaSession(context, owner, index, this);
    this.#timer = new ReplicaTimer(this.#session, this);
  }

  /** Opens a session ahead of the first unit, as the client did. */
  openEarly(): void {
    this.#session.open();
  }

  /**
   * Takes one piece of client data; its bytes are copied. `delay`: to hold the message it begins back for. `request`:
   * that message, where its response is read.
   */
  push(piece: Piece, delay?: Duration, request?: ReadRequest): void {
    if (this.#done) return;
    if (this.#failed) {
      if (piece.first) settleLost(this.#session, 'login-failed', request);
      return;
    }
    const units = this.#session.units;
    if (piece.first) {
      if (this.#severed !== undefined && piece.sameSession === true) {
        settleLost(this.#session, this.#severed, request);
        this.#session.units.endLast();
        this.#pump();
        return;
      }
      this.#severed = undefined;
      this.#begin(piece, delay, request);
    } else if (units.cutShort) this.#countRest();
    if (units.discarding) return;
    const unit = units.last!;
    if (piece.awaits !== undefined && piece.awaits > 0 && this.#session.context.waitsForResponse)
      holdUnit(this.#session, unit, piece.awaits);
    const taken = sendAtOnce(this.#session, unit, piece);
    const rest = piece.length - taken;
    unit.length += piece.length;
    if (rest > 0) {
      const { bytes } = units;
      const refused = bytes.refuses(rest);
      if (refused !== undefined) {
        this.#loseLast(refused, rest);
        return;
      }
      bytes.push(piece.bytes, piece.offset + taken, rest);
    }
    if (piece.last) units.endLast();
    this.#pump();
  }

  /** The unit that begins now is not for this target; its pieces are ignored. `bucket`: where it is counted. */
  skip(bucket: UnitBucket): void {
    this.#session.units.endLast();
    this.sever(bucket);
    this.passOver();
  }

  /** What only makes sense behind what came until now is lost, for want of something counted in `bucket`. */
  sever(bucket: UnitBucket): void {
    this.#severed = bucket;
  }

  /** Messages are missing before what comes next: what the client had seen may have answered those. */
  passOver(): void {
    this.#session.skipped = true;
    this.#pump();
  }

  /**
   * The capture lost bytes of the unit being captured: it must not reach the target as if whole. `unframed`: nobody knows
   * where it ends, so what is missing may belong to the next.
   */
  breakUnit(bucket: UnitBucket, unframed: boolean): void {
    if (this.#session.units.discarding) return;
    const unit = this.#session.units.last!;
    if (unit.sent === 0 && !this.#session.context.repeatable) {
      this.#loseLast(bucket, 0);
      return;
    }
    this.#session.units.endLast();
    // Such a unit the target had all of when it has answered; a framed one it answers early (413, 100 Continue).
    if (unframed && !this.#session.context.repeatable) settleAnswered(this.#session);
    if (this.#session.units.length > 0) unit.broken = bucket;
    else this.#abort(bucket);
    this.#pump();
  }

  /** The client is done. `answers`: bytes of the server's that it had seen since its last message began; Infinity: unknown. */
  clientEnded(end: ClientEnd, answers: number): void {
    if (this.#session.ending !== undefined) return;
    this.#session.ending = new SessionClosing(this.#session, end, answers);
    this.#session.units.endLast();
    this.#pump();
  }

  /** Gives up whatever is left: what the target has and did not answer is unanswered, the rest goes to `bucket`. */
  stop(bucket: UnitBucket): void {
    if (this.#done) return;
    this.#session.units.endLast();
    settleAnswered(this.#session);
    settleUndelivered(this.#session, bucket);
    this.#abort(bucket);
    this.#finish();
  }

  sessionProgressed(): void {
    if (this.#done) return;
    this.#timer.targetActed();
    this.#pump();
  }

  sessionReceived(bytes: Uint8Array | undefined, offset: number, length: number, push: boolean): void {
    if (this.#done) return;
    const { turn, conversation, context } = this.#session;
    const now = context.now();
    if (turn.take(length, push, now)) {
      context.ledger.responses++;
      context.responseBegan(turn.time(now));
    }
    conversation?.received(bytes, offset, length);
    this.#session.takeResponses();
    // A client that has gone does not wait for the end of an endless response.
    if (this.#session.ending === undefined || conversation?.reading !== true) this.#timer.targetActed();
    this.#pump();
  }

  sessionPeerClosed(): void {
    if (this.#done) return;
    this.#session.conversation?.peerClosed();
    this.#session.takeResponses();
    this.#session.closing = true;
    this.#pump();
  }

  sessionEnded(end: SessionEnd): void {
    if (this.#done) return;
    const lost = end === 'closed' ? 'reset' : end;
    settleReleased(this.#session, end);
    settleWaiting(this.#session, lost);
    this.#session.over(lost);
    this.#pump();
  }

  /** The online server has said something; `request`: the message that it answers. */
  heardOnline(said: ServerMessage, request: unknown): void {
    const { conversation } = this.#session;
    if (this.#done || conversation === undefined) return;
    conversation.recognise();
    conversation.heardOnline(said, request);
    this.#pump();
  }

  lookAgain(): void {
    this.#pump();
  }

  patienceOver(): void {
    this.#session.abort();
    this.sessionEnded('timed-out');
  }

  /** Released at once where that is possible, so that its bytes need not be queued. */
  #begin(piece: Piece, delay: Duration | undefined, request: ReadRequest | undefined): void {
    this.#session.units.endLast();
    this.#session.context.ledger.unitsOpened++;
    const unit = newUnit(piece.answers, piece.time);
    unit.request = request;
    unit.sameSession = piece.sameSession === true;
    this.#session.conversation?.recognise();
    this.#session.takeResponses();
    if (delay !== undefined) unit.notBefore = addTime(this.#session.context.now(), delay);
    this.#session.units.add(unit);
    // The rest of a round follows when the piece is in.
    do sendUnits(this.#session);
    while (settleAnswered(this.#session));
  }

  /** What follows of a unit whose session ended under it: a unit of its own, which reaches nobody. */
  #countRest(): void {
    this.#session.units.cutShort = false;
    settleLost(this.#session, 'reset');
  }

  /**
   * The unit being captured cannot be completed: `refused` bytes of it found no place, or the capture lost some before any
   * was sent. If part of it is under way, its session ends.
   */
  #loseLast(bucket: UnitBucket, refused: number): void {
    const unit = this.#session.units.last!;
    this.#session.units.discarding = true;
    unit.ended = true;
    if (unit.sent > 0) {
      // Half a message is worse than none: the session goes, and with it what was not answered yet.
      this.#session.abort();
      settleAnswered(this.#session);
      this.#session.over(bucket);
      settleAll(this.#session, bucket);
    } else {
      this.#severed = bucket;
      settleLast(this.#session, bucket, refused);
    }
    this.#pump();
  }

  #pump(): void {
    if (this.#leaveDialogue()) return;
    settleAnswered(this.#session);
    do sendUnits(this.#session);
    while (settleAnswered(this.#session));
    if (this.#leaveDialogue()) return;
    // What the target will not answer any more is closed, once no bytes of a released unit wait.
    if (this.#session.closing && !this.#session.hasBytesToSend) this.#session.close();
    if (this.#session.ending?.closeWhenDone() === true) this.#finish();
    if (!this.#done) this.#timer.set();
  }

  /** Ends a session, or the copy, that its dialogue has given up; true when it did. */
  #leaveDialogue(): boolean {
    const { conversation } = this.#session;
    if (conversation?.prepares !== true) return false;
    const { fault, stuck } = conversation;
    if (fault === undefined) {
      if (stuck === undefined) return false;
      this.#session.abort();
      settleReleased(this.#session, 'closed');
      const lost = stuck === 'plugin-error' ? stuck : 'login-failed';
      settleWaiting(this.#session, lost);
      this.#session.over(lost);
      this.#pump();
      return true;
    }
    if (this.#failed) return false;
    this.#failed = true;
    this.#session.owner.notReplayable(fault, true);
    this.#session.units.endLast();
    this.#abort('login-failed');
    settleAll(this.#session, 'login-failed');
    this.#pump();
    return true;
  }

  #abort(lost: UnitBucket): void {
    this.#session.abort();
    this.#session.over(lost);
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#timer.stop();
    this.#session.owner.replicaDone();
  }
}
