/**
 * A clock that stands still while the process does. After a SIGSTOP, or a long garbage collection, timers fire before
 * the sockets are read: a peer that has been talking all the time would look silent, and its lease forgotten. So time
 * passes in ticks, and none counts for more than `longestStep`.
 */
import { elapsed, addTime, instant, type Duration, type Instant } from '../core/time.ts';

export class RunningClock {
  readonly #longestStep: Duration;
  #seen: Instant;
  #time = instant(0);

  constructor(start: Instant, longestStep: Duration) {
    this.#seen = start;
    this.#longestStep = longestStep;
  }

  /** As of the last tick; it begins at 0. */
  get time(): Instant {
    return this.#time;
  }

  /** `now`: a monotonic clock that does not stand still. */
  tick(now: Instant): Instant {
    const step = elapsed(now, this.#seen);
    this.#seen = now;
    this.#time = addTime(this.#time, step < this.#longestStep ? step : this.#longestStep);
    return this.#time;
  }
}
