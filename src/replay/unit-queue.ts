/**
 * The units of one replica, in the order they were captured, and those of their bytes that no session has taken yet.
 *
 *     with the session … │ current: being sent, or the next to be │ waiting … │ last: being captured, until it has ended
 *
 * One unit may be several of these at once.
 */
import { PieceQueue, type ByteBudget, type PieceTaker } from './piece-queue.ts';
import type { Unit } from './unit.ts';

/** Most that one replica may hold back, bytes: a slow target costs this much per connection, no more. */
const QUEUE_LIMIT = 16 << 20;

export class UnitQueue {
  readonly #budget: ByteBudget;
  /** Made when bytes have to wait, and given up when they have gone. */
  #bytes: PieceQueue | undefined = undefined;
  #first: Unit | undefined = undefined;
  #current: Unit | undefined = undefined;
  #last: Unit | undefined = undefined;
  #length = 0;
  /** The rest of the unit being captured is not wanted. */
  discarding = true;
  /** That unit was settled as delivered when its session ended. More of it would be lost, and is counted so. */
  cutShort = false;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Bytes that no session has taken yet, to add some. */
  get bytes(): PieceQueue {
    return (this.#bytes ??= new PieceQueue(this.#budget, QUEUE_LIMIT));
  }

  /** None of them wait. */
  get hasNoBytes(): boolean {
    return this.#bytes === undefined || this.#bytes.length === 0;
  }

  /** So many wait that a recording should not be read on. */
  get crowded(): boolean {
    return this.#bytes?.crowded === true;
  }

  /** Offers up to `most` of them to `taker`, until it accepts fewer. */
  drain(most: number, taker: PieceTaker): void {
    this.#bytes?.drain(most, taker);
    this.giveUpEmpty();
  }

  discard(count: number): void {
    this.#bytes?.discard(count);
    this.giveUpEmpty();
  }

  get length(): number {
    return this.#length;
  }

  /** The oldest; those behind it follow as `next`. */
  get first(): Unit | undefined {
    return this.#first;
  }

  get current(): Unit | undefined {
    return this.#current;
  }

  get last(): Unit | undefined {
    return this.#last;
  }

  /** Part of a unit is with the session, and the rest is to follow. */
  get isMidUnit(): boolean {
    const unit = this.#current;
    return unit !== undefined && unit.sent > 0 && !unit.handedOver;
  }

  /** Bytes of the unit being sent wait for room in the session. */
  get hasBytesToSend(): boolean {
    const unit = this.#current;
    return unit !== undefined && unit.released && unit.sent < unit.length;
  }

  /** The last unit that was released is broken: the session takes no more. */
  get isBroken(): boolean {
    const unit = this.#current === undefined ? this.#last : this.#current.previous;
    return unit?.broken !== undefined;
  }

  /** A unit begins to be captured. */
  add(unit: Unit): void {
    const last = this.#last;
    if (last === undefined) this.#first = unit;
    else last.next = unit;
    unit.previous = last;
    this.#last = unit;
    this.#current ??= unit;
    this.#length++;
    this.discarding = false;
  }

  /** The unit being captured is complete. */
  endLast(): void {
    const unit = this.#last;
    if (unit !== undefined) unit.ended = true;
    this.discarding = true;
    this.cutShort = false;
  }

  /** All of the current unit is with the session. */
  advance(): void {
    this.#current = this.#current!.next;
  }

  /** Takes the first unit out, and drops what of it was not sent. */
  removeFirst(): Unit {
    const unit = this.#first!;
    this.remove(unit);
    this.discard(unit.length - unit.sent);
    return unit;
  }

  /** Takes the current unit out, of which nothing was sent. */
  removeCurrent(): Unit {
    const unit = this.#current!;
    this.remove(unit);
    if (!unit.ended) this.discarding = true;
    this.discard(unit.length);
    return unit;
  }

  /** Takes the last unit out, of which nothing was sent, and `refused` bytes never were in the queue. */
  removeLast(refused: number): Unit {
    const unit = this.#last!;
    this.remove(unit);
    this.#bytes?.discardTail(unit.length - refused);
    this.giveUpEmpty();
    return unit;
  }

  private giveUpEmpty(): void {
    if (this.#bytes?.length === 0) this.#bytes = undefined;
  }

  private remove(unit: Unit): void {
    const { previous, next } = unit;
    if (previous === undefined) this.#first = next;
    else previous.next = next;
    if (next === undefined) this.#last = previous;
    else next.previous = previous;
    if (this.#current === unit) this.#current = next;
    unit.previous = undefined;
    unit.next = undefined;
    this.#length--;
  }
}
