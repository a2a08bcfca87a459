import { monotonicNow } from '../clock/clock.ts';
import { instant, type Instant } from '../core/time.ts';

/** Calls that share a reading of the clock. */
const RECENT = 16;

/**
 * The time that everything in one turn of the loop shares: read once at its beginning. Callbacks that come between
 * turns read the clock.
 */
export class LoopClock {
  /** The time by now, in a turn too. */
  readonly read: () => Instant;
  #isFrozen = false;
  #frozen: Instant = instant(0);
  #recent: Instant = instant(0);
  /** How often `recent` was asked for since the clock was read. */
  #asked = 0;

  readonly now = (): Instant => (this.#isFrozen ? this.#frozen : this.read());

  constructor(read: () => Instant = monotonicNow) {
    this.read = read;
  }

  /** The time by now, but for what a few calls of this take: in a turn the clock is read once for several. */
  readonly recent = (): Instant => {
    if (!this.#isFrozen || ++this.#asked > RECENT) {
      this.#asked = 0;
      this.#recent = this.read();
    }
    return this.#recent;
  };

  /** A turn begins, or has gone on for a while. */
  freeze(): Instant {
    this.#asked = 0;
    this.#isFrozen = true;
    return (this.#frozen = this.#recent = this.read());
  }

  /** The turn is over. */
  thaw(): void {
    this.#isFrozen = false;
  }
}
