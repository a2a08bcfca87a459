import { instant, type Instant } from '../core/time.ts';

/**
 * The loop's clock: microseconds, monotonic, near Unix time, so that what is derived from it (initial sequence numbers)
 * moves on across restarts.
 */
export function monotonicNow(): Instant {
  return instant((performance.timeOrigin + performance.now()) * 1_000);
}

/** Unix time in microseconds: the clock that captured frames carry. */
export function unixNow(): Instant {
  return instant(Date.now() * 1_000);
}
