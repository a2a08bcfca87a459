/** Since when a stream has been waiting at the same hole. Exists only while it waits. */
import type { SeqNum } from '../core/seq-num.ts';
import { elapsed, instant, type Duration, type Instant } from '../core/time.ts';

export class HoleClock {
  #at: SeqNum | undefined = undefined;
  #since: Instant = instant(0.5);

  /** The stream waits at `at`, as has been known since `since`; the clock goes on if it waited there before. */
  waitAt(at: SeqNum, since: Instant): void {
    if (this.#at === at) return;
    this.#at = at;
    this.#since = since;
  }

  overdue(now: Instant, patience: Duration): boolean {
    return elapsed(now, this.#since) >= patience;
  }
}
