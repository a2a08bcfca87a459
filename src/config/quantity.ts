/** Numbers with units, as people type them. Every parser throws a one-line error that names flag, value and range. */
import { micros, type Duration } from '../core/time.ts';
import { optionError } from './option-error.ts';

const KILO = 1024;
const SIZE_UNITS: Readonly<Record<string, number>> = { b: 1, k: KILO, m: KILO ** 2, g: KILO ** 3 };
const DURATION_UNITS: Readonly<Record<string, number>> = { us: 1, ms: 1e3, s: 1e6, m: 60e6, h: 3_600e6, d: 86_400e6 };

const RATE_UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3_600 };

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** A whole number within a range. */
export function parseInteger(flag: string, text: string, { min, max }: Range, hint?: string): number {
  const n = /^\d{1,15}$/.test(text.trim()) ? Number(text) : NaN;
  if (!(n >= min && n <= max)) throw optionError(flag, text, `must be a whole number from ${min} to ${max}`, hint);
  return n;
}

/** A decimal number within a range. */
export function parseDecimal(flag: string, text: string, { min, max }: Range): number {
  const n = parsePlainDecimal(text);
  if (!(n >= min && n <= max)) throw optionError(flag, text, `must be a number from ${min} to ${max}`);
  return n;
}

/** `20`, `20%`, `0.5%`: above 0 (or from 0 with `zeroAllowed`) to 100. */
export function parsePercent(flag: string, text: string, zeroAllowed = false): number {
  const n = parsePlainDecimal(text.trim().replace(/%$/, ''));
  if (!(n <= 100 && (zeroAllowed ? n >= 0 : n > 0))) {
    const range = zeroAllowed ? 'from 0 to 100' : 'above 0 and at most 100';
    throw optionError(flag, text, `must be a percentage ${range}`, 'for example 20 or 0.5%');
  }
  return n;
}

/** `64`, `64M`, `64MB`, `512k`, `1.5G` in bytes; a bare number counts `unit`. Powers of 1,024. */
export function parseSize(flag: string, text: string, unit: 'b' | 'm', { min, max }: Range): number {
  const match = /^(\d+(?:\.\d+)?)\s*([kmg]?)(?:i?b)?$/i.exec(text.trim());
  const letter = match?.[2]?.toLowerCase() ?? '';
  const bytesGiven = /\db$/i.test(text.trim());
  const factor = SIZE_UNITS[letter === '' ? (bytesGiven ? 'b' : unit) : letter]!;
  const bytes = match ? Math.round(Number(match[1]) * factor) : NaN;
  if (!(bytes >= min && bytes <= max)) {
    throw optionError(
      flag,
      text,
      `must be a size from ${formatSize(min)} to ${formatSize(max)}`,
      `for example 64 (${unit === 'm' ? 'megabytes' : 'bytes'}), 512K or 1G`,
    );
  }
  return bytes;
}

/** `600`, `10s`, `500ms`, `5m`, `1h`; a bare number counts `unit`. */
export function parseDuration(
  flag: string,
  text: string,
  unit: 's' | 'ms',
  { min, max }: { readonly min: Duration; readonly max: Duration },
): Duration {
  const match = /^(\d+(?:\.\d+)?)\s*(us|ms|s|m|h|d)?$/.exec(text.trim());
  const value = match ? Number(match[1]) * DURATION_UNITS[match[2] ?? unit]! : NaN;
  if (!(value >= min && value <= max)) {
    throw optionError(
      flag,
      text,
      `must be a time from ${formatDuration(min)} to ${formatDuration(max)}`,
      `for example 600 (${unit === 's' ? 'seconds' : 'milliseconds'}), 10s or 5m`,
    );
  }
  return micros(value);
}

/** `500/s`, `30/m`, `100/h` as a number per second; a bare number counts per second. */
export function parseRate(flag: string, text: string, { min, max }: Range): number {
  const match = /^(\d{1,15}(?:\.\d{1,9})?)\s*(?:\/\s*([smh]))?$/.exec(text.trim());
  const perSecond = match ? Number(match[1]) / RATE_UNITS[match[2] ?? 's']! : NaN;
  if (!(perSecond >= min && perSecond <= max)) {
    const range = `must be a rate from ${min} to ${max} a second`;
    throw optionError(flag, text, range, 'for example 500/s, 30/m or 100/h');
  }
  return perSecond;
}

/** The largest unit that leaves a whole number: `64MB`, `1GB`, `65600 bytes`. */
export function formatSize(bytes: number): string {
  for (const [name, unit] of [
    ['GB', KILO ** 3],
    ['MB', KILO ** 2],
    ['KB', KILO],
  ] as const) {
    if (bytes >= unit && bytes % unit === 0) return `${bytes / unit}${name}`;
  }
  return `${bytes} bytes`;
}

/** The largest unit that leaves a whole number: `10m`, `90s`, `1500us`. */
export function formatDuration(d: Duration): string {
  if (d === 0) return '0';
  const [name, unit] = Object.entries(DURATION_UNITS)
    .reverse()
    .find(([, u]) => d % u === 0) ?? ['us', 1];
  return `${d / unit}${name}`;
}

function parsePlainDecimal(text: string): number {
  return /^\d{1,15}(\.\d{1,9})?$/.test(text.trim()) ? Number(text) : NaN;
}
