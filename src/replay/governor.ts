/**
 * How large a share of the connections is copied just now: the one decision behind all shedding, without clock and sensors.
 *
 * Theory of operation. Ten times a second the run hands over what it has measured since the time before (`step`). Rules look
 * at it, each at one kind of trouble, and say *over*, *hold* or *clear* (governor-rules). Over cuts the share, at most twice
 * a second where a rule looks at averages; while one holds it stays; when all have been clear for half a second it grows
 * again: quickly up to where the last cut was made, then by four or six hundredths a step, so that all is copied again within five
 * seconds. Steps are the only clock: a step that comes late, because the machine stood still, is one step.
 *
 * Every connection has a place between 0 and 1, and is copied while its place is below the share: the same connections are
 * left out first and come back last. Where it is for the target's sake that connections are left out, a few messages a
 * second go to it all the same (*probes*): only so can be seen that it is well again.
 */
import { Counters } from '../core/counters.ts';
import type { Duration } from '../core/time.ts';
import { SHED_REASONS, type ShedReason } from '../report/ledger.ts';
import type { GovernorFacts } from '../report/run-facts.ts';
import { GovernorRules, STEP, type GovernorLimits, type Readings, type Verdict } from './governor-rules.ts';

/** Steps between two cuts by rules that look at averages, and of calm before the share grows. */
const BETWEEN_CUTS = 5;
const CALM = 5;
/** After a kernel drop: what was left out may only be seen to help when the kernel's buffer has been read. */
const CALM_AFTER_DROPS = 20;
/** How the share grows below where the last cut was made, and above. */
const QUICK = 1.25;
const QUICK_LEAST = 0.01;
const SLOW = 0.04;
/** Of a slow target it shows only seconds later whether it bears what it gets, so steps that small tell nothing more. */
const SLOW_FOR_SLOW = 0.06;
/** A slow target is not among them: while it works off what has gathered it must not wait for us. */
const SPARED: ReadonlySet<ShedReason> = new Set(['host-cpu', 'target-silent', 'target-failing']);
/** Probes saved up at most; one comes with each step. */
const MOST_PROBES = 5;

export class Governor {
  readonly #rules: GovernorRules;
  #share = 1;
  #reason: ShedReason | undefined;
  /** Where the share was when it was last cut. */
  #cutFrom = 1;
  #sinceCut = BETWEEN_CUTS;
  #calm = 0;
  #probes = 0;
  #spells = 0;
  #spares = false;
  /** With less than all copied, by why. */
  readonly #steps = new Counters(SHED_REASONS);

  constructor(limits: GovernorLimits) {
    this.#rules = new GovernorRules(limits);
  }

  /** From 0 to 1. */
  get share(): number {
    return this.#share;
  }

  /** Why connections are left out, or were last; `undefined`: none ever were. */
  get reason(): ShedReason | undefined {
    return this.#reason;
  }

  /** The target is silent: nobody should wait for it as long as for one that is only slow. */
  get targetIsSilent(): boolean {
    return this.#share < 1 && this.#reason === 'target-silent';
  }

  /**
   * Being no burden comes before being in time, as of the last step: what is sent is sent in vain, or others need this host's
   * processors. Not any more when it gets better, since what has gathered must be worked off for all to be well.
   */
  get spares(): boolean {
    return this.#spares;
  }

  /** Whether a connection at this place is copied. */
  takes(place: number): boolean {
    return place < this.#share;
  }

  /** Whether a message on a connection at this place is copied, if only as a probe, which is used up with it. */
  admits(place: number): boolean {
    if (place < this.#share) return true;
    if (this.#probes < 1) return false;
    this.#probes--;
    return true;
  }

  /** To be called every `STEP` with what was measured since the call before. */
  step(readings: Readings): void {
    const verdict = this.#rules.judge(readings);
    this.#sinceCut++;
    this.#spares = verdict.state === 'over' && SPARED.has(verdict.reason);
    if (verdict.state === 'over') this.#cut(verdict);
    else if (verdict.state === 'clear') this.#grow();
    if (this.#share < 1) this.#steps.add(SHED_REASONS.indexOf(this.#reason!));
    const forTheTarget = this.#share < 1 && this.#reason?.startsWith('target') === true;
    this.#probes = forTheTarget ? Math.min(MOST_PROBES, this.#probes + 1) : 0;
  }

  facts(): GovernorFacts {
    const steps = (reason: ShedReason): number => this.#steps.get(reason);
    const reasons = SHED_REASONS.filter((reason) => steps(reason) > 0).toSorted((a, b) => steps(b) - steps(a));
    return {
      share: this.#share,
      reason: this.#share < 1 ? this.#reason : undefined,
      reasons,
      spells: this.#spells,
      time: (STEP * this.#steps.values.reduce((a, b) => a + b)) as Duration,
    };
  }

  #cut({ reason, factor, floor, atOnce }: Extract<Verdict, { state: 'over' }>): void {
    this.#calm = reason === 'kernel-drops' ? CALM - CALM_AFTER_DROPS : 0;
    if (this.#share === 1) this.#spells++;
    // A share that is lower already stays, whatever this rule would be content with.
    const wanted = Math.max(Math.min(floor, this.#share), this.#share * factor);
    if (!atOnce && this.#sinceCut < BETWEEN_CUTS) return;
    // Where nothing more is left out, neither has another reason to, nor is anything learnt of what can be borne.
    if (wanted === this.#share) return;
    this.#reason = reason;
    this.#sinceCut = 0;
    // Of a silent target nothing is learnt about how much it can bear.
    this.#cutFrom = reason === 'target-silent' ? 1 : this.#share;
    this.#share = wanted;
  }

  #grow(): void {
    this.#calm++;
    if (this.#share === 1 || this.#calm < CALM) return;
    const slow = this.#reason === 'target-slow' ? SLOW_FOR_SLOW : SLOW;
    const grown =
      this.#share < this.#cutFrom ? Math.min(this.#cutFrom, this.#share * QUICK + QUICK_LEAST) : this.#share + slow;
    this.#share = grown > 1 - slow / 2 ? 1 : grown;
  }
}
