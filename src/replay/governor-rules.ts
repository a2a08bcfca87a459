/**
 * What counts as trouble, and how hard it is answered: the rules of the governor, one for each reason to leave connections
 * out. Measured values are averaged over the last second, so that no single step decides, but for what must not wait.
 */
import { millis, seconds, type Duration } from '../core/time.ts';
import type { ShedReason } from '../report/ledger.ts';

export interface GovernorLimits {
  /** Own CPU time, where 1 is one processor; `undefined`: no limit. */
  readonly cpu: number | undefined;
  /** Busy share of all processors of the host, 0 to 1; `undefined`: no limit. */
  readonly hostCpu: number | undefined;
  /** Memory beyond what the process had at the start, bytes. */
  readonly memory: number;
  /** Bytes that may wait for the target. */
  readonly queued: number;
  /** Whether connections are left out for the target's sake, too. */
  readonly target: boolean;
}

/** What was measured since the readings before, or just now. */
export interface Readings {
  /** Own CPU time over the time that passed: 1 is one processor. */
  readonly cpu: number;
  /** Busy share of the host's processors; `undefined`: not known, or nobody asked. */
  readonly hostCpu: number | undefined;
  /** Frames that were read, and that the kernel has dropped. */
  readonly frames: number;
  readonly kernelDrops: number;
  /** Now, beyond what the process had at the start, bytes. */
  readonly memory: number;
  /** Bytes that wait for the target now. */
  readonly queued: number;
  /** Copies whose client has gone on, while the target still owes them a response, now. */
  readonly behind: number;
  /** Sessions of which the target takes no more bytes, and copies that have something under way, now. */
  readonly shutOut: number;
  readonly busy: number;
  /** Whether sessions can be opened at all, so that the target can be judged. */
  readonly ready: boolean;
  /** Units that were sent, and the sum of how late. */
  readonly sent: number;
  readonly late: Duration;
  /** Units that were answered, and the sum of how long after their capture. */
  readonly answered: number;
  readonly age: Duration;
  /** Packets to the target that the kernel took, and that it refused. */
  readonly packets: number;
  readonly unsent: number;
  /** Units that the target refused, or broke off. */
  readonly failed: number;
  /** Responses that say the service failed, where responses are read. */
  readonly errors: number;
}

export type Verdict =
  | { readonly state: 'clear' | 'hold' }
  | {
      readonly state: 'over';
      readonly reason: ShedReason;
      /** What becomes of the share, and below what it does not fall for this. */
      readonly factor: number;
      readonly floor: number;
      /** Without waiting for what the last cut did. */
      readonly atOnce: boolean;
    };

/** What a step stands for. */
export const STEP = millis(100);

const CLEAR: Verdict = { state: 'clear' };
const HOLD: Verdict = { state: 'hold' };

/** Steps that averages are taken over. */
const WINDOW = 10;
/** A limit is no more in danger below this part of it. */
const CALM_BELOW = 0.8;
/** So many must wait before a target is judged by who waits: a single slow request is none of our business. */
const LEAST_BEHIND = 16;
/** Steps without an answer while they wait; and where the kernel refuses most of what is sent, which is not the target's fault. */
const SILENCE = 15;
const SILENCE_UNASKED = 50;
/** What becomes of the share when the kernel drops next to nothing, and the least that a cut for it leaves. */
const DROPS_CUT = 0.95;
const DROPS_CUT_MOST = 0.7;
/**
 * Shares of the copies under way whose windows are shut, and steps: a receiver shuts its window now and then, one that keeps it
 * shut on most connections reads less than it is sent.
 */
const FULL = 0.5;
const FULL_CALM = 0.25;
const FULL_FOR = 50;
/** A target may be slower than the online server; not so slow that what it gets is older than this. */
const LATE = seconds(10);
const LATE_CALM = seconds(6);
/** By so much less late than a second before: the target serves what came in three seconds in one. */
const FALLING = seconds(2);
/** How long after their capture units must be answered before it counts who else waits. */
const AGE_OF_SLOW = seconds(1);
/** So many failures and successes in a second before their ratio says anything; fewer while few are sent for it. */
const LEAST_OUTCOMES = 20;
const LEAST_OUTCOMES_AGAIN = 3;
const FAILING = 0.5;
const FAILING_CALM = 0.25;
/** Of a failing target something is still to be seen; a silent one is only asked whether it is there. */
const FAILING_FLOOR = 0.1;
const SLOW_FLOOR = 0.05;
const SILENT_FLOOR = 0.01;

export class GovernorRules {
  readonly #limits: GovernorLimits;
  readonly #window: Readings[] = [];
  /** How late things were, by step. */
  readonly #lateness: number[] = [];
  #silence = 0;
  #fullFor = 0;
  #lateFor = 0;
  #failing = false;

  constructor(limits: GovernorLimits) {
    this.#limits = limits;
  }

  /** The hardest of what the rules say. */
  judge(readings: Readings): Verdict {
    this.#window.push(readings);
    if (this.#window.length > WINDOW) this.#window.shift();
    const verdicts = [
      this.#memory(readings),
      this.#kernelDrops(readings),
      this.#limit('cpu', this.#mean('cpu'), this.#limits.cpu),
      this.#limit('host-cpu', this.#mean('hostCpu'), this.#limits.hostCpu),
      ...(this.#limits.target ? this.#target(readings) : []),
    ];
    let worst: Verdict = CLEAR;
    for (const verdict of verdicts) {
      if (verdict.state === 'over' && (worst.state !== 'over' || verdict.factor < worst.factor)) worst = verdict;
      else if (verdict.state === 'hold' && worst.state === 'clear') worst = verdict;
    }
    return worst;
  }

  #memory({ memory, queued }: Readings): Verdict {
    const used = Math.max(memory / this.#limits.memory, queued / this.#limits.queued);
    if (used > 1) return { state: 'over', reason: 'memory', factor: 0.5, floor: 0, atOnce: true };
    return used > CALM_BELOW ? HOLD : CLEAR;
  }

  /**
   * What the kernel drops tears holes into connections at random: fewer whole ones are better, by somewhat more than was
   * dropped, so that the buffer is caught up with.
   */
  #kernelDrops({ kernelDrops }: Readings): Verdict {
    if (kernelDrops === 0) return CLEAR;
    const dropped = sum(this.#window, 'kernelDrops');
    const factor = Math.max(DROPS_CUT_MOST, DROPS_CUT - dropped / (dropped + sum(this.#window, 'frames')));
    return { state: 'over', reason: 'kernel-drops', factor, floor: 0, atOnce: false };
  }

  #limit(reason: 'cpu' | 'host-cpu', value: number | undefined, limit: number | undefined): Verdict {
    if (value === undefined || limit === undefined) return CLEAR;
    if (value <= limit) return value > limit * CALM_BELOW ? HOLD : CLEAR;
    // What others take is not ours to reckon with: only less of our own helps.
    const factor = reason === 'host-cpu' ? 0.6 : Math.min(0.95, Math.max(0.5, limit / value));
    return { state: 'over', reason, factor, floor: 0, atOnce: false };
  }

  /** A target that cannot be reached for want of an intercept says nothing about itself. */
  #target(readings: Readings): Verdict[] {
    if (!readings.ready) {
      this.#silence = 0;
      this.#fullFor = 0;
      return [HOLD];
    }
    return [this.#silent(readings), this.#slow(), this.#full(readings), this.#failures()];
  }

  #silent({ behind, answered, failed }: Readings): Verdict {
    this.#silence = behind >= LEAST_BEHIND && answered === 0 && failed === 0 ? this.#silence + 1 : 0;
    const unasked = sum(this.#window, 'unsent') > sum(this.#window, 'packets');
    if (this.#silence < (unasked ? SILENCE_UNASKED : SILENCE)) return CLEAR;
    return { state: 'over', reason: 'target-silent', factor: 0, floor: SILENT_FLOOR, atOnce: true };
  }

  /**
   * How late units are sent, where clients wait for one response before they send the next; where they do not, how long
   * those behind will wait at the rate of answers. Responses that never end, of which there may be many, are no sign of that
   * while others come at once.
   */
  #slow(): Verdict {
    const seen = this.#window;
    const answered = sum(seen, 'answered');
    const { behind } = seen.at(-1)!;
    const judged = answered > 0 && sum(seen, 'age') / answered > AGE_OF_SLOW;
    const wait = judged ? (behind * seen.length * STEP) / answered : 0;
    const sent = sum(seen, 'sent');
    const late = Math.max(wait, sent === 0 ? 0 : sum(seen, 'late') / sent);
    this.#lateness.push(late);
    const before = this.#lateness.length > WINDOW ? this.#lateness.shift()! : 0;
    this.#lateFor = late > LATE ? this.#lateFor + 1 : 0;
    // What is worked off much faster than it came in says that the target can do more, however old it is.
    if (late < before - FALLING) return CLEAR;
    if (late <= LATE) return late > LATE_CALM ? HOLD : CLEAR;
    // A pause is not slowness: averages are of the time after it once they have been renewed.
    if (this.#lateFor <= WINDOW) return HOLD;
    // What waits already must be worked off first.
    if (late < before * 1.02) return HOLD;
    return { state: 'over', reason: 'target-slow', factor: 0.75, floor: SLOW_FLOOR, atOnce: false };
  }

  #full({ shutOut, busy }: Readings): Verdict {
    const share = shutOut < LEAST_BEHIND ? 0 : shutOut / Math.max(busy, shutOut);
    this.#fullFor = share > FULL ? this.#fullFor + 1 : 0;
    if (this.#fullFor >= FULL_FOR)
      return { state: 'over', reason: 'target-full', factor: 0.75, floor: SLOW_FLOOR, atOnce: false };
    return share > FULL_CALM ? HOLD : CLEAR;
  }

  #failures(): Verdict {
    const errors = sum(this.#window, 'errors');
    const bad = sum(this.#window, 'failed') + errors;
    const all = bad + Math.max(0, sum(this.#window, 'answered') - errors);
    if (all < (this.#failing ? LEAST_OUTCOMES_AGAIN : LEAST_OUTCOMES)) return this.#failing && all > 0 ? HOLD : CLEAR;
    const share = bad / all;
    this.#failing = share > (this.#failing ? FAILING_CALM : FAILING);
    if (!this.#failing) return CLEAR;
    if (share <= FAILING) return HOLD;
    return { state: 'over', reason: 'target-failing', factor: 0.7, floor: FAILING_FLOOR, atOnce: false };
  }

  #mean(field: 'cpu' | 'hostCpu'): number | undefined {
    const known = this.#window.flatMap((readings) => readings[field] ?? []);
    return known.length === 0 ? undefined : known.reduce((a, b) => a + b, 0) / known.length;
  }
}

type SummedReading =
  'frames' | 'kernelDrops' | 'answered' | 'age' | 'sent' | 'late' | 'packets' | 'unsent' | 'failed' | 'errors';

function sum(window: readonly Readings[], field: SummedReading): number {
  return window.reduce((n, readings) => n + readings[field], 0);
}
