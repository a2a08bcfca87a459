/** A bucket that fills at a rate, up to a burst, and may be overdrawn. Its level is held as time. */
import type { Instant } from 'tcpcopy/plugin';

const MICROS = 1e6;

export class Budget {
  /** Microseconds in which it gains one. */
  readonly #interval: number;
  /** Microseconds in which it fills. */
  readonly #span: number;
  /** What times are counted from: they stay small, and fractions of a microsecond are not lost. */
  readonly #begun: Instant;
  /** When it was, or will be, empty and nothing is owed. */
  #even: number;

  /** Full at first. `rate`: per second. */
  constructor(rate: number, burst: number, now: Instant) {
    this.#interval = MICROS / rate;
    this.#span = burst * this.#interval;
    this.#begun = now;
    this.#even = -this.#span;
  }

  /** Milliseconds until nothing is owed any more. */
  owed(now: Instant): number {
    return Math.max(0, this.#even - (now - this.#begun)) / 1_000;
  }

  /** Takes one if there is one. */
  take(now: Instant): boolean {
    this.#fill(now);
    if (this.#even + this.#interval > now - this.#begun) return false;
    this.#even += this.#interval;
    return true;
  }

  /** Takes one that may not be there yet; returns in how many milliseconds it will be. */
  overdraw(now: Instant): number {
    this.#fill(now);
    this.#even += this.#interval;
    return this.owed(now);
  }

  /** Nothing beyond what is paid in so many milliseconds is owed. */
  forgive(ms: number, now: Instant): void {
    this.#even = Math.min(this.#even, now - this.#begun + ms * 1_000);
  }

  #fill(now: Instant): void {
    this.#even = Math.max(this.#even, now - this.#begun - this.#span);
  }
}
