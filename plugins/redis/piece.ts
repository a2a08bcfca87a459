/** A piece of client bytes, with the command it is of. */
import type { Instant, Piece } from 'tcpcopy/plugin';
import type { RedisCommand } from './command.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

export class RedisPiece implements Piece {
  bytes = EMPTY;
  offset = 0;
  length = 0;
  time = 0 as Instant;
  first = false;
  last = false;
  answers = 0;
  /** What was wrong when these bytes could not be read as Redis: from there on they go through as they are, in turns. */
  unparsable: string | undefined = undefined;
  /** Not to be sent: the message it begins is dropped, the one it continues is broken. */
  refused = false;
  /** Makes the command; at most once. */
  reader: (() => RedisCommand) | undefined = undefined;
  #message: RedisCommand | undefined;

  /** With `first` only; `undefined` where the bytes are not Redis. It may be kept. */
  get message(): RedisCommand | undefined {
    if (this.reader !== undefined) this.message = this.reader();
    return this.#message;
  }

  set message(message: RedisCommand | undefined) {
    this.reader = undefined;
    this.#message = message;
  }

  /** Puts the bytes of a changed command in place of those captured. */
  encode(): void {
    if (this.#message?.changed !== true) return;
    this.bytes = this.#message.serialize();
    this.offset = 0;
    this.length = this.bytes.length;
  }
}
