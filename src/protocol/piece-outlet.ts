/**
 * For codecs that keep the beginning of a message until it is whole: gives out their pieces, of what is pending and of the
 * push behind it. One piece is out at a time; what is pending is given back to its budget once that is dealt with.
 */
import type { ClientInput } from './client-input.ts';
import { MessagePiece, type ChangeableMessage } from './message-piece.ts';
import type { PendingBytes } from './pending-bytes.ts';

export class PieceOutlet<Message extends ChangeableMessage> {
  readonly piece = new MessagePiece<Message>();
  /** A piece with `first` is out, and one with `last` is not. */
  open = false;
  readonly #input: ClientInput;
  readonly #pending: PendingBytes;
  #pendingOut = false;
  /** Bytes of the push that go behind the pending ones, up to `#restEnd`; and whether the message ends there. */
  #rest = 0;
  #restEnd = 0;
  #restLast = false;

  constructor(input: ClientInput, pending: PendingBytes) {
    this.#input = input;
    this.#pending = pending;
  }

  /** Something is pending, and is not out. */
  get holds(): boolean {
    return this.#pending.length > 0 && !this.#pendingOut;
  }

  /**
   * Makes `piece` of what is pending and of the push's bytes from `from` up to `to`: of either alone, or of the first, and
   * `next` gives the second. `first`, `last`: these bytes begin a message, end one.
   */
  give(from: number, to: number, first: boolean, last: boolean): void {
    const { bytes, length } = this.#pending;
    if (length === 0) {
      this.#fill(this.#input.bytes, from, to - from, first, last);
      return;
    }
    this.#pendingOut = true;
    this.#rest = from;
    this.#restEnd = to;
    this.#restLast = last;
    this.#fill(bytes, 0, length, first, last && from === to);
  }

  /** The piece that is out is dealt with. True when there are more bytes to the same `give`, which are the piece now. */
  next(): boolean {
    if (!this.#pendingOut) return false;
    this.#pendingOut = false;
    this.#pending.release();
    if (this.#rest === this.#restEnd) return false;
    this.#fill(this.#input.bytes, this.#rest, this.#restEnd - this.#rest, false, this.#restLast);
    return true;
  }

  /** The message of the piece that is out ends with it, or goes on behind it. */
  endMessage(last: boolean): void {
    this.piece.last = last;
    this.open = !last;
  }

  /** Forgets what is under way, and what is pending. */
  drop(): void {
    this.#pendingOut = false;
    this.#pending.release();
    this.open = false;
  }

  #fill(bytes: Uint8Array, offset: number, length: number, first: boolean, last: boolean): void {
    this.piece.fill(this.#input, bytes, offset, length, first, last);
    this.open = !last;
  }
}
