import { instant, type Instant } from '../core/time.ts';

/** A getter that costs more than the clock. */
const { timeOrigin } = performance;

/**
 * The loop's clock: microseconds, monotonic, near Unix time, so that what is derived from it (initial sequence numbers)
 * moves on across restarts.
 */
export function monotonicNow(): Instant {
  return instant((timeOrigin + performance.now()) * 1_000);
}

/** Unix time in microseconds: the clock that captured frames carry. */
export function unixNow(): Instant {
  return instant(Date.now() * 1_000);
}

/**
 * The time that everything in one turn of the loop shares: read once at its beginning. Callbacks that come between
 * turns read the clock.
 */
export class LoopClock {
  readonly #read: () => Instant;
  #frozen: Instant | undefined;

  readonly now = (): Instant => this.#frozen ?? this.#read();

  constructor(read: () => Instant = monotonicNow) {
    this.#read = read;
  }

  /** A turn begins, or has gone on for a while. */
  freeze(): Instant {
    this.#frozen = this.#read();
    return this.#frozen;
  }

  /** The turn is over. */
  thaw(): void {
    this.#frozen = undefined;
  }
}
