/**
 * When a recorded frame is due: at once, or at its recorded distance from the first, divided by the acceleration and
 * with long gaps cut down.
 */
import type { Duration, Instant } from '../core/time.ts';

export class FramePacer {
  readonly #acceleration: number;
  readonly #maxGap: Duration | undefined;
  #previous: Instant | undefined;
  #due: Instant | undefined;

  /** `maxGap`: recorded pauses longer than this count as this long. */
  constructor(acceleration: number, maxGap: Duration | undefined) {
    this.#acceleration = acceleration;
    this.#maxGap = maxGap;
  }

  /** Loop time at which the frame recorded at `time` is due. Call once per frame, in order. */
  due(time: Instant, now: Instant): Instant {
    if (this.#previous === undefined || this.#due === undefined) {
      this.#due = now;
    } else {
      // Frames out of order go out at once: time never runs backwards.
      let gap = Math.max(0, time - this.#previous);
      if (this.#maxGap !== undefined) gap = Math.min(gap, this.#maxGap);
      this.#due = (this.#due + gap / this.#acceleration) as Instant;
    }
    this.#previous = this.#previous === undefined || time > this.#previous ? time : this.#previous;
    return this.#due;
  }

  /** The recording begins again: its first frame follows the last one at once. */
  restart(): void {
    this.#previous = undefined;
  }
}
