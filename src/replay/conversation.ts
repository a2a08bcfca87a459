/**
 * What one copy of a connection says and hears, as its protocol reads it: the reader of each session, and what it makes
 * of the target's bytes.
 *
 * Theory of operation. The protocol is known with the first message of the client's. A server that speaks first does so
 * before, so its bytes are kept until then, up to a limit. From a session whose responses cannot be read any more nothing
 * is held; it goes on and is judged by length, PSH and silence. That ends with the session: the next is read anew.
 */
import type { ServerMessage, ResponseReader } from '../protocol/response-reader.ts';
import type { UnreadReason } from '../report/ledger.ts';
import type { ReadProtocol, ResponseReading } from './response-reading.ts';

/** The most that is kept of a server which speaks before the protocol is known, bytes. */
const EARLY_LIMIT = 64 << 10;

export interface ConversationOwner {
  /** Of the messages that are pushed; not known before the first. */
  readonly protocol: string;
  /** A reader for a fresh session. */
  reader(protocol: ReadProtocol): ResponseReader;
  /** The target's responses of one session cannot be read from here on. `error`: what the reader threw. */
  unread(why: UnreadReason, error?: unknown): void;
}

export class Conversation {
  readonly #reading: ResponseReading;
  readonly #owner: ConversationOwner;
  #known = false;
  #protocol: ReadProtocol | undefined;
  #open = false;
  #reader: ResponseReader | undefined;
  #early: Uint8Array[] = [];
  #earlyLength = 0;
  #closes = false;
  #heardAll = false;

  constructor(reading: ResponseReading, owner: ConversationOwner) {
    this.#reading = reading;
    this.#owner = owner;
  }

  /** Whether the ends of this session's responses are known. */
  get reading(): boolean {
    return this.#reader !== undefined;
  }

  /** The target has said that it takes no more requests in this session. */
  get closes(): boolean {
    return this.#closes;
  }

  /** All of the target's bytes were read, to its close in good order: what is not answered will not be. */
  get heardAll(): boolean {
    return this.#heardAll;
  }

  /** A session opens. */
  opened(): void {
    this.#forget();
    this.#open = true;
    if (this.#protocol !== undefined) this.#begin(this.#protocol);
  }

  /** The session is over. */
  over(): void {
    this.#forget();
    this.#open = false;
  }

  /** The client's first message has shown what is spoken. */
  recognise(): void {
    if (this.#known) return;
    this.#known = true;
    this.#protocol = this.#reading.protocol(this.#owner.protocol);
    if (this.#open && this.#protocol !== undefined) this.#begin(this.#protocol);
    this.#early = [];
  }

  /** A request goes out. `undefined`: its response is not read; else whether there will be one. */
  sent(message: unknown): boolean | undefined {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    let answers = true;
    this.#contain(() => (answers = reader.sent(message)));
    return this.reading ? answers : undefined;
  }

  /** Bytes of the target; `undefined` where only their number is known. Take messages until there are none. */
  received(bytes: Uint8Array | undefined, offset: number, length: number): void {
    if (this.#reader === undefined) {
      if (!this.#known && this.#open) this.#keepEarly(bytes, offset, length);
      return;
    }
    const reader = this.#reader;
    if (bytes !== undefined) this.#contain(() => reader.push(bytes, offset, length));
    else if (reader.gap === undefined) this.#stop('cut');
    else this.#contain(() => reader.gap!(length));
  }

  /** The target has closed in good order. Take messages until there are none. */
  peerClosed(): void {
    const reader = this.#reader;
    if (reader === undefined) return;
    this.#heardAll = true;
    this.#contain(() => reader.end());
  }

  next(): ServerMessage | undefined {
    const reader = this.#reader;
    if (reader === undefined) return undefined;
    let message: ServerMessage | undefined;
    this.#contain(() => (message = reader.next()));
    if (message === undefined && this.#reader !== undefined && !reader.reading) {
      this.#closes = reader.closes === true;
      if (reader.failure === undefined) this.#reader = undefined;
      else this.#stop('not-understood');
    }
    return message;
  }

  #begin(protocol: ReadProtocol): void {
    this.#contain(() => (this.#reader = this.#owner.reader(protocol)));
    if (this.#earlyLength > EARLY_LIMIT) this.#stop('cut');
    for (const bytes of this.#early) this.received(bytes, 0, bytes.length);
    this.#early = [];
  }

  #keepEarly(bytes: Uint8Array | undefined, offset: number, length: number): void {
    this.#earlyLength += bytes === undefined ? EARLY_LIMIT + 1 : length;
    if (this.#earlyLength > EARLY_LIMIT) this.#early = [];
    else this.#early.push(Uint8Array.from(bytes!.subarray(offset, offset + length)));
  }

  #stop(why: UnreadReason, error?: unknown): void {
    this.#reader = undefined;
    this.#heardAll = false;
    this.#owner.unread(why, error);
  }

  #forget(): void {
    this.#reader = undefined;
    this.#early = [];
    this.#earlyLength = 0;
    this.#closes = false;
    this.#heardAll = false;
  }

  /** A reader is a plugin's: what it throws costs the reading of this session, and nothing else. */
  #contain(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#stop('plugin-error', error);
    }
  }
}
