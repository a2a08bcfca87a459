/** A piece of client bytes, with the request it is of. */
import type { Instant, Piece } from 'tcpcopy/plugin';
import type { HttpRequest } from './request.ts';

const EMPTY: Uint8Array = new Uint8Array(0);

export class HttpPiece implements Piece {
  bytes = EMPTY;
  offset = 0;
  length = 0;
  time = 0 as Instant;
  first = false;
  last = false;
  answers = 0;
  /**
   * With the first bytes of a body whose client waited for `100 Continue`: server bytes it had seen since it sent the
   * head. The rest of the message is to be held back until the target has said something, or for a short while (a
   * client should not wait forever either, RFC 9110 §10.1.1). Else 0.
   */
  awaits = 0;
  /** With `first` only: bytes behind Upgrade or CONNECT, which say nothing to a server that did not see that. */
  sameSession = false;
  /**
   * What was wrong when these bytes could not be read as HTTP: from there on the bytes of the connection go through as
   * they are, in turns. A name of llhttp's in lower case, or one of ours.
   */
  unparsable: string | undefined = undefined;
  /** Unparsable, and not to be sent: the message it begins is dropped, the one it continues is broken. */
  refused = false;
  /** Makes the request; at most once, for most requests nobody looks at. */
  reader: (() => HttpRequest) | undefined = undefined;
  #message: HttpRequest | undefined;

  /** With `first` only; `undefined` where the bytes are not HTTP (unparsable, upgraded). It may be kept. */
  get message(): HttpRequest | undefined {
    if (this.reader !== undefined) this.message = this.reader();
    return this.#message;
  }

  set message(message: HttpRequest | undefined) {
    this.reader = undefined;
    this.#message = message;
  }

  /** Puts the bytes of a changed message in place of those captured. */
  encode(): void {
    if (this.#message?.changed !== true) return;
    this.bytes = this.#message.serialize();
    this.offset = 0;
    this.length = this.bytes.length;
  }
}
