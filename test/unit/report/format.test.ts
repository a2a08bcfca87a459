import fc from 'fast-check';
import { expect, it } from 'vitest';
import { micros, millis, seconds } from '../../../src/core/time.ts';
import {
  formatBytes,
  formatClock,
  formatCount,
  formatShare,
  formatTime,
  plural,
  wrap,
} from '../../../src/report/format.ts';

it('counts', () => {
  expect(formatCount(1_234_567)).toBe('1,234,567');
  expect(plural(1, 'request')).toBe('1 request');
  expect(plural(0, 'request')).toBe('0 requests');
});

it('shares are never rounded to all or nothing', () => {
  expect(formatShare(1, 3)).toBe('33.33 %');
  expect(formatShare(99_999_999, 100_000_000)).toBe('99.99 %');
  expect(formatShare(1, 100_000_000)).toBe('0.01 %');
  expect(formatShare(5, 5)).toBe('100 %');
  expect(formatShare(0, 5)).toBe('0 %');
  expect(formatShare(0, 0)).toBe('–');
});

it.each([
  [0, '0 bytes'],
  [1, '1 byte'],
  [999, '999 bytes'],
  [1000, '1.00 kB'],
  [999_949, '999.9 kB'],
  [999_950, '1.00 MB'],
  [18_200_000, '18.2 MB'],
  [5e18, '5000.0 PB'],
])('%d bytes', (n, text) => expect(formatBytes(n)).toBe(text));

it.each([
  [micros(420), '420 µs'],
  [millis(1.34), '1.3 ms'],
  [seconds(12.44), '12.4 s'],
  [seconds(200), '3 min 20 s'],
  [seconds(7261), '2 h 1 min 1 s'],
])('%d µs', (d, text) => expect(formatTime(d)).toBe(text));

it('clock', () => expect(formatClock(seconds(3723.9))).toBe('01:02:03'));

it('wrapping loses no word and keeps to the width where words allow it', () => {
  fc.assert(
    fc.property(
      fc.array(fc.stringMatching(/^[a-z]{1,12}$/), { minLength: 1 }),
      fc.integer({ min: 5, max: 40 }),
      (words, width) => {
        const lines = wrap(words.join(' '), width);
        expect(lines.join(' ')).toBe(words.join(' '));
        for (const line of lines) expect(line.length <= width || !line.includes(' ')).toBe(true);
      },
    ),
  );
});
