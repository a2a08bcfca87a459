/**
 * What the online server answered on one captured connection, where it is captured and somebody asks.
 *
 * Theory of operation. The same reader as for the target is given the server's half of the connection, and told of every
 * message as the client sent it, before plugins had it. Messages wait in order until their response is whole. Where bytes
 * of either half are missing nobody can say which response answers what: all that wait are given up, and reading begins
 * anew with a message that its client sent after seeing a response, on connections that do not pipeline. A connection seen
 * from its middle may begin with answers to what was not seen; a recording hands them out late, and their times tell.
 */
import { elapsed, type Duration, type Instant } from '../core/time.ts';
import type { ServerMessage } from '../protocol/response-reader.ts';
import { Conversation, type ConversationOwner } from './conversation.ts';
import type { PendingExchange } from './exchange.ts';
import type { ResponseReading } from './response-reading.ts';

/** Messages that may wait: a server that cannot be seen never answers. */
const WAITING_LIMIT = 1_000;

export interface OnlineOwner extends ConversationOwner {
  /** The online server has said something; `request`: the message whose response is whole with it. */
  heardOnline(said: ServerMessage, request: unknown): void;
  /** A whole response came so long after its request. */
  onlineResponded(time: Duration): void;
}

/** A message of the client's that waits for the online server's response. */
interface OnlineRequest {
  readonly message: unknown;
  readonly sentAt: Instant;
  exchange: PendingExchange | undefined;
}

export class OnlineResponses {
  readonly #owner: OnlineOwner;
  readonly #conversation: Conversation;
  #waiting: OnlineRequest[] = [];
  #last: OnlineRequest | undefined;
  /** Responses can be told apart: reading goes on, or may begin anew. */
  #inStep: boolean;
  #any = false;
  #pipelines = false;
  #over = false;
  /** What the server says from here on answers messages that were seen. */
  #reached: boolean;

  /** `fromSyn`: the first byte of the server will be the first of the connection. */
  constructor(reading: ResponseReading, owner: OnlineOwner, fromSyn: boolean) {
    this.#owner = owner;
    this.#conversation = new Conversation(reading, owner, 0);
    this.#inStep = fromSyn;
    this.#reached = fromSyn;
    if (fromSyn) this.#conversation.opened();
  }

  /** Requests that wait. */
  get waiting(): number {
    return this.#waiting.length;
  }

  /** The client sends a message. `answers`: server bytes it had seen since its last one. */
  sent(message: unknown, at: Instant, answers: number): void {
    this.#last = undefined;
    if (this.#over) return;
    if (this.#any && this.#inStep && answers === 0) this.#pipelines = true;
    const mayBegin = !this.#any || (answers > 0 && !this.#pipelines);
    this.#any = true;
    const conversation = this.#conversation;
    if (!this.#inStep && mayBegin) {
      this.#inStep = true;
      conversation.opened();
    }
    conversation.recognise();
    // A greeting, where the server spoke first.
    this.#take(at);
    if (!this.#inStep || conversation.sent(message) !== true) return;
    this.#last = { message, sentAt: at, exchange: undefined };
    this.#waiting.push(this.#last);
    if (this.#waiting.length > WAITING_LIMIT) this.lost();
  }

  /** The message that was sent last is shown with its responses. */
  show(exchange: PendingExchange): void {
    if (this.#last !== undefined) this.#last.exchange = exchange;
  }

  /** Whether the message that was sent last waits for a response. */
  get awaits(): boolean {
    return this.#last !== undefined;
  }

  /** Bytes of the server, in order; valid during the call. */
  received(bytes: Uint8Array, offset: number, length: number, at: Instant): void {
    if (!this.#reaches(at)) return;
    this.#conversation.received(bytes, offset, length);
    this.#take(at);
  }

  /** Bytes of the server that the capture does not have. */
  gap(length: number, at: Instant): void {
    if (!this.#reaches(at)) return;
    this.#conversation.received(undefined, 0, length);
    this.#take(at);
  }

  /** The server has closed. */
  ended(at: Instant): void {
    this.#over = true;
    this.#conversation.peerClosed();
    this.#take(at);
    this.lost();
  }

  /** What waits will not be answered, as far as we shall know: bytes of the client are missing, or the connection is over. */
  lost(): void {
    this.#conversation.over();
    this.#inStep = false;
    this.#last = undefined;
    const given = this.#waiting;
    this.#waiting = [];
    for (const { exchange } of given) exchange?.onlineSettled(undefined);
  }

  #reaches(at: Instant): boolean {
    const first = this.#waiting[0];
    this.#reached ||= first === undefined || elapsed(at, first.sentAt) >= 0;
    return this.#reached;
  }

  #take(at: Instant): void {
    const conversation = this.#conversation;
    const read = conversation.reading;
    for (let said = conversation.next(); said !== undefined; said = conversation.next()) {
      const request = said.completes ? this.#waiting.shift() : undefined;
      if (request !== undefined && request === this.#last) this.#last = undefined;
      this.#owner.heardOnline(said, request?.message);
      if (request === undefined) continue;
      const time = elapsed(at, request.sentAt);
      this.#owner.onlineResponded(time);
      request.exchange?.onlineSettled({ response: said.message, time });
    }
    if (read && !conversation.reading) this.lost();
  }
}
