/**
 * Wake-up moderation for a loop over live sources, as network drivers moderate interrupts: a turn that did something is
 * followed by a rest, in which frames and socket data gather to be dealt with together. The rest follows the load: as
 * long as it takes for a worthwhile batch, at most a few milliseconds, none when a turn finds that much anyway. An idle
 * loop is not slowed down: the first event after a silence is handled at once.
 *
 * A wake-up costs 20 to 50 µs of CPU time (switch, epoll, callbacks, one system call for each socket and each batch of
 * packets), a packet in a batch one or two. At a few thousand packets a second that is most of the cost.
 *
 * The rest blocks the thread, which is the point: an event loop that sleeps in epoll would be woken by the first event.
 * Signals wait for it, too. For the same reason a loop that can see by itself what has come stays away from the event loop
 * for several turns (`mayStay`): going through epoll and the callbacks costs as much as the turn.
 */
import { performance } from 'node:perf_hooks';
import { loadNative } from '../native/load.ts';

/** Events that make a turn worth its wake-up. */
const BATCH = 32;
/** The longest rest, from the beginning of one turn to that of the next, milliseconds: half of it is the usual delay. */
const LONGEST_MS = 4;
/** Not worth two switches of context. */
const SHORTEST_MS = 0.25;
/** How long the event loop, with its signals, timers and sockets, may have to wait, milliseconds. */
const AWAY_MS = 100;

const cell = new Int32Array(new SharedArrayBuffer(4));

const { addon } = loadNative();

/** Blocks the thread; the native sleep costs half of what `Atomics.wait` does. */
function pause(milliseconds: number): void {
  if (addon === undefined) Atomics.wait(cell, 0, 0, milliseconds);
  else addon.pause(Math.round(milliseconds * 1_000));
}

export class WakeModeration {
  readonly #pause: (milliseconds: number) => void;
  readonly #now: () => number;
  #began = 0;
  #period = 0;
  /** Of the turn before. */
  #periodBefore = 0;
  #eventsBefore = 0;
  /** The event loop called before this turn. */
  #called = true;
  /** When it did, and when the last rest ended, or the turn that was followed by none; about. */
  #entered = 0;
  #rested = 0;

  /** `now`: milliseconds. */
  constructor(wait = pause, now = (): number => performance.now()) {
    this.#pause = wait;
    this.#now = now;
  }

  /** The event loop has called. */
  enter(): void {
    this.#called = true;
  }

  /** When `rest` has returned true: whether the next turn can begin without having gone back to the event loop. */
  get mayStay(): boolean {
    return this.#called || this.#rested - this.#entered < AWAY_MS;
  }

  /** A turn begins. */
  begin(): void {
    const now = this.#now();
    this.#period = now - this.#began;
    this.#began = now;
    if (this.#called) this.#entered = now;
    this.#called = false;
  }

  /**
   * The turn has handled so many events. Blocks until the next is due: so long that `batch` events gather at the rate seen in this
   * turn and the one before, but `longest` milliseconds from the turn's beginning at most, and not at all where the turn itself
   * took that long. Returns whether there should be something to do by now, rather than when the event loop calls.
   */
  rest(events: number, longest = LONGEST_MS, batch = BATCH): boolean {
    const each = (this.#period + this.#periodBefore) / (events + this.#eventsBefore);
    this.#periodBefore = this.#period;
    this.#eventsBefore = events;
    // So few come that waiting would gather nothing.
    if (!(each < longest)) return false;
    const now = this.#now();
    const wanted = this.#began + Math.min(each * batch, longest) - now;
    const rests = wanted >= SHORTEST_MS;
    this.#rested = rests ? now + wanted : now;
    if (rests) this.#pause(wanted);
    return true;
  }
}
