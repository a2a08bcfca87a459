/** Time that passes when a test says so: for a plugin's `env.now`, its deadlines, and what it delays. */
import { addTime, instant, millis, NEVER, type Duration, type Instant } from '../core/time.ts';
import type { HostClock } from '../pipeline/tap-runner.ts';
import { TimerWheel } from '../replay/timer-wheel.ts';

/** Unix time in microseconds: any moment will do, so that it is not taken for a duration. */
const BEGIN = 1_700_000_000_000_000;

interface Timer {
  readonly at: number;
  readonly fn: () => void;
}

export class TestClock implements HostClock {
  #now: Instant = instant(BEGIN);
  readonly #timers = new Set<Timer>();

  /** Monotonic, in microseconds. */
  readonly now = (): Instant => this.#now;

  after(delay: Duration, fn: () => void): () => void {
    const timer = { at: this.#now + delay, fn };
    this.#timers.add(timer);
    return () => void this.#timers.delete(timer);
  }

  /** Timers that are set. */
  get pending(): number {
    return this.#timers.size;
  }

  pass(ms: number): void {
    this.advanceTo(addTime(this.#now, millis(ms)));
  }

  /** Moves to `until`, firing on the way what is due, in order. */
  advanceTo(until: Instant): void {
    for (let next = this.#first(until); next !== undefined; next = this.#first(until)) {
      this.#timers.delete(next);
      if (next.at > this.#now) this.#now = instant(next.at);
      next.fn();
    }
    if (until > this.#now) this.#now = until;
  }

  #first(until: Instant): Timer | undefined {
    let first: Timer | undefined;
    for (const timer of this.#timers) {
      if (timer.at <= until && (first === undefined || timer.at < first.at)) first = timer;
    }
    return first;
  }
}

/** A wheel that the engine never sleeps for: no timer of the real world keeps a test's process alive. */
export class TestWheel extends TimerWheel {
  override nextWake(): Instant {
    return NEVER;
  }

  /** When the next timer is due. */
  due(): Instant {
    return super.nextWake();
  }
}
