/**
 * How long a rest between two turns may be, and what is worth a turn (capture/wake-moderation.ts): each turn takes the processor
 * and its caches from whoever else runs on this host, and each rest makes somebody wait.
 */
import { millis, toMillis, type Duration } from '../core/time.ts';
import type { Governor } from './governor.ts';

/** While captured data waits for the target, milliseconds: this part of what the target takes to begin a response… */
const HELD_PART = 1 / 8;
/** …between these bounds. A response that takes longer than is needed for the upper one counts as that: a few must not decide. */
const HELD_LEAST = 1.5;
const HELD_MOST = 12;
const SLOWEST = millis(HELD_MOST / HELD_PART);
/**
 * While being no burden comes first, milliseconds. On a busy host a process that we have interrupted is then protected from the
 * service's next wake-up for a while, so it is how often we run that is felt, not for how long.
 */
const SPARING = 20;
/** The events that are worth a turn then. */
const SPARING_BATCH = 512;

export class Rests {
  readonly #governor: Governor | undefined;
  #held = HELD_LEAST;
  /** Responses that have begun since the step before, and the sum of how long they took. */
  #responses = 0;
  #time = 0;

  constructor(governor: Governor | undefined) {
    this.#governor = governor;
  }

  /** Being no burden comes before being in time. */
  get spares(): boolean {
    return this.#governor?.spares === true;
  }

  /**
   * From the beginning of a turn to that of the next at most, milliseconds; `undefined`: as ever. `held`: captured data waits for
   * the target.
   */
  longest(held: boolean): number | undefined {
    if (this.spares) return SPARING;
    return held ? this.#held : undefined;
  }

  /** Events that are worth a turn; `undefined`: as ever. */
  get batch(): number | undefined {
    return this.spares ? SPARING_BATCH : undefined;
  }

  /** The target has begun to respond so long after it was sent all there was. */
  responseBegan(time: Duration): void {
    this.#responses++;
    this.#time += time >= 0 && time < SLOWEST ? time : SLOWEST;
  }

  /** To be called several times a second. */
  step(): void {
    if (this.#responses === 0) return;
    this.#held = Math.max(HELD_LEAST, toMillis((this.#time / this.#responses) as Duration) * HELD_PART);
    this.#responses = this.#time = 0;
  }
}
