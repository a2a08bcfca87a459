/**
 * What one copy of a connection says and hears, as its protocol reads it: the reader of each session, or the dialogue that
 * goes through all of them, and what they make of the target's bytes.
 *
 * Theory of operation. The protocol is known with the first message of the client's. A server that speaks first does so
 * before, so its bytes are kept until then, up to a limit. From a session whose responses cannot be read any more nothing
 * is held; it goes on and is judged by length, PSH and silence. That ends with the session: the next is read anew. Where
 * there is a dialogue such a session is no good any more (`stuck`), since nobody knows where it stands.
 *
 * Readers and dialogues are a plugin's: what they throw is contained here.
 */
import type { Dialogue, OutgoingRequest, Preparation } from '../protocol/dialogue.ts';
import type { ResponseReader, ServerMessage } from '../protocol/response-reader.ts';
import type { UnreadReason } from '../report/ledger.ts';
import type { ReadProtocol, ResponseReading } from './response-reading.ts';

/** The most that is kept of a server which speaks before the protocol is known, bytes. */
const EARLY_LIMIT = 64 << 10;

export interface ConversationOwner {
  /** Of the messages that are pushed; not known before the first. */
  readonly protocol: string;
  /** A reader for a fresh session; `undefined`: none is wanted. */
  reader(protocol: ReadProtocol): ResponseReader | undefined;
  dialogue(protocol: ReadProtocol, copy: number): Dialogue | undefined;
  /** The target's responses of one session cannot be read from here on. `error`: what the reader threw. */
  unread(why: UnreadReason, error?: unknown): void;
}

export class Conversation {
  readonly #reading: ResponseReading;
  readonly #owner: ConversationOwner;
  readonly #copy: number;
  #dialogue: Dialogue | undefined;
  #stuck: UnreadReason | undefined;
  #known = false;
  #protocol: ReadProtocol | undefined;
  #open = false;
  #reader: ResponseReader | undefined;
  #early: Uint8Array[] = [];
  #earlyLength = 0;
  #closes = false;
  #heardAll = false;

  /** `copy`: 0 for the first copy of the connection. */
  constructor(reading: ResponseReading, owner: ConversationOwner, copy: number) {
    this.#reading = reading;
    this.#owner = owner;
    this.#copy = copy;
  }

  /** Whether requests are prepared before they go. */
  get prepares(): boolean {
    return this.#dialogue !== undefined;
  }

  /** The dialogue has lost the thread of this session, which is to end: why. */
  get stuck(): UnreadReason | undefined {
    return this.#stuck;
  }

  /** Why the copy is at its end, as its dialogue says. */
  get fault(): string | undefined {
    return this.#dialogue?.fault;
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
    const protocol = this.#reading.protocol(this.#owner.protocol);
    this.#protocol = protocol;
    if (protocol !== undefined) this.#contain(() => (this.#dialogue = this.#owner.dialogue(protocol, this.#copy)));
    if (this.#open && protocol !== undefined) this.#begin(protocol);
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

  /** What is to become of the request whose turn it is. */
  prepare(request: OutgoingRequest): Preparation {
    const dialogue = this.#dialogue;
    let said: Preparation = 'wait';
    if (dialogue !== undefined && this.#stuck === undefined) this.#contain(() => (said = dialogue.prepare(request)));
    return said;
  }

  /** What the dialogue itself has to send. */
  transmit(): Uint8Array | undefined {
    const dialogue = this.#dialogue;
    let bytes: Uint8Array | undefined;
    if (dialogue !== undefined && this.#stuck === undefined) this.#contain(() => (bytes = dialogue.transmit()));
    return bytes;
  }

  /** The online server has said something; `request`: the message that it answers. */
  heardOnline(said: ServerMessage, request: unknown): void {
    const dialogue = this.#dialogue;
    if (dialogue?.heardOnline !== undefined) this.#contain(() => dialogue.heardOnline!(said, request));
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
    const dialogue = this.#dialogue;
    this.#contain(() => {
      dialogue?.opened();
      this.#reader = dialogue ?? this.#owner.reader(protocol);
    });
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
    this.#stuck = this.#dialogue === undefined ? undefined : why;
    this.#owner.unread(why, error);
  }

  #forget(): void {
    this.#reader = undefined;
    this.#early = [];
    this.#earlyLength = 0;
    this.#closes = false;
    this.#heardAll = false;
    this.#stuck = undefined;
  }

  /** What a plugin's reader throws costs the reading of this session, and what a dialogue throws the session. */
  #contain(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.#stop('plugin-error', error);
    }
  }
}
