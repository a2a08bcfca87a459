/**
 * Hashed timing wheel (Varghese & Lauck 1987, scheme 6): one-millisecond slots, each a doubly linked list threaded
 * through its entries, so setting, moving and cancelling a timer allocates nothing.
 *
 * Moving a timer later only notes the new deadline; the entry is re-filed when its old slot comes up. TCP timers are
 * pushed back with every segment, so this is the common case and costs one store.
 */
import { NEVER, type Instant } from '../core/time.ts';

const SLOT_US = 1_000;
const SLOTS = 4_096;

/** Extend this (or embed it) to have a timer; one deadline an entry. */
export abstract class TimerEntry {
  /** When it is due; `NEVER` when not set. Read-only outside the wheel. */
  deadline: Instant = NEVER;
  filedTick = -1;
  wheelNext: TimerEntry | undefined = undefined;
  wheelPrevious: TimerEntry | undefined = undefined;

  abstract timerFired(now: Instant): void;
}

export class TimerWheel {
  readonly #heads: (TimerEntry | undefined)[] = new Array<TimerEntry | undefined>(SLOTS).fill(undefined);
  /** The next tick to be examined; while `advance` runs, the one under examination. */
  #tick: number;
  #advancing = false;
  #size = 0;

  constructor(now: Instant) {
    this.#tick = Math.floor(now / SLOT_US);
  }

  get size(): number {
    return this.#size;
  }

  /** Sets, moves or (with `NEVER`) cancels. */
  schedule(entry: TimerEntry, deadline: Instant): void {
    if (deadline === entry.deadline) return;
    entry.deadline = deadline;
    if (deadline === NEVER) {
      if (entry.filedTick >= 0) this.#unfile(entry);
      return;
    }
    const tick = this.#tickOf(deadline);
    if (entry.filedTick >= 0) {
      if (entry.filedTick <= tick) return;
      this.#unfile(entry);
    }
    this.#file(entry, tick);
  }

  /** Fires what is due. Entries may schedule others, and themselves, meanwhile. */
  advance(now: Instant): void {
    const last = Math.floor(now / SLOT_US);
    // After a long sleep one round visits every slot; more would visit them again.
    if (last - this.#tick >= SLOTS) this.#tick = last - SLOTS + 1;
    this.#advancing = true;
    for (; this.#tick <= last; this.#tick++) this.#visit(this.#tick % SLOTS, now, last);
    this.#advancing = false;
  }

  /**
   * For the caller to sleep until: at most one slot after the earliest deadline, and possibly long before it. `NEVER`
   * when nothing is set.
   */
  nextWake(): Instant {
    if (this.#size === 0) return NEVER;
    for (let i = 0; i < SLOTS; i++) {
      if (this.#heads[(this.#tick + i) % SLOTS] !== undefined) return ((this.#tick + i) * SLOT_US) as Instant;
    }
    return NEVER;
  }

  /** Fires or files anew what of one slot is to be looked at by tick `last`. */
  #visit(slot: number, now: Instant, last: number): void {
    let entry = this.#heads[slot];
    while (entry !== undefined) {
      const next = entry.wheelNext;
      if (entry.filedTick <= last) {
        this.#unfile(entry);
        if (entry.deadline <= now) {
          entry.deadline = NEVER;
          entry.timerFired(now);
        } else {
          this.#file(entry, this.#tickOf(entry.deadline));
        }
      }
      // A fired timer may have taken `next` out of this slot: then start the slot over.
      entry = next === undefined || (next.filedTick >= 0 && next.filedTick % SLOTS === slot) ? next : this.#heads[slot];
    }
  }

  /** Rounded up, so that a slot is visited only when all in it are due; never a slot already visited. */
  #tickOf(deadline: Instant): number {
    return Math.max(Math.ceil(deadline / SLOT_US), this.#advancing ? this.#tick + 1 : this.#tick);
  }

  #file(entry: TimerEntry, tick: number): void {
    const slot = tick % SLOTS;
    const head = this.#heads[slot];
    entry.filedTick = tick;
    entry.wheelPrevious = undefined;
    entry.wheelNext = head;
    if (head !== undefined) head.wheelPrevious = entry;
    this.#heads[slot] = entry;
    this.#size++;
  }

  #unfile(entry: TimerEntry): void {
    if (entry.wheelPrevious === undefined) this.#heads[entry.filedTick % SLOTS] = entry.wheelNext;
    else entry.wheelPrevious.wheelNext = entry.wheelNext;
    if (entry.wheelNext !== undefined) entry.wheelNext.wheelPrevious = entry.wheelPrevious;
    entry.wheelNext = undefined;
    entry.wheelPrevious = undefined;
    entry.filedTick = -1;
    this.#size--;
  }
}
