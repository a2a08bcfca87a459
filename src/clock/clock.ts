/** The clocks of a process, in microseconds: whoever needs the time has it from here, or is given it. */
import { instant, type Instant } from '../core/time.ts';

/** The global of that name is a getter, and so is its origin: both cost more than the clock. */
const clock = performance;
const { timeOrigin } = clock;

/**
 * The loop's clock, which frames of live sources carry too: Unix time when the process began, and what has passed since.
 * Monotonic, whatever becomes of the system's clock; near Unix time, so that what is derived from it (initial sequence
 * numbers) moves on across restarts.
 */
export function monotonicNow(): Instant {
  return instant((timeOrigin + clock.now()) * 1_000);
}

/** The system's clock: Unix time, until somebody sets it. */
export function unixNow(): Instant {
  return instant(Date.now() * 1_000);
}

/** The machine's monotonic clock, milliseconds: the same in all its processes. */
function machineMillis(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1e3 + nanoseconds / 1e6;
}

/** What another process of this machine needs to read this one's `monotonicNow`: what that was, ms, at the machine's 0. */
export function monotonicEpoch(): number {
  // Read in this order, here and below, an interruption makes times too early, never such as are still to come.
  const now = timeOrigin + clock.now();
  return now - machineMillis();
}

/** `monotonicNow` of the process with that epoch. */
export function clockOf(epoch: number): () => Instant {
  const machine = machineMillis();
  const origin = epoch + machine - clock.now();
  return () => instant((origin + clock.now()) * 1_000);
}
