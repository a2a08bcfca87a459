import { monotonicNow } from '../clock/clock.ts';
import type { Instant } from '../core/time.ts';

/**
 * The time that everything in one turn of the loop shares: read once at its beginning. Callbacks that come between
 * turns read the clock.
 */
export class LoopClock {
  /** The time by now, in a turn too. */
  readonly read: () => Instant;
  #frozen: Instant | undefined;

  readonly now = (): Instant => this.#frozen ?? this.read();

  constructor(read: () => Instant = monotonicNow) {
    this.read = read;
  }

  /** A turn begins, or has gone on for a while. */
  freeze(): Instant {
    this.#frozen = this.read();
    return this.#frozen;
  }

  /** The turn is over. */
  thaw(): void {
    this.#frozen = undefined;
  }
}
