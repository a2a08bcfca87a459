/**
 * The units of one replica, in the order they were captured, and those of their bytes that no session has taken yet.
 *
 *     with the session … │ current: being sent, or the next to be │ waiting … │ last: being captured, until it has ended
 *
 * One unit may be several of these at once.
 */
import { PieceQueue, type ByteBudget } from './piece-queue.ts';
import type { Unit } from './unit.ts';

/** Most that one replica may hold back, bytes: a slow target costs this much per connection, no more. */
const QUEUE_LIMIT = 16 << 20;

/** Empty, and of the kind that holds objects: another kind of array would have code optimized twice. Never added to. */
const NONE: Unit[] = [undefined as never];
NONE.pop();

export class UnitQueue {
  readonly bytes: PieceQueue;
  #units: Unit[] = NONE;
  /** Index of the current one. */
  #sending = 0;
  /** The rest of the unit being captured is not wanted. */
  discarding = true;
  /** That unit was settled as delivered when its session ended. More of it would be lost, and is counted so. */
  cutShort = false;

  constructor(budget: ByteBudget) {
    this.bytes = new PieceQueue(budget, QUEUE_LIMIT);
  }

  get length(): number {
    return this.#units.length;
  }

  get first(): Unit | undefined {
    return this.#units[0];
  }

  get current(): Unit | undefined {
    return this.#units[this.#sending];
  }

  get last(): Unit | undefined {
    // Index -1 would be looked up as a name, which is slow.
    return this.#units.length === 0 ? undefined : this.#units[this.#units.length - 1];
  }

  /** How many are with the session to their last byte. */
  get handedOver(): number {
    return this.#sending;
  }

  at(index: number): Unit {
    return this.#units[index]!;
  }

  /** Part of a unit is with the session, and the rest is to follow. */
  get isMidUnit(): boolean {
    const unit = this.current;
    return unit !== undefined && unit.sent > 0 && !unit.handedOver;
  }

  /** Bytes of the unit being sent wait for room in the session. */
  get hasBytesToSend(): boolean {
    const unit = this.current;
    return unit !== undefined && unit.released && unit.sent < unit.length;
  }

  /** The last unit that was released is broken: the session takes no more. */
  get isBroken(): boolean {
    return this.#sending > 0 && this.#units[this.#sending - 1]!.broken !== undefined;
  }

  /** A unit begins to be captured. */
  add(unit: Unit): void {
    // An array that was pushed to has room for sixteen more, which most of those that wait will never need.
    if (this.#units.length === 0) this.#units = [unit];
    else this.#units.push(unit);
    this.discarding = false;
  }

  /** The unit being captured is complete. */
  endLast(): void {
    const unit = this.last;
    if (unit !== undefined) unit.ended = true;
    this.discarding = true;
    this.cutShort = false;
  }

  /** All of the current unit is with the session. */
  advance(): void {
    this.#sending++;
  }

  /** Takes the first unit out, and drops what of it was not sent. */
  removeFirst(): Unit {
    const unit = this.#units.shift()!;
    this.bytes.discard(unit.length - unit.sent);
    if (this.#sending > 0) this.#sending--;
    return unit;
  }

  /** Takes the current unit out, of which nothing was sent. */
  removeCurrent(): Unit {
    const unit = this.current!;
    if (!unit.ended) this.discarding = true;
    this.bytes.discard(unit.length);
    this.#units.splice(this.#sending, 1);
    return unit;
  }

  /** Takes the last unit out, of which nothing was sent, and `refused` bytes never were in the queue. */
  removeLast(refused: number): Unit {
    const unit = this.#units.pop()!;
    this.bytes.discardTail(unit.length - refused);
    return unit;
  }
}
