/**
 * Opaque TCP: a message is what the client sends between two responses.
 *
 * Theory of operation. The only boundary visible in bytes nobody decodes is a change of turn: the client has seen more
 * of the server's bytes (its ACK moved) and then sends. A connection seen from its SYN begins on a boundary. One picked
 * up in the middle, or one from which the capture lost bytes, is out of step: client bytes are skipped until the client
 * sends after seeing server bytes that arrived since we began to look.
 */
import { instant } from '../core/time.ts';
import type { ClientBytes, Codec, Piece } from './codec.ts';

const EMPTY = new Uint8Array(0);

/** What an opaque codec gives. */
export function opaquePiece(): Piece {
  return { bytes: EMPTY, offset: 0, length: 0, time: instant(0), first: false, last: false, answers: 0 };
}

export class OpaqueCodec implements Codec {
  readonly protocol = 'opaque';
  skippedBytes = 0;
  skippedMessages = 0;
  #inStep: boolean;
  #messageOpen = false;
  #skipping = false;
  #ready = false;
  readonly #piece: Piece;

  /**
   * `fromSyn`: the first byte pushed is the first of the connection. `piece`: what it gives, of which all codecs may have
   * the same where every push is followed by the taking of what it gave.
   */
  constructor(fromSyn: boolean, piece = opaquePiece()) {
    this.#inStep = fromSyn;
    this.#piece = piece;
  }

  push(input: ClientBytes): void {
    const turned = input.serverBytesSeen > 0;
    if (!this.#inStep) {
      if (!turned) {
        this.skip(input.length);
        return;
      }
      this.#inStep = true;
      this.#skipping = false;
    }
    const piece = this.#piece;
    piece.bytes = input.bytes;
    piece.offset = input.offset;
    piece.length = input.length;
    piece.time = input.time;
    piece.last = false;
    piece.first = turned || !this.#messageOpen;
    piece.answers = piece.first ? input.serverBytesSeen : 0;
    this.#messageOpen = true;
    this.#ready = true;
  }

  next(): Piece | undefined {
    if (!this.#ready) return undefined;
    this.#ready = false;
    return this.#piece;
  }

  gap(length: number): boolean {
    const broken = this.#messageOpen;
    this.#messageOpen = false;
    this.#inStep = false;
    this.skip(length);
    return broken;
  }

  private skip(length: number): void {
    if (!this.#skipping) this.skippedMessages++;
    this.#skipping = true;
    this.skippedBytes += length;
  }
}
