/** Numbers and columns as people read them. */
import { toSeconds, type Duration } from '../core/time.ts';

const INTEGER = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** `50,000` */
export function formatCount(n: number): string {
  return INTEGER.format(n);
}

/** `1 request`, `2 requests` */
export function plural(n: number, noun: string): string {
  return `${formatCount(n)} ${noun}${n === 1 ? '' : 's'}`;
}

/** Two decimals, and never 100 or 0 for what only comes near: `99.99 %` for 99.999. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (100 * part) / whole;
  if (part === whole) return '100 %';
  if (part === 0) return '0 %';
  return `${Math.min(99.99, Math.max(0.01, percent)).toFixed(2)} %`;
}

/** `312 bytes`, `18.2 MB`; powers of 1,000 as networks count. */
export function formatBytes(n: number): string {
  if (n < 1000) return plural(n, 'byte');
  const units = ['kB', 'MB', 'GB', 'TB', 'PB'];
  let value = n;
  let unit = -1;
  do {
    value /= 1000;
    unit++;
  } while (value >= 999.95 && unit < units.length - 1);
  return `${value.toFixed(value < 10 ? 2 : 1)} ${units[unit]}`;
}

/** `420 µs`, `1.3 ms`, `12.4 s`, `3 min 20 s` */
export function formatTime(d: Duration): string {
  if (d < 1_000) return `${d.toFixed(0)} µs`;
  if (d < 1_000_000) return `${(d / 1_000).toFixed(1)} ms`;
  if (d < 99_950_000) return `${toSeconds(d).toFixed(1)} s`;
  const s = Math.round(toSeconds(d));
  const parts = [Math.floor(s / 3600), Math.floor(s / 60) % 60, s % 60];
  return parts
    .map((n, i) => `${n} ${['h', 'min', 's'][i]}`)
    .slice(parts[0] === 0 ? 1 : 0)
    .join(' ');
}

/** `01:02:03` */
export function formatClock(d: Duration): string {
  const s = Math.floor(toSeconds(d));
  const two = (n: number) => String(n).padStart(2, '0');
  return `${two(Math.floor(s / 3600))}:${two(Math.floor(s / 60) % 60)}:${two(s % 60)}`;
}

/** Breaks a text at blanks into lines of at most `width` characters; a longer word stays whole. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + 1 + word.length <= width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}
