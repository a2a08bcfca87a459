/** Since when a stream has been waiting at the same hole. */
import type { SeqNum } from '../core/seq-num.ts';
import { elapsed, instant, type Duration, type Instant } from '../core/time.ts';

export class HoleClock {
  #at: SeqNum | undefined = undefined;
  #since: Instant = instant(0.5);

  get running(): boolean {
    return this.#at !== undefined;
  }

  /** The stream waits at `at`, as has been known since `since`; the clock goes on if it waited there before. */
  start(at: SeqNum, since: Instant): void {
    if (this.#at === at) return;
    this.#at = at;
    this.#since = since;
  }

  stop(): void {
    this.#at = undefined;
  }

  overdue(now: Instant, patience: Duration): boolean {
    return this.#at !== undefined && elapsed(now, this.#since) >= patience;
  }
}
