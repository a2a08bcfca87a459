/**
 * One copy of one connection: the units a client sent, put into sessions to the target.
 *
 * Theory of operation. Units are queued in the order they were captured and *released* one after another. A unit that
 * answers something the server said (`answers` > 0) is held until the target has said as much: where responses are read
 * (conversation), whole responses to all that was sent; else as many bytes as the client had seen and a PSH, or a quiet
 * where the target's response is shorter or pushes nothing. Released bytes go straight into the session; what does not fit waits in the piece queue. A unit is *settled*, once, when its fate is
 * known. A session that ends takes the units released into it along; the next unit opens a fresh one.
 *
 * A unit of which the capture lost bytes is *broken*. What there is of it is sent when part of it was, or in a recording,
 * where what is sent must not depend on how fast the target is. When that has arrived, and all before it is answered,
 * the session is reset, so that nobody takes the half for the whole; the next unit opens a fresh session.
 *
 *     begin → (queued) → release → (sent) → settle
 *                 └ no session to be had, or the queue is full ─┘
 */
import type { Endpoint } from '../core/ip-address.ts';
import { addTime, earliest, elapsed, millis, NEVER, seconds, type Duration, type Instant } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { ServerMessage } from '../protocol/response-reader.ts';
import type { UnitBucket } from '../report/ledger.ts';
import { Conversation, type ConversationOwner } from './conversation.ts';
import type { ReadRequest } from './exchange.ts';
import { PieceQueue } from './piece-queue.ts';
import type { ReplayContext } from './replay-context.ts';
import { ResponseTurn } from './response-turn.ts';
import type { SessionEnd, SessionOwner, TargetSession } from './target.ts';
import { TimerEntry } from './timer-wheel.ts';
import { Unit } from './unit.ts';

/** Most that one replica may hold back, bytes: a slow target costs this much per connection, no more. */
const QUEUE_LIMIT = 16 << 20;
/** How long the target is waited for where the client waited in the middle of a message (RFC 9110 §10.1.1). */
const LONGEST_HOLD = seconds(1);
/** How soon a session is tried again that took nothing though nothing of it is under way: memory was short. */
const RETRY = millis(10);

const NOTHING = new Uint8Array(0);

/** How the client ended the connection: FIN, RST, or no more was captured of it. */
export type ClientEnd = 'fin' | 'rst' | 'gone';

export interface ReplicaOwner extends ConversationOwner {
  readonly client: Endpoint;
  readonly target: Endpoint;
  /** A message of the target's has been read. */
  responseRead(message: unknown): void;
  /** A request cannot be replayed, or (`all`) nothing on this copy can. */
  notReplayable(reason: string, all: boolean): void;
  unitSettled(bucket: UnitBucket): void;
  replicaDone(): void;
}

export class Replica extends TimerEntry implements SessionOwner {
  readonly #context: ReplayContext;
  readonly #owner: ReplicaOwner;
  readonly #index: number;
  readonly #queue: PieceQueue;
  readonly #units: Unit[] = [];
  /** Index in `#units` of the one being sent. */
  #sending = 0;
  #session: TargetSession | undefined;
  /** The session takes no more units: it is closing, or the target closed it. */
  #sessionClosing = false;
  /** Bytes handed to the session. */
  #streamSent = 0;
  readonly #turn = new ResponseTurn();
  /** Reads the target's responses, where anybody asks for them. */
  readonly #conversation: Conversation | undefined;
  /** Bytes of the dialogue's own that the session has no room for, and how many of them it has. */
  #own: Uint8Array | undefined;
  #ownSent = 0;
  /** A unit went into this session: the dialogue was ready for it. */
  #carried = false;
  /** The dialogue has given up: nothing more of this copy is sent. */
  #failed = false;
  /** The rest of the unit being captured is not wanted. */
  #discarding = true;
  /** Units were left out: what the client had seen answered may have been those. */
  #skipped = false;
  /** That unit was settled as delivered when its session ended. More of it would be lost, and is counted so. */
  #cutShort = false;
  #clientEnd: ClientEnd | undefined;
  /** Bytes of the server's that the client had seen since it last sent, when it ended. */
  #endAnswers = 0;
  /** Bytes of the server's that the client had seen before it sent what is in the session now. */
  #seenOnline = 0;
  /** Then its session is closed, however much of the response is missing. */
  #closeBy: Instant = NEVER;
  #done = false;
  #giveUpAt: Instant = NEVER;
  /** A unit waited, or the client had ended, when the timer was last set. */
  #held = false;
  /** Counted in `context.busyReplicas`, in `crowdedReplicas`, and in `heldReplicas`. */
  #busy = false;
  #crowded = false;
  #waiting = false;

  /** Hands bytes of the unit being sent to the session; made once, since it runs per piece. */
  readonly #take = (bytes: Uint8Array, offset: number, length: number): number => {
    const taken = this.#session?.send(bytes, offset, length) ?? 0;
    const unit = this.#units[this.#sending]!;
    if (taken > 0 && unit.sent === 0) this.#beginUnit(unit);
    unit.sent += taken;
    this.#streamSent += taken;
    return taken;
  };

  constructor(context: ReplayContext, owner: ReplicaOwner, index: number) {
    super();
    this.#context = context;
    this.#owner = owner;
    this.#index = index;
    this.#queue = new PieceQueue(context.budget, QUEUE_LIMIT);
    this.#conversation = context.reading && new Conversation(context.reading, owner, index);
  }

  /** Opens a session ahead of the first unit, as the client did. */
  openEarly(): void {
    this.#openSession();
  }

  /**
   * Takes one piece of client data; its bytes are copied. `delay`: to hold the message it begins back for. `request`:
   * that message, where its response is read.
   */
  push(piece: Piece, delay?: Duration, request?: ReadRequest): void {
    if (this.#done) return;
    if (this.#failed) {
      if (piece.first) this.#countLost('login-failed', request);
      return;
    }
    if (piece.first) this.#begin(piece, delay, request);
    else if (this.#cutShort) this.#countRest();
    if (this.#discarding) return;
    const unit = this.#units[this.#units.length - 1]!;
    if (piece.awaits !== undefined && piece.awaits > 0 && this.#context.waitsForResponse)
      this.#hold(unit, piece.awaits);
    let taken = 0;
    const free = unit.holdAt === Infinity && this.#queue.length === 0;
    if (free && unit.released && this.#units[this.#sending] === unit) {
      taken = this.#take(piece.bytes, piece.offset, piece.length);
    }
    const rest = piece.length - taken;
    unit.length += piece.length;
    if (rest > 0) {
      const refused = this.#queue.refuses(rest);
      if (refused !== undefined) {
        this.#loseLast(refused, rest);
        return;
      }
      this.#queue.push(piece.bytes, piece.offset + taken, rest);
    }
    if (piece.last) this.#endCurrent();
    this.#pump();
  }

  /** The unit that begins now is not for this target; its pieces are ignored. */
  skip(): void {
    this.#skipped = true;
    this.#endCurrent();
    this.#pump();
  }

  /** Messages are missing before what comes next: what the client had seen may have answered those. */
  passOver(): void {
    this.#skipped = true;
    this.#pump();
  }

  /** The capture lost bytes of the unit being captured: it must not reach the target as if whole. */
  breakUnit(bucket: UnitBucket): void {
    if (this.#discarding) return;
    const unit = this.#units[this.#units.length - 1]!;
    if (unit.sent === 0 && !this.#context.repeatable) {
      this.#loseLast(bucket, 0);
      return;
    }
    this.#endCurrent();
    // What the target has answered it had all of: what is missing belongs to the next.
    if (!this.#context.repeatable) this.#settleAnswered();
    if (this.#units.length > 0) {
      unit.broken = bucket;
    } else {
      this.#session?.abort();
      this.#sessionGone();
    }
    this.#pump();
  }

  /** The client is done. `answers`: bytes of the server's that it had seen since it last sent. */
  clientEnded(end: ClientEnd, answers: number): void {
    if (this.#clientEnd !== undefined) return;
    this.#clientEnd = end;
    this.#endAnswers = answers;
    this.#closeBy = addTime(this.#context.now(), this.#context.patience(true));
    this.#endCurrent();
    this.#pump();
  }

  /** Gives up whatever is left: what the target has and did not answer is unanswered, the rest goes to `bucket`. */
  stop(bucket: UnitBucket): void {
    if (this.#done) return;
    this.#endCurrent();
    this.#settleAnswered();
    const acknowledged = this.#session?.acknowledged ?? 0;
    this.#session?.abort();
    this.#sessionGone();
    for (let unit = this.#units[0]; unit !== undefined; unit = this.#units[0]) {
      this.#settleFirst(unit.broken ?? (isDelivered(unit, acknowledged) ? 'unanswered' : bucket));
    }
    this.#finish();
  }

  sessionProgressed(): void {
    if (this.#done) return;
    this.#giveUpAt = NEVER;
    this.#pump();
  }

  sessionReceived(bytes: Uint8Array | undefined, offset: number, length: number, push: boolean): void {
    if (this.#done) return;
    if (this.#turn.take(length, push, this.#context.now())) this.#context.ledger.responses++;
    this.#conversation?.received(bytes, offset, length);
    this.#takeResponses();
    // A client that has gone does not wait for the end of an endless response.
    if (this.#clientEnd === undefined || this.#conversation?.reading !== true) this.#giveUpAt = NEVER;
    this.#pump();
  }

  sessionPeerClosed(): void {
    if (this.#done) return;
    this.#conversation?.peerClosed();
    this.#takeResponses();
    this.#sessionClosing = true;
    this.#pump();
  }

  sessionEnded(end: SessionEnd): void {
    if (this.#done) return;
    this.#settleReleased(end);
    this.#settleWaiting(end === 'closed' ? 'reset' : end);
    this.#sessionGone();
    this.#pump();
  }

  /** The online server has said something; `request`: the message that it answers. */
  heardOnline(said: ServerMessage, request: unknown): void {
    if (this.#done || this.#conversation === undefined) return;
    this.#conversation.recognise();
    this.#conversation.heardOnline(said, request);
    this.#pump();
  }

  timerFired(now: Instant): void {
    if (now >= this.#giveUpAt) {
      this.#giveUpAt = NEVER;
      this.#session?.abort();
      this.sessionEnded('timed-out');
      return;
    }
    this.#pump();
  }

  /** Released at once where that is possible, so that its bytes need not be queued. */
  #begin(piece: Piece, delay: Duration | undefined, request: ReadRequest | undefined): void {
    this.#endCurrent();
    this.#context.ledger.unitsOpened++;
    const unit = new Unit(piece.answers, piece.time);
    unit.request = request;
    this.#conversation?.recognise();
    this.#takeResponses();
    if (delay !== undefined) unit.notBefore = addTime(this.#context.now(), delay);
    this.#units.push(unit);
    this.#discarding = false;
    this.#pump();
  }

  /** The client waited here, inside the unit, for the server to speak: so does the rest of it. */
  #hold(unit: Unit, answers: number): void {
    unit.holdAt = unit.length;
    unit.holdAnswers = answers;
    this.#seenOnline += answers;
    unit.holdUntil = addTime(this.#context.now(), LONGEST_HOLD);
  }

  /** Whether a unit held inside may go on; from then on the target's bytes answer the rest of it. */
  #mayGoOn(unit: Unit): boolean {
    if (unit.holdAt === Infinity) return true;
    if (unit.sent < unit.holdAt) return false;
    const now = this.#context.now();
    if (!this.#turn.isOver(unit.holdAnswers, now) && now < unit.holdUntil) return false;
    unit.holdAt = Infinity;
    this.#beginTurn(unit);
    return true;
  }

  /** Messages that the target's last bytes have completed. */
  #takeResponses(): void {
    const conversation = this.#conversation;
    if (conversation === undefined) return;
    for (let read = conversation.next(); read !== undefined; read = conversation.next()) {
      const { message, completes } = read;
      this.#owner.responseRead(message);
      if (completes) this.#completeOldest(message);
    }
    if (conversation.closes) this.#sessionClosing = true;
  }

  /** The oldest request without a whole response has it now. */
  #completeOldest(response: unknown): void {
    for (let i = 0; i < this.#units.length; i++) {
      const unit = this.#units[i]!;
      if (!unit.isRead || unit.isAnswered) continue;
      unit.isAnswered = true;
      unit.response = { response, time: elapsed(this.#context.now(), unit.sentAt) };
      return;
    }
  }

  /** Whether the target has answered a unit, as exactly as that can be told. */
  #isAnswered(unit: Unit): boolean {
    if (unit.isAnswered) return true;
    const conversation = this.#conversation;
    if (conversation?.stuck !== undefined) return false;
    if (unit.isRead && (conversation?.reading === true || conversation?.heardAll === true)) return false;
    return this.#turn.received > unit.receivedBefore;
  }

  /** What follows of a unit whose session ended under it: a unit of its own, which reaches nobody. */
  #countRest(): void {
    this.#cutShort = false;
    this.#countLost('reset', undefined);
  }

  /** A unit that never was in the queue. */
  #countLost(bucket: UnitBucket, request: ReadRequest | undefined): void {
    this.#context.ledger.unitsOpened++;
    request?.exchange?.targetSettled(undefined);
    this.#owner.unitSettled(bucket);
  }

  /** The unit being captured is complete. */
  #endCurrent(): void {
    const unit = this.#units[this.#units.length - 1];
    if (unit !== undefined) unit.ended = true;
    this.#discarding = true;
    this.#cutShort = false;
  }

  #pump(): void {
    if (this.#leaveDialogue()) return;
    this.#settleAnswered();
    do this.#sendReleased();
    while (this.#settleAnswered());
    if (this.#leaveDialogue()) return;
    // What the target will not answer any more is closed, once no bytes of a released unit wait.
    if (this.#sessionClosing && !this.#hasBytesToSend()) this.#session?.close();
    this.#closeWhenDone();
    this.#setTimer();
  }

  #sendReleased(): void {
    if (!this.#sendOwn()) return;
    for (let unit = this.#units[this.#sending]; unit !== undefined; unit = this.#units[this.#sending]) {
      if (!unit.released && !this.#release(unit)) {
        if (this.#units[this.#sending] === unit) break;
        continue;
      }
      if (unit.sendable > 0) this.#queue.drain(unit.sendable, this.#take);
      if (this.#mayGoOn(unit) && unit.sendable > 0) this.#queue.drain(unit.sendable, this.#take);
      if (!unit.handedOver) break;
      this.#sending++;
      if (!this.#sendOwn()) break;
    }
  }

  /** Sends what the dialogue itself has to say; false while that, or the unit under way, is not all with the session. */
  #sendOwn(): boolean {
    const conversation = this.#conversation;
    const session = this.#session;
    if (conversation?.prepares !== true || session === undefined) return true;
    if (this.#midUnit) return true;
    for (;;) {
      this.#own ??= conversation.transmit();
      if (this.#own === undefined) return true;
      const taken = session.send(this.#own, this.#ownSent, this.#own.length - this.#ownSent);
      this.#streamSent += taken;
      this.#ownSent += taken;
      if (this.#ownSent < this.#own.length) return false;
      this.#own = undefined;
      this.#ownSent = 0;
    }
  }

  /** Part of a unit is with the session, and the rest is to follow. */
  get #midUnit(): boolean {
    const unit = this.#units[this.#sending];
    return unit !== undefined && unit.sent > 0 && !unit.handedOver;
  }

  /** Asks the dialogue about the unit whose turn it is, and does as it says; false when the unit does not go now. */
  #prepare(unit: Unit, conversation: Conversation): boolean {
    const head = (unit.length > 0 ? this.#queue.first : undefined) ?? NOTHING;
    const said = conversation.prepare({ message: unit.request?.message, bytes: head });
    // What it has to say itself goes first, and may be what the unit has to wait for.
    const ownSent = this.#sendOwn();
    if (said === 'wait' || !ownSent) {
      unit.waits = true;
      return false;
    }
    if (said === 'send') return true;
    if ('refuse' in said) {
      this.#owner.notReplayable(said.refuse, false);
      this.#removeWaiting(unit, 'not-replayable');
      return false;
    }
    const whole = said.instead === 'whole';
    const replaced = whole ? unit.length : head.length;
    this.#queue.discard(replaced);
    this.#queue.prepend(said.bytes);
    unit.length += said.bytes.length - replaced;
    if (whole && !unit.ended) this.#endCurrent();
    return true;
  }

  /** Takes the unit whose turn it is out of the queue. */
  #removeWaiting(unit: Unit, bucket: UnitBucket): void {
    if (!unit.ended) this.#discarding = true;
    this.#queue.discard(unit.length);
    this.#units.splice(this.#sending, 1);
    this.#settle(unit, bucket);
  }

  /** Ends a session, or the copy, that its dialogue has given up; true when it did. */
  #leaveDialogue(): boolean {
    const conversation = this.#conversation;
    if (conversation?.prepares !== true) return false;
    const { fault, stuck } = conversation;
    if (fault === undefined) {
      if (stuck === undefined) return false;
      this.#session?.abort();
      this.#settleReleased('closed');
      this.#settleWaiting(stuck === 'plugin-error' ? stuck : 'login-failed');
      this.#sessionGone();
      this.#pump();
      return true;
    }
    if (this.#failed) return false;
    this.#failed = true;
    this.#owner.notReplayable(fault, true);
    this.#endCurrent();
    this.#session?.abort();
    this.#sessionGone();
    while (this.#units.length > 0) this.#settleFirst(this.#units[0]!.broken ?? 'login-failed');
    this.#pump();
    return true;
  }

  /** Makes a queued unit the session's; false when it must wait, or was settled because no session is to be had. */
  #release(unit: Unit): boolean {
    if (unit.notBefore > this.#context.now()) return false;
    const conversation = this.#conversation;
    // The dialogue will want to see how it begins.
    if (conversation?.prepares === true && unit.length === 0 && !unit.ended) return false;
    if (this.#session !== undefined && (this.#sessionClosing || this.#isBroken || !this.#turnIsOurs(unit)))
      return false;
    if (this.#session === undefined) {
      const failure = this.#openSession();
      if (failure !== undefined) {
        this.#removeWaiting(unit, failure);
        return false;
      }
    }
    if (conversation?.prepares === true && !this.#prepare(unit, conversation)) return false;
    this.#carried = true;
    unit.start = this.#streamSent;
    // What the first one answers was said in the session before.
    if (this.#streamSent > 0) this.#seenOnline += unit.answers;
    unit.receivedBefore = this.#turn.received;
    this.#context.released(unit.captured);
    return true;
  }

  /** The first bytes of a unit go out. */
  #beginUnit(unit: Unit): void {
    unit.start = this.#streamSent;
    this.#beginTurn(unit);
    const answers = this.#conversation?.sent(unit.request?.message);
    if (answers === undefined) return;
    unit.isRead = true;
    unit.isAnswered = !answers;
    unit.sentAt = this.#context.now();
  }

  #beginTurn(unit: Unit): void {
    unit.receivedBefore = this.#turn.received;
    this.#turn.begin();
  }

  /** Bytes of the unit being sent wait for room in the session. */
  #hasBytesToSend(): boolean {
    if (this.#own !== undefined) return true;
    const unit = this.#units[this.#sending];
    return unit !== undefined && unit.released && unit.sent < unit.length;
  }

  /** Whether the target has answered what the client had seen answered before it sent this unit. */
  #turnIsOurs(unit: Unit): boolean {
    if (unit.answers === 0 || !this.#context.waitsForResponse) return true;
    // The target has been asked nothing, and has nothing to say that was not a greeting.
    if (this.#skipped && this.#streamSent === 0) return true;
    if (this.#readsTurns) return this.#allAnswered();
    return this.#turn.isOver(unit.answers, this.#context.now());
  }

  /**
   * The ends of responses are known, from the first request of the session on: before that only a greeting can come, which
   * a dialogue knows, too.
   */
  get #readsTurns(): boolean {
    const conversation = this.#conversation;
    return conversation?.reading === true && (this.#streamSent > 0 || conversation.prepares);
  }

  #allAnswered(): boolean {
    for (let i = 0; i < this.#sending; i++) if (!this.#isAnswered(this.#units[i]!)) return false;
    return true;
  }

  /** The last unit that was released is broken: the session takes no more. */
  get #isBroken(): boolean {
    return this.#units[this.#sending - 1]?.broken !== undefined;
  }

  #openSession(): UnitBucket | undefined {
    const opened = this.#context.target.open(this, this.#owner.client, this.#owner.target, this.#index);
    if (typeof opened === 'string') return opened;
    this.#context.ledger.sessionsOpened++;
    this.#session = opened;
    this.#sessionClosing = false;
    this.#streamSent = 0;
    this.#seenOnline = 0;
    this.#carried = false;
    this.#turn.reset();
    this.#conversation?.opened();
    return undefined;
  }

  /** The session is over, or not to be heard of any more. */
  #sessionGone(): void {
    this.#session = undefined;
    this.#own = undefined;
    this.#ownSent = 0;
    this.#conversation?.over();
  }

  /** A unit waits in vain for a session that ended before its dialogue let anything go: the next one has its own try. */
  #settleWaiting(bucket: UnitBucket): void {
    const unit = this.#units[0];
    if (unit?.waits === true && !unit.released && !this.#carried) this.#removeWaiting(unit, bucket);
  }

  /**
   * Settles, oldest first, the units that are delivered and answered, or to which no answer will come. Returns whether a
   * broken one ended the session: then the next can be released.
   */
  #settleAnswered(): boolean {
    const session = this.#session;
    if (session === undefined) return false;
    for (let unit = this.#units[0]; unit !== undefined; unit = this.#units[0]) {
      const whole = unit.released && unit.handedOver;
      if (!whole || session.acknowledged < unit.start + unit.length) return false;
      if (unit.broken !== undefined) {
        session.abort();
        this.#sessionGone();
        this.#settleFirst(unit.broken);
        return true;
      }
      const answered = this.#isAnswered(unit);
      if (!answered && this.#context.expectsResponses) return false;
      this.#settleFirst(answered ? 'answered' : 'unanswered');
    }
    return false;
  }

  /** The session is over: all units released into it are, too. */
  #settleReleased(end: SessionEnd): void {
    const acknowledged = this.#session?.acknowledged ?? 0;
    while (this.#units[0]?.released === true) {
      const unit = this.#units[0];
      const delivered = isDelivered(unit, acknowledged);
      if (!unit.ended) {
        this.#discarding = true;
        this.#cutShort = delivered;
      }
      if (unit.broken !== undefined) this.#settleFirst(unit.broken);
      else if (delivered && this.#isAnswered(unit)) this.#settleFirst('answered');
      else if (delivered && (end === 'closed' || end === 'timed-out')) this.#settleFirst('unanswered');
      else this.#settleFirst(end === 'closed' ? 'reset' : end);
    }
  }

  /** Settles the first unit and drops what of it was not sent. */
  #settleFirst(bucket: UnitBucket): void {
    const unit = this.#units.shift()!;
    this.#queue.discard(unit.length - unit.sent);
    if (this.#sending > 0) this.#sending--;
    this.#context.ledger.bytesDelivered += bucket === 'answered' || bucket === 'unanswered' ? unit.length : 0;
    this.#settle(unit, bucket);
  }

  #settle(unit: Unit, bucket: UnitBucket): void {
    unit.request?.exchange?.targetSettled(unit.response);
    this.#owner.unitSettled(bucket);
  }

  /**
   * The unit being captured cannot be completed: `refused` bytes of it found no place, or the capture lost some before any
   * was sent. If part of it is under way, its session ends.
   */
  #loseLast(bucket: UnitBucket, refused: number): void {
    this.#discarding = true;
    const unit = this.#units[this.#units.length - 1]!;
    unit.ended = true;
    if (unit.sent > 0) {
      // Half a message is worse than none: the session goes, and with it what was not answered yet.
      this.#session?.abort();
      this.#settleAnswered();
      this.#sessionGone();
      while (this.#units.length > 0) this.#settleFirst(bucket);
    } else {
      this.#units.pop();
      this.#queue.discardTail(unit.length - refused);
      this.#settle(unit, bucket);
    }
    this.#pump();
  }

  #closeWhenDone(): void {
    if (this.#clientEnd === undefined || this.#done) return;
    const allSent = this.#sending === this.#units.length;
    if (!allSent || this.#isBroken) return;
    if (this.#units.length > 0 && (this.#endAnswers > 0 || this.#clientEnd !== 'fin')) return;
    if (this.#session === undefined) {
      if (this.#units.length === 0) this.#finish();
    } else if (this.#clientEnd === 'rst') {
      this.#session.abort();
      this.#sessionGone();
      this.#finish();
    } else {
      if (!this.#sessionClosing && !this.#mayClose()) return;
      if (!this.#sessionClosing) this.#session.close();
      this.#sessionClosing = true;
      // Nothing is left to learn from it: the target layer sees the closing through.
      if (this.#units.length === 0) this.#finish();
    }
  }

  /**
   * Whether the target has said what the client had seen when it closed: a server that is closed on in the middle of a
   * response may drop it, and what it was asked behind it.
   */
  #mayClose(): boolean {
    if (this.#endAnswers === 0 || !this.#context.waitsForResponse || this.#readsTurns) return true;
    const now = this.#context.now();
    return now >= this.#closeBy || this.#turn.mayClose(this.#endAnswers, this.#seenOnline, now);
  }

  /**
   * Whom the oldest unit waits for. The client: all we have of it is delivered and it is not answered, but more of it may
   * come.
   */
  #waitsFor(): 'nobody' | 'client' | 'target' {
    const unit = this.#units[0];
    if (unit === undefined) return 'nobody';
    if (this.#units.length > 1 || !unit.released || this.#session === undefined) return 'target';
    if (unit.sent < unit.length || this.#session.acknowledged < unit.start + unit.length) return 'target';
    if (!this.#context.expectsResponses || this.#isAnswered(unit)) return 'nobody';
    return unit.ended ? 'target' : 'client';
  }

  /** The target has answered all it was sent, and the next unit is held back: nobody loses patience. */
  get #isDelayed(): boolean {
    const unit = this.#units[0];
    return unit !== undefined && !unit.released && unit.notBefore > this.#context.now();
  }

  #setTimer(): void {
    if (this.#done) return;
    const waitsFor = this.#waitsFor();
    this.#tellLoad(waitsFor === 'target', this.#queue.crowded, this.#waitsToBeSent());
    const held = this.#clientEnd !== undefined || this.#units.length > 1 || this.#units[0]?.released === false;
    if (waitsFor === 'nobody' || this.#isDelayed) this.#giveUpAt = NEVER;
    else if (this.#giveUpAt === NEVER || (held && !this.#held)) {
      const latest = addTime(this.#context.now(), this.#context.patience(held));
      this.#giveUpAt = earliest(this.#giveUpAt, latest);
    }
    this.#held = held;
    this.#context.wheel.schedule(this, earliest(this.#giveUpAt, this.#pumpAt()));
  }

  /** When to look again although nothing happens; NEVER when only events can change anything. */
  #pumpAt(): Instant {
    const next = this.#units[this.#sending];
    const now = this.#context.now();
    if (next !== undefined && !next.released && next.notBefore > now) return next.notBefore;
    if (this.#session === undefined || this.#sessionClosing) return NEVER;
    if (next?.released === true && next.sent >= next.holdAt) return earliest(next.holdUntil, this.#turn.quietAt);
    if (this.#hasBytesToSend()) return this.#session.acknowledged < this.#streamSent ? NEVER : addTime(now, RETRY);
    if (this.#readsTurns) return NEVER;
    if (next === undefined && this.#clientEnd !== undefined) return earliest(this.#turn.closeAt, this.#closeBy);
    return next === undefined || next.released ? NEVER : this.#turn.quietAt;
  }

  /** What was captured goes out when the target has done something: responded, or accepted the session. */
  #waitsToBeSent(): boolean {
    if (this.#units.length === 0) return false;
    return this.#session?.acknowledged === 0 || this.#units[this.#sending]?.released === false;
  }

  /** Keeps the figures of the context. */
  #tellLoad(busy: boolean, crowded: boolean, waiting: boolean): void {
    if (busy !== this.#busy) this.#context.busyReplicas += busy ? 1 : -1;
    if (crowded !== this.#crowded) this.#context.crowdedReplicas += crowded ? 1 : -1;
    if (waiting !== this.#waiting) this.#context.heldReplicas += waiting ? 1 : -1;
    this.#busy = busy;
    this.#crowded = crowded;
    this.#waiting = waiting;
  }

  #finish(): void {
    if (this.#done) return;
    this.#done = true;
    this.#tellLoad(false, false, false);
    this.#context.wheel.schedule(this, NEVER);
    this.#owner.replicaDone();
  }
}

/** Whether the target has acknowledged all of a unit that was captured. */
function isDelivered(unit: Unit, acknowledged: number): boolean {
  return unit.released && unit.sent > 0 && unit.sent === unit.length && acknowledged >= unit.start + unit.length;
}
