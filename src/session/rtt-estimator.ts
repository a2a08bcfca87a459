/**
 * Round trips, and the retransmission timeout that follows from them (RFC 6298). All values are whole microseconds, so they
 * stay small integers. Without timestamps one segment at a time is timed.
 *
 * Two departures, both for lossy paths. (1) A timeout doubles the RTO (§5.5), and each acknowledgement of new data halves
 * it again, where §5.7 would wait for a sample from a segment sent once: at 30 % loss that wait keeps every timeout at
 * the cap, while halving still climbs step by step to a round trip that has really become longer. (2) A repeated SYN does
 * not raise the RTO to three seconds.
 */
import { seqGe, seqNum, type SeqNum } from '../core/seq-num.ts';
import {
  elapsedShort,
  instant,
  micros,
  shorten,
  type Duration,
  type Instant,
  type ShortInstant,
} from '../core/time.ts';

/** G of RFC 6298 §2: what the owner's loop adds to any timer. */
const GRANULARITY = 1_000;

/** Longer than any real round trip: a larger sample is a mistake of somebody's clock. */
const SAMPLE_MAX = 60_000_000;

/** What all sessions of a target share. */
export interface RtoLimits {
  readonly initialRto: Duration;
  readonly minRto: Duration;
  readonly maxRto: Duration;
}

export class RttEstimator {
  /** 0 before the first sample. */
  smoothed = 0;
  variation = 0;
  /** Doublings in force. */
  backoff = 0;
  /** The segment that ends at `#timedEnd`, sent once at `#timedAt`, is being timed. */
  timing = false;
  #timedEnd: SeqNum = seqNum(0);
  #timedAt: ShortInstant = shorten(instant(0));
  #base: number;
  readonly #limits: RtoLimits;

  constructor(limits: RtoLimits) {
    this.#limits = limits;
    this.#base = limits.initialRto | 0;
  }

  /** The timeout to set now. */
  get rto(): Duration {
    return this.timeout(this.backoff);
  }

  /** The timeout after `doublings`, within the cap. */
  timeout(doublings: number): Duration {
    const timeout = this.#base * (1 << Math.min(doublings, 20));
    const { maxRto } = this.#limits;
    return timeout < maxRto ? micros(timeout) : maxRto;
  }

  /** A segment that ends at `end` goes out for the first time, and is timed. */
  startTiming(now: Instant, end: SeqNum): void {
    this.timing = true;
    this.#timedEnd = end;
    this.#timedAt = shorten(now);
  }

  /** Takes a sample if what is timed has been acknowledged; returns whether it has. */
  timed(now: Instant, ack: SeqNum): boolean {
    if (!this.timing || !seqGe(ack, this.#timedEnd)) return false;
    this.timing = false;
    this.sample(elapsedShort(now, this.#timedAt));
    return true;
  }

  /** A round trip measured on a segment that was sent once (Karn), or by a timestamp. RFC 6298 §2.2–2.4. */
  sample(microseconds: number): void {
    if (microseconds < 0 || microseconds > SAMPLE_MAX) return;
    const r = Math.max(1, microseconds | 0);
    if (this.smoothed === 0) {
      this.smoothed = r;
      this.variation = r >> 1;
    } else {
      const error = r - this.smoothed;
      this.variation += ((error < 0 ? -error : error) - this.variation) >> 2;
      this.smoothed = Math.max(1, this.smoothed + (error >> 3));
    }
    const rto = this.smoothed + Math.max(GRANULARITY, 4 * this.variation);
    const { minRto, maxRto } = this.#limits;
    this.#base = (rto < minRto ? minRto : rto > maxRto ? maxRto : rto) | 0;
  }

  timedOut(): void {
    this.backoff++;
  }

  progressed(): void {
    if (this.backoff > 0) this.backoff--;
  }
}
