/**
 * Whether to hurry: requests leave late although the target answers at once. Each connection waits for a response before its
 * next request, so its rate is bounded by how long a response is on its way: rests, in which responses gather, are a good part
 * of that. They are given up, here and at the intercepts, until what waited has been worked off. Where the target takes its
 * time itself nothing would be won.
 */
import { millis, type Duration } from '../core/time.ts';

/** What a run has sent and heard since the time before: counts, and sums of how long after the capture that was. */
export interface Pace {
  readonly sent: number;
  readonly late: Duration;
  readonly answered: number;
  readonly age: Duration;
}

/**
 * Requests that leave so late in so many steps on end have waited for the responses before them. A step alone may be late because
 * this process was kept from running: by the host, or by itself.
 */
const LATE = millis(20);
const LATE_STEPS = 3;
/** As late as they are when none has to wait, rests included. */
const IN_TIME = millis(8);
/** A response that is longer under way is so for the target's sake. */
const PROMPT = millis(20);
const SLOW = millis(50);
/** Steps without being late until it is over. */
const CALM = 5;

export class Hurry {
  #on = false;
  #late = 0;
  #calm = 0;

  get on(): boolean {
    return this.#on;
  }

  /** To be called several times a second; returns whether it has changed. `undefined`: being late is no matter now. */
  step(pace: Pace | undefined): boolean {
    const before = this.#on;
    if (pace === undefined || pace.sent === 0 || pace.answered === 0) {
      this.#settle();
      return before !== this.#on;
    }
    const { sent, late, answered, age } = pace;
    const lateness = late / sent;
    const underWay = age / answered - lateness;
    if (underWay > (this.#on ? SLOW : PROMPT) || lateness < IN_TIME) this.#settle();
    else {
      this.#calm = 0;
      this.#late = lateness > LATE ? this.#late + 1 : 0;
      if (this.#late >= LATE_STEPS) this.#on = true;
    }
    return before !== this.#on;
  }

  #settle(): void {
    this.#late = 0;
    if (++this.#calm >= CALM) this.#on = false;
  }
}
