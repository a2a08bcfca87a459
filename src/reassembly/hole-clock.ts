/** Since when a stream has been waiting at a hole, and what its sender had said by then. Exists only while it waits there. */
import { seqGt, type SeqNum } from '../core/seq-num.ts';
import { elapsed, type Duration, type Instant } from '../core/time.ts';

export class HoleClock {
  readonly at: SeqNum;
  readonly #since: Instant;
  readonly #answers: SeqNum;

  /** `answers`: how far the sender had acknowledged the other side's bytes with what showed the hole at `at`. */
  constructor(at: SeqNum, since: Instant, answers: SeqNum) {
    this.at = at;
    this.#since = since;
    this.#answers = answers;
  }

  /**
   * Whether the sender has acknowledged more of the other side's bytes than with what showed the hole. That one does not
   * count: a request carries the acknowledgement of the response before it, and when both are lost, the next segment that
   * acknowledges that response is the first to show either.
   */
  answered(answers: SeqNum): boolean {
    return seqGt(answers, this.#answers);
  }

  overdue(now: Instant, patience: Duration): boolean {
    return elapsed(now, this.#since) >= patience;
  }
}
