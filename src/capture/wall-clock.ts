/**
 * Between the system's clock, which the kernel stamps frames with and which somebody may set, and the loop's, which nobody
 * can. Both are disciplined alike, so they keep their distance until the system's clock is set or the machine sleeps: what is
 * less than STEP is jitter, what is more a step, and stays.
 *
 * So a run goes on when the clock is put back or forward by an hour: patience and idleness are counted in time that passes.
 */
import { addTime, instant, micros, millis, type Duration, type Instant } from '../core/time.ts';
import { monotonicNow, unixNow } from '../clock/clock.ts';

const STEP = millis(100);
/** Asking the system for its time is slow, and what comes before it is asked again is placed within so much. */
const BETWEEN_LOOKS = millis(50);

export class WallClock {
  readonly #unix: () => Instant;
  readonly #loop: () => Instant;
  /** Of the system's clock. */
  #ahead: Duration = millis(0);
  #nextLook: Instant = instant(0);

  constructor(unix = unixNow, loop = monotonicNow) {
    this.#unix = unix;
    this.#loop = loop;
  }

  /** Looks whether the system's clock was set, unless it was asked a moment ago; gives the loop's time. */
  look(): Instant {
    const now = this.#loop();
    if (now < this.#nextLook) return now;
    this.#nextLook = addTime(now, BETWEEN_LOOKS);
    const ahead = this.#unix() - now;
    if (Math.abs(ahead - this.#ahead) > STEP) this.#ahead = micros(ahead);
    return now;
  }

  /** The loop's time at a moment of the system's, as of the last look. */
  toLoop(unix: Instant): Instant {
    return instant(unix - this.#ahead);
  }

  /** The other way. */
  toUnix(time: Instant): Instant {
    return addTime(time, this.#ahead);
  }
}

/** The system has one clock. */
export const wallClock = new WallClock();

/**
 * Puts the times of one source's frames, in the order in which they come, on the loop's clock. A frame from before a step may
 * be read after it: no frame is from later than now, nor much older than the one before it.
 */
export class FrameTimes {
  readonly #wall: WallClock;
  #now: Instant = instant(0);
  #last: Instant = instant(0);

  constructor(wall = wallClock) {
    this.#wall = wall;
  }

  /** Frames follow that have all been captured by now. */
  look(): void {
    this.#now = this.#wall.look();
  }

  /** `unix`: the system's time in microseconds, as the kernel has stamped the frame. */
  place(unix: number): Instant {
    const time = this.#wall.toLoop(unix as Instant);
    if (time < this.#last - STEP) return this.#last;
    if (time <= this.#last) return time;
    this.#last = time > this.#now ? this.#now : time;
    return this.#last;
  }
}
