import { instant, type Instant } from '../core/time.ts';

/** The loop's monotonic clock, microseconds since the process began. Sessions and timers live on it. */
export function monotonicNow(): Instant {
  return instant(performance.now() * 1_000);
}

/** Unix time in microseconds: the clock that captured frames carry. */
export function unixNow(): Instant {
  return instant(Date.now() * 1_000);
}
