/** Tells the observer of one captured connection of its messages: what begins, goes on and breaks off, in that order. */
import { micros, type Duration } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { DroppedBy, MessageObserver } from './message-observer.ts';

const NOTHING = micros(0);

export class ObservedMessages {
  readonly observer: MessageObserver;
  /** The message under way goes on, so that the rest of it is shown. */
  #goesOn = false;

  constructor(observer: MessageObserver) {
    this.observer = observer;
  }

  /** A message goes on, and with it `piece`. `changed`: its bytes differ from those captured. */
  begins(piece: Piece, protocol: string, changed: boolean, copies: number, delayed: Duration | undefined): void {
    this.#goesOn = true;
    this.observer.begins(piece, protocol, { dropped: undefined, changed, copies, delayed: delayed ?? NOTHING });
    this.observer.bytes(piece);
  }

  dropped(piece: Piece, protocol: string, dropped: DroppedBy): void {
    this.#goesOn = false;
    this.observer.begins(piece, protocol, { dropped, changed: false, copies: 0, delayed: NOTHING });
  }

  /** More of the message under way. */
  bytes(piece: Piece): void {
    if (this.#goesOn) this.observer.bytes(piece);
  }

  /** A message begins that is not shown. */
  leavesOut(): void {
    this.#goesOn = false;
  }

  /** The message under way ends without its end. */
  broken(): void {
    if (this.#goesOn) this.observer.broken();
    this.#goesOn = false;
  }
}
