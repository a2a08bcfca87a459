/** The bytes of the last push and how far they are read; and when the message under way began, and what it answers. */
import type { ClientBytes, Instant } from 'tcpcopy/plugin';
import { CR, LF } from './ascii.ts';
import { nextInput } from './llhttp-instance.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

export class ClientInput {
  bytes = EMPTY;
  /** Read up to here. */
  at = 0;
  end = 0;
  /** For `LlhttpParser.feed`. */
  name = 0;
  time = 0 as Instant;
  /** Server bytes seen since the last message began. */
  seen = 0;
  /** The message under way has begun: with these bytes of the server's seen, at this time. */
  begun = false;
  answers = 0;
  begunAt = 0 as Instant;
  #start = 0;
  #turned = false;

  push(input: ClientBytes): void {
    this.bytes = input.bytes;
    this.at = input.offset;
    this.end = input.offset + input.length;
    this.name = nextInput();
    this.time = input.time;
    this.seen += input.serverBytesSeen;
    this.#start = input.offset;
    this.#turned = input.serverBytesSeen > 0;
  }

  get left(): number {
    return this.end - this.at;
  }

  /** Nothing of the push has been read. */
  get atStart(): boolean {
    return this.at === this.#start;
  }

  /** Nothing of the push has been read, and the client had seen more of the server's bytes when it sent it. */
  get beginsTurn(): boolean {
    return this.#turned && this.atStart;
  }

  /** The server bytes seen since the message began, which from now on are dealt with. */
  takeSeen(): number {
    const { seen } = this;
    this.seen = 0;
    return seen;
  }

  /** What follows belongs to what came before, though the client had seen more. */
  forgetTurn(): void {
    this.#turned = false;
  }

  /** A message begins here. */
  begin(): void {
    this.begun = true;
    this.answers = this.seen;
    this.seen = 0;
    this.begunAt = this.time;
  }

  /** The same, once: with the first byte that is not of the empty lines some clients send after a body. */
  beginRequest(): void {
    if (this.begun) return;
    let at = this.at;
    while (at < this.end && (this.bytes[at] === CR || this.bytes[at] === LF)) at++;
    if (at < this.end) this.begin();
  }

  /** What began is no message. */
  unbegin(): void {
    if (this.begun) this.seen += this.answers;
    this.begun = false;
  }

  /** Bytes are missing behind these: what the client had seen says nothing of what it sends next. */
  cut(): void {
    this.at = this.end;
    this.begun = false;
    this.seen = 0;
  }
}
