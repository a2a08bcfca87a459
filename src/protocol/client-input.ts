/**
 * For codecs: the bytes of the last push and how far they are read; and when the message under way began, and what it
 * answers.
 */
import { instant } from '../core/time.ts';
import type { ClientBytes } from './codec.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

export class ClientInput {
  bytes = EMPTY;
  /** Read up to here. */
  at = 0;
  end = 0;
  time = instant(0);
  /** Server bytes seen since the last message began. */
  seen = 0;
  answers = 0;
  begunAt = instant(0);
  #start = 0;
  #turned = false;

  push(input: ClientBytes): void {
    this.bytes = input.bytes;
    this.at = input.offset;
    this.end = input.offset + input.length;
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

  /** What follows belongs to what came before, though the client had seen more. */
  forgetTurn(): void {
    this.#turned = false;
  }

  /** A message begins here. */
  begin(): void {
    this.answers = this.seen;
    this.seen = 0;
    this.begunAt = this.time;
  }

  /** What began is no message. */
  unbegin(): void {
    this.seen += this.answers;
  }

  /** Bytes are missing behind these: what the client had seen says nothing of what it sends next. */
  cut(): void {
    this.at = this.end;
    this.seen = 0;
  }
}
