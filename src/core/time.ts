/**
 * Time as values. An `Instant` counts microseconds from the epoch of whichever clock made it (Unix time for captured
 * frames, a monotonic clock for the loop); a `Duration` counts microseconds between two of them. Both are doubles:
 * 2^53 µs is the year 2255, with sub-microsecond fractions until then.
 */
declare const instantBrand: unique symbol;
declare const durationBrand: unique symbol;
declare const shortInstantBrand: unique symbol;

export type Instant = number & { readonly [instantBrand]: true };
export type Duration = number & { readonly [durationBrand]: true };

/** Later than any instant: "no timer is set". */
export const NEVER = Infinity as Instant;

export function instant(microseconds: number): Instant {
  return microseconds as Instant;
}

export function micros(n: number): Duration {
  return n as Duration;
}

export function millis(n: number): Duration {
  return (n * 1_000) as Duration;
}

export function seconds(n: number): Duration {
  return (n * 1_000_000) as Duration;
}

export function addTime(at: Instant, d: Duration): Instant {
  return (at + d) as Instant;
}

/** `later - earlier`; negative when the order is the other way round. */
export function elapsed(later: Instant, earlier: Instant): Duration {
  return (later - earlier) as Duration;
}

/**
 * An instant of which only the lower 32 bits are kept, so that V8 holds it in the field itself: for what is compared with
 * instants less than half an hour away.
 */
export type ShortInstant = number & { readonly [shortInstantBrand]: true };

export function shorten(at: Instant): ShortInstant {
  return (at | 0) as ShortInstant;
}

/** Whole microseconds since `earlier`; the same as `elapsed` where that is between ±2^31. */
export function elapsedShort(later: Instant, earlier: ShortInstant): Duration {
  return (((later | 0) - earlier) | 0) as Duration;
}

export function earliest(a: Instant, b: Instant): Instant {
  return a < b ? a : b;
}

export function toMillis(d: Duration): number {
  return d / 1_000;
}

export function toSeconds(d: Duration): number {
  return d / 1_000_000;
}
