/**
 * Gives out the pieces of requests: as they come, or, of a request whose body somebody wants to see, as one piece once that is
 * whole. Where it gets too long for that, all there is of it becomes pieces, and the rest goes on as it comes.
 */
import { MessagePiece, type PendingBytes } from 'tcpcopy/plugin';
import type { HttpInput } from './client-input.ts';
import { HeldMessage, type ReadyPiece } from './held-message.ts';
import type { HttpRequest } from './request.ts';
import type { HttpSettings } from './settings.ts';

const NOTHING: readonly ReadyPiece[] = [];

export class RequestOutlet {
  readonly piece = new MessagePiece<HttpRequest>();
  /** A piece with `first` is out, and one with `last` is not. */
  open = false;
  /** What is given is of a tunnel, or cannot be read, for this reason. */
  tunnel = false;
  unparsable: string | undefined;
  readonly #in: HttpInput;
  readonly #settings: HttpSettings;
  #held: HeldMessage | undefined;
  /** Pieces that became ready at once and are not out. */
  #waiting = NOTHING;

  constructor(input: HttpInput, settings: HttpSettings) {
    this.#in = input;
    this.#settings = settings;
  }

  /** A request waits for its body. */
  get holds(): boolean {
    return this.#held !== undefined;
  }

  /** Bytes of it. */
  get heldLength(): number {
    return this.#held?.bytes.length ?? 0;
  }

  give(bytes: Uint8Array, offset: number, length: number, first: boolean, last: boolean): void {
    const { piece, unparsable } = this;
    piece.fill(this.#in, bytes, offset, length, first, last);
    if (this.tunnel) piece.sameSession = first;
    if (unparsable !== undefined) {
      piece.unparsable = unparsable;
      piece.refused = this.#settings.unparsable === 'drop';
    }
    this.open = !last;
  }

  /** The piece that is out is dealt with. True when there was another one ready, which is the piece now. */
  next(): boolean {
    if (this.#waiting.length === 0) return false;
    const [ready, ...rest] = this.#waiting;
    const { bytes, offset, length, first, last, message } = ready!;
    this.#waiting = rest;
    this.give(bytes, offset, length, first, last);
    this.piece.message = message;
    return true;
  }

  /**
   * Takes back the piece, which is the whole head of a request, to wait for the body. `bodyLength`: as far as it is known.
   * `undefined`: the body is too long for that, and the piece stays.
   */
  hold(bodyLength: number): HeldMessage | undefined {
    const { bodyLimit, budget, stats } = this.#settings;
    const { message, bytes, offset, length } = this.piece;
    const held = new HeldMessage(message!, length, bodyLimit, budget);
    if (bodyLength > bodyLimit || !held.append(bytes, offset, length)) {
      stats.bodiesOverLimit++;
      return undefined;
    }
    this.#held = held;
    this.open = false;
    return held;
  }

  /** More of the body that is waited for; returns whether a piece is ready. `trailerStart`: as for `HeldMessage`. */
  addBody(bytes: Uint8Array, offset: number, length: number, last: boolean, trailerStart: number): boolean {
    const { stats } = this.#settings;
    const held = this.#held!;
    if (!held.append(bytes, offset, length)) {
      stats.bodiesOverLimit++;
      this.#unhold(held, { bytes, offset, length, first: false, last });
      return this.next();
    }
    if (!last) return false;
    stats.bodiesHeld++;
    this.give(held.bytes.bytes, 0, held.bytes.length, true, true);
    this.piece.message = held.complete(trailerStart);
    this.#held = undefined;
    return true;
  }

  /** The body will not come to its end: what there is of the request becomes pieces. */
  giveUp(): void {
    if (this.#held !== undefined) this.#unhold(this.#held);
  }

  /** These bytes, which begin no request, are the piece that `next` gives. */
  wait(bytes: Uint8Array, length: number): void {
    this.#waiting = [{ bytes, offset: 0, length, first: true, last: false }];
  }

  /** What is held is no request: its bytes, to be released. */
  takeHeld(): PendingBytes | undefined {
    const held = this.#held?.bytes;
    this.#held = undefined;
    return held;
  }

  /** Forgets what is under way. */
  drop(): void {
    this.takeHeld()?.release();
    this.#waiting = NOTHING;
    this.open = false;
  }

  /** The held message will not be complete: its pieces are ready, and `rest`, which belongs to it, behind them. */
  #unhold(held: HeldMessage, ...rest: readonly ReadyPiece[]): void {
    this.#held = undefined;
    this.#waiting = [...held.giveUp(), ...rest].filter((piece) => piece.length > 0);
  }
}
