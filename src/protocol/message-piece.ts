/** For codecs that read messages: a piece of client bytes, with the message it is of. */
import { instant } from '../core/time.ts';
import type { ClientInput } from './client-input.ts';
import type { Piece } from './codec.ts';

/** A message that plugins may change. */
export interface ChangeableMessage {
  /** Something differs from what was captured. */
  readonly changed: boolean;
  /** Its bytes with all changes; only the beginning where the rest streams past. */
  serialize(): Uint8Array;
}

const EMPTY: Uint8Array = new Uint8Array(0);

export class MessagePiece<Message extends ChangeableMessage> implements Piece {
  bytes = EMPTY;
  offset = 0;
  length = 0;
  time = instant(0);
  first = false;
  last = false;
  answers = 0;
  awaits = 0;
  sameSession = false;
  /** What was wrong when these bytes could not be read as the protocol: from there on they go through as they are, in turns. */
  unparsable: string | undefined = undefined;
  /** Not to be sent: the message it begins is dropped, the one it continues is broken. */
  refused = false;
  /** Makes the message; at most once, for most messages nobody looks at. */
  reader: (() => Message) | undefined = undefined;
  #message: Message | undefined;

  /** With `first` only; `undefined` where the bytes are not the protocol's. It may be kept. */
  get message(): Message | undefined {
    if (this.reader !== undefined) this.message = this.reader();
    return this.#message;
  }

  set message(message: Message | undefined) {
    this.reader = undefined;
    this.#message = message;
  }

  /** Makes it a piece of `input`'s message: its first bytes, its last, both or neither, and without a message so far. */
  fill(input: ClientInput, bytes: Uint8Array, offset: number, length: number, first: boolean, last: boolean): void {
    this.bytes = bytes;
    this.offset = offset;
    this.length = length;
    this.first = first;
    this.last = last;
    this.time = first ? input.begunAt : input.time;
    this.answers = first ? input.answers : 0;
    this.awaits = 0;
    this.sameSession = false;
    this.unparsable = undefined;
    this.refused = false;
    this.message = undefined;
  }

  /** Puts the bytes of a changed message in place of those captured. */
  encode(): void {
    if (this.#message?.changed !== true) return;
    this.bytes = this.#message.serialize();
    this.offset = 0;
    this.length = this.bytes.length;
  }
}
