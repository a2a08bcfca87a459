/**
 * Cuts what a client sends into lines. A line that came in one segment is handed on where it lies; one that came in
 * several is held until it is whole. Whoever lost their place finds it behind the next line end, or where the client
 * sends after it has seen an answer.
 */
import { PendingBytes, Swallowed, type ByteBudget, type ClientBytes, type Codec, type Piece } from 'tcpcopy/plugin';
import { Command } from './command.ts';

const LF = 0x0a;
/** Longer lines are none of the protocol's; they are not held, and not sent. */
const LONGEST_LINE = 1_024;

class LinePiece implements Piece {
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  time = 0 as Piece['time'];
  readonly first = true;
  readonly last = true;
  answers = 0;
  message: Command | undefined;

  encode(): void {
    if (this.message?.changed !== true) return;
    this.bytes = Buffer.from(this.message.serialize(), 'latin1');
    this.offset = 0;
    this.length = this.bytes.length;
  }
}

export class TallyCodec implements Codec {
  readonly protocol = 'tally';
  readonly #swallowed = new Swallowed();
  readonly #held: PendingBytes;
  readonly #piece = new LinePiece();
  #input: ClientBytes | undefined;
  /** Of the input, what comes next. */
  #at = 0;
  #answers = 0;
  /** The next byte begins a line, or goes on with the one that is held. */
  #inStep: boolean;

  /** `budget`: what all connections may hold together. */
  constructor(fromBoundary: boolean, budget: ByteBudget) {
    this.#inStep = fromBoundary;
    this.#held = new PendingBytes(budget);
  }

  get skippedBytes(): number {
    return this.#swallowed.bytes;
  }

  get skippedMessages(): number {
    return this.#swallowed.messages;
  }

  push(input: ClientBytes): void {
    this.#input = input;
    this.#at = input.offset;
    this.#answers += input.serverBytesSeen;
    if (input.serverBytesSeen > 0) this.#inStep = true;
  }

  next(): Piece | undefined {
    const input = this.#input;
    if (input === undefined) return undefined;
    const end = input.offset + input.length;
    while (this.#at < end) {
      const found = input.bytes.subarray(this.#at, end).indexOf(LF);
      const length = found < 0 ? end - this.#at : found + 1;
      const begin = this.#at;
      this.#at += length;
      if (!this.#inStep) {
        this.#swallow(length, found >= 0);
      } else if (found < 0) {
        this.#hold(input.bytes, begin, length);
      } else if (this.#held.length === 0) {
        return this.#line(input.bytes, begin, length);
      } else if (this.#hold(input.bytes, begin, length)) {
        const { bytes, length: whole } = this.#held;
        this.#held.release();
        return this.#line(bytes, 0, whole);
      }
    }
    return undefined;
  }

  gap(length: number): boolean {
    // A piece is a whole line, so no message that was handed on is broken.
    this.#loseHeld();
    this.#swallow(length, false);
    return false;
  }

  end(): void {
    // Half a line is no command: the server would have waited for the rest.
    this.#loseHeld();
  }

  #line(bytes: Uint8Array, offset: number, length: number): Piece {
    const piece = this.#piece;
    piece.bytes = bytes;
    piece.offset = offset;
    piece.length = length;
    piece.time = this.#input!.time;
    piece.answers = this.#answers;
    piece.message = Command.parse(Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1'));
    this.#answers = 0;
    return piece;
  }

  /** Holds the beginning of a line, or its end; false when that is too much. */
  #hold(bytes: Uint8Array, offset: number, length: number): boolean {
    const fits = this.#held.length + length <= LONGEST_LINE;
    if (fits && this.#held.append(bytes, offset, length)) return true;
    const complete = bytes[offset + length - 1] === LF;
    this.#loseHeld();
    this.#swallow(length, complete);
    return false;
  }

  #loseHeld(): void {
    if (this.#held.length > 0) this.#swallow(this.#held.length, false);
    this.#held.release();
  }

  /** `complete`: a line ends here, and the next byte is the first of another. */
  #swallow(length: number, complete: boolean): void {
    this.#swallowed.add(length);
    this.#inStep = complete;
    if (complete) this.#swallowed.separate();
  }
}
