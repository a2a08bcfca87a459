/** Since when a stream has been waiting at a hole, and what its sender had said by then. Exists only while it waits there. */
import { seqGt, type SeqNum } from '../core/seq-num.ts';
import { elapsed, millis, type Duration, type Instant } from '../core/time.ts';

/** Below the least retransmission timer in use (Linux: 200 ms). What comes sooner was overtaken, or sent again at once. */
const LATE = millis(150);

/** How long a hole may stand (see tracker-options). */
export interface HolePatience {
  readonly gapPatience: Duration;
  readonly unansweredGapPatience: Duration;
  readonly resentGapPatience: Duration;
  readonly ackedGapPatience: Duration;
}

export class HoleClock {
  readonly at: SeqNum;
  readonly #since: Instant;
  readonly #answers: SeqNum;
  /** Since when, if the hole before it was filled late. */
  readonly #resent: Instant | undefined;

  /** `answers`: how far the sender had acknowledged the other side's bytes with what showed the hole at `at`. */
  constructor(at: SeqNum, since: Instant, answers: SeqNum, resent: Instant | undefined) {
    this.at = at;
    this.#since = since;
    this.#answers = answers;
    this.#resent = resent;
  }

  /** Whether the hole, filled now, has stood until its sender's timer had it sent again. */
  wasFilledLate(now: Instant): boolean {
    return this.#resent !== undefined || elapsed(now, this.#since) >= LATE;
  }

  /**
   * Whether the sender has acknowledged more of the other side's bytes than with what showed the hole. That one does not
   * count: a request carries the acknowledgement of the response before it, and when both are lost, the next segment that
   * acknowledges that response is the first to show either.
   */
  answered(answers: SeqNum): boolean {
    return seqGt(answers, this.#answers);
  }

  /**
   * Whether the hole has stood longer than it may: if the peer has acknowledged what is missing, so that it will not come
   * again; if the sender goes on by its acknowledgements, or none of them counts (`goesOn`); and if nothing tells that.
   */
  overdue(now: Instant, patience: HolePatience, acked: boolean, goesOn: boolean): boolean {
    const stood = elapsed(now, this.#since);
    if (acked) return stood >= patience.ackedGapPatience;
    if (goesOn) return stood >= patience.gapPatience;
    // A sender that is sending again has longer.
    if (this.#resent === undefined) return stood >= patience.unansweredGapPatience;
    return elapsed(now, this.#resent) >= patience.resentGapPatience;
  }
}
