/**
 * The session of a replica, while it has one: what was put into it, what the target said, and what that answers.
 *
 * Theory of operation. Where the protocol's responses are read (conversation), the oldest unit without a whole response
 * has the next one. Where they are not, any byte of the target's answers what was sent before, and length, PSH and silence
 * say how far it has come (response-turn). A dialogue has bytes of its own, which go between units.
 */
import { elapsed } from '../core/time.ts';
import type { UnitBucket } from '../report/ledger.ts';
import { Conversation } from './conversation.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ReplicaOwner } from './replica-owner.ts';
import type { SessionClosing } from './session-closing.ts';
import type { PieceTaker } from './piece-queue.ts';
import { ResponseTurn } from './response-turn.ts';
import type { SessionOwner, TargetSession } from './target.ts';
import { UnitQueue } from './unit-queue.ts';
import type { Unit } from './unit.ts';

export class ReplicaSession implements PieceTaker {
  readonly turn = new ResponseTurn();
  /** Reads the target's responses, where anybody asks for them. */
  readonly conversation: Conversation | undefined;
  /** What the replica's other parts work with; they come to it from here. */
  readonly context: ReplayContext;
  readonly owner: ReplicaOwner;
  readonly units: UnitQueue;
  readonly #index: number;
  /** Who is told of the events of sessions. */
  readonly #hears: SessionOwner;
  #session: TargetSession | undefined;
  /** It takes no more units: it is closing, or the target closed it. */
  closing = false;
  /** How it is to end, since the client has. */
  ending: SessionClosing | undefined = undefined;
  /** Units were left out: what the client had seen answered may have been those. */
  skipped = false;
  /** Bytes handed to it. */
  sent = 0;
  /** A unit went into it: the dialogue was ready for it. */
  carried = false;
  /**
   * Where the unit before the current one was counted, when it is not in this session: it never went, or its session is
   * over. `undefined`: it is in here, or there was none.
   */
  outOfReach: UnitBucket | undefined;
  /** Bytes of the server's that the client had seen before it sent what is in the session now. */
  seenOnline = 0;
  /** Units went into it before the responses to those before were over: what comes does not tell whose it is. */
  #pipelined = false;
  /** Bytes of the dialogue's own that it has no room for yet. */
  #own: Uint8Array | undefined = undefined;

  constructor(context: ReplayContext, owner: ReplicaOwner, index: number, hears: SessionOwner) {
    this.context = context;
    this.owner = owner;
    this.#index = index;
    this.#hears = hears;
    this.units = new UnitQueue(context.budget);
    this.conversation = context.reading && new Conversation(context.reading, owner, index);
  }

  get isOpen(): boolean {
    return this.#session !== undefined;
  }

  /** Stream bytes that the target has; 0 without a session. */
  get acknowledged(): number {
    return this.#session?.acknowledged ?? 0;
  }

  /** Returns why none is to be had. */
  open(): UnitBucket | undefined {
    const opened = this.context.target.open(this.#hears, this.owner.client, this.owner.target, this.#index);
    if (typeof opened === 'string') return opened;
    this.context.ledger.sessionsOpened++;
    this.#session = opened;
    this.closing = false;
    this.sent = 0;
    this.seenOnline = 0;
    this.carried = false;
    this.#pipelined = false;
    this.turn.reset(this.context.now());
    this.conversation?.opened();
    return undefined;
  }

  /** Returns how many bytes it took. */
  send(bytes: Uint8Array, offset: number, length: number): number {
    const taken = this.#session?.send(bytes, offset, length) ?? 0;
    this.sent += taken;
    return taken;
  }

  /** Hands bytes of the unit being sent to it; returns how many it took. */
  take(bytes: Uint8Array, offset: number, length: number): number {
    const unit = this.units.current!;
    const start = this.sent;
    const taken = this.send(bytes, offset, length);
    if (taken > 0) {
      if (unit.sent === 0) this.beginUnit(unit, start);
      else this.turn.askedOn(this.context.now());
    }
    unit.sent += taken;
    return taken;
  }

  /** Sends what the dialogue itself has to say; false while that, or the unit under way, is not all with the session. */
  sendOwn(): boolean {
    const { conversation } = this;
    if (conversation?.prepares !== true || this.#session === undefined) return true;
    if (this.units.isMidUnit) return true;
    for (;;) {
      const own = this.#own ?? conversation.transmit();
      if (own === undefined) return true;
      const sent = this.send(own, 0, own.length);
      this.#own = sent < own.length ? own.subarray(sent) : undefined;
      if (this.#own !== undefined) return false;
    }
  }

  /** Bytes wait for room. */
  get hasBytesToSend(): boolean {
    return this.#own !== undefined || this.units.hasBytesToSend;
  }

  close(): void {
    this.#session?.close();
  }

  /** Resets it; what it acknowledged can still be asked, until `over`. */
  abort(): void {
    this.#session?.abort();
  }

  /** It has ended, or is not to be heard of any more. `lost`: where that is counted which only it could carry. */
  over(lost: UnitBucket): void {
    this.#session = undefined;
    this.outOfReach = lost;
    this.#own = undefined;
    this.conversation?.over();
  }

  /** A unit goes out from here: what comes from now on may answer it. */
  beginTurn(unit: Unit): void {
    unit.receivedBefore = this.turn.received;
    this.turn.begin(this.context.now());
  }

  /** The first bytes of a unit have gone out, from `start` on in the session's stream. */
  beginUnit(unit: Unit, start: number): void {
    unit.start = start;
    if (start > 0 && (unit.answers === 0 || !this.turn.isOver(unit.answers, this.context.now())))
      this.#pipelined = true;
    this.beginTurn(unit);
    const answers = this.conversation?.sent(unit.request?.message);
    if (answers === undefined) return;
    unit.isRead = true;
    unit.isAnswered = !answers;
    unit.sentAt = this.context.now();
  }

  /** Messages that the target's last bytes have completed. */
  takeResponses(): void {
    const { conversation } = this;
    if (conversation === undefined) return;
    for (let read = conversation.next(); read !== undefined; read = conversation.next()) {
      const { message, completes } = read;
      this.owner.responseRead(message, read.failed === true);
      if (completes) this.completeOldest(message);
    }
    if (conversation.closes) this.closing = true;
  }

  /** The oldest request without a whole response has it now. */
  private completeOldest(response: unknown): void {
    for (let unit = this.units.first; unit !== undefined; unit = unit.next) {
      if (!unit.isRead || unit.isAnswered) continue;
      unit.isAnswered = true;
      const time = elapsed(this.context.now(), unit.sentAt!);
      unit.response = { response, time };
      this.context.responded('target', time);
      return;
    }
  }

  /** Whether the target has all of a unit that was captured. */
  hasAll(unit: Unit): boolean {
    return this.acknowledged >= unit.start + unit.length;
  }

  /** Whether the target has answered a unit, as exactly as that can be told. */
  hasAnswered(unit: Unit): boolean {
    if (unit.isAnswered) return true;
    const { conversation } = this;
    if (conversation?.stuck !== undefined) return false;
    if (unit.isRead && (conversation?.reading === true || conversation?.heardAll === true)) return false;
    return this.turn.received > unit.receivedBefore;
  }

  /** Whether the target has answered what the client had seen answered before it sent `unit`. */
  hasSaidWhatWasSeenBefore(unit: Unit): boolean {
    if (unit.answers === 0 || !this.context.waitsForResponse) return true;
    // The target has been asked nothing, and has nothing to say that was not a greeting.
    if (this.skipped && this.sent === 0) return true;
    if (this.readsTurns) return this.hasAnsweredAll();
    return this.turn.isOver(unit.answers, this.context.now());
  }

  private hasAnsweredAll(): boolean {
    const { first, current } = this.units;
    for (let unit = first; unit !== current; unit = unit!.next) if (!this.hasAnswered(unit!)) return false;
    return true;
  }

  /**
   * The ends of responses are known, from the first request of the session on: before that only a greeting can come, which
   * a dialogue knows, too.
   */
  get readsTurns(): boolean {
    const { conversation } = this;
    return conversation?.reading === true && (this.sent > 0 || conversation.prepares);
  }

  /** Responses follow one another, and nobody sees where they end: how much is still to come is not known. */
  get hasUnknownRest(): boolean {
    return this.#pipelined && this.context.expectsResponses && !this.readsTurns;
  }

  /** Whether the target has said what the client had seen when it closed, `answers` bytes since its last message began. */
  hasSaid(answers: number): boolean {
    if (answers === 0 || !this.context.waitsForResponse || this.readsTurns) return true;
    return this.turn.mayClose(answers, this.seenOnline, this.context.now());
  }

  /**
   * Whether the target has said exactly as much as the client had seen when it closed, of which the last byte may be the
   * server's FIN. (Where it has said more its responses are not those of online, and the last may be far from over.)
   */
  hasSaidAsOnline(answers: number): boolean {
    const missing = this.seenOnline + answers - this.turn.received;
    return answers > 0 && !this.skipped && (missing === 0 || missing === 1);
  }
}
