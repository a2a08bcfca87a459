/** Since when a stream has been waiting at the same hole. Exists only while it waits. */
import { seqGt, type SeqNum } from '../core/seq-num.ts';
import { elapsed, instant, type Duration, type Instant } from '../core/time.ts';

export class HoleClock {
  #at: SeqNum | undefined = undefined;
  #since: Instant = instant(0.5);
  #answers: SeqNum | undefined = undefined;
  #shown: SeqNum | undefined = undefined;

  /** The stream waits. */
  get runs(): boolean {
    return this.#at !== undefined;
  }

  /** A segment begins behind the hole, whose sender had acknowledged so much of the other side's bytes before it. */
  show(answers: SeqNum): void {
    this.#shown = answers;
  }

  /**
   * The stream waits at `at`, as has been known since `since`; the clock goes on if it waited there before. `answers`: what
   * the bytes behind the hole acknowledge; `undefined` where it came to light without any: by a bare acknowledgement, which
   * may repeat an earlier one.
   */
  waitAt(at: SeqNum, since: Instant, answers: SeqNum | undefined): void {
    if (this.#at === at) return;
    this.#at = at;
    this.#since = since;
    this.#answers = answers ?? this.#shown;
  }

  /** Whether the sender has acknowledged more of the other side's bytes than with, or before, what lies behind the hole. */
  answered(answers: SeqNum): boolean {
    return this.#answers === undefined || seqGt(answers, this.#answers);
  }

  overdue(now: Instant, patience: Duration): boolean {
    return this.runs && elapsed(now, this.#since) >= patience;
  }
}
