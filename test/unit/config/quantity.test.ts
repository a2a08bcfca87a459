import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatDuration,
  formatSize,
  parseDecimal,
  parseDuration,
  parseInteger,
  parsePercent,
  parseRate,
  parseSize,
} from '../../../src/config/quantity.ts';
import { micros, millis, seconds } from '../../../src/core/time.ts';
import { lineOf } from './options-fixture.ts';

const MB = 1024 * 1024;

describe('sizes', () => {
  const parse = (text: string, unit: 'b' | 'm' = 'm') => parseSize('-B', text, unit, { min: 1, max: 2 ** 40 });

  it.each([
    ['64', 64 * MB],
    ['64M', 64 * MB],
    ['64MB', 64 * MB],
    ['64 mib', 64 * MB],
    ['1.5G', 1536 * MB],
    ['512k', MB / 2],
    ['100b', 100],
  ])('%s', (text, bytes) => expect(parse(text)).toBe(bytes));

  it('a bare number counts the unit of its flag', () => expect(parse('10', 'b')).toBe(10));

  it.each(['', '-1', '1e3', 'M', '1T', '0', '1.M', '1 2'])('%j is refused', (text) => {
    expect(lineOf(() => parse(text))).toMatch(/must be a size from 1 byte/);
  });
});

describe('times', () => {
  const parse = (text: string, unit: 's' | 'ms' = 's') =>
    parseDuration('-t', text, unit, { min: millis(1), max: seconds(100_000) });

  it.each([
    ['600', seconds(600)],
    ['600s', seconds(600)],
    ['500ms', millis(500)],
    ['1.5m', seconds(90)],
    ['1h', seconds(3600)],
    ['1d', seconds(86_400)],
    ['2000us', millis(2)],
  ])('%s', (text, expected) => expect(parse(text)).toBe(expected));

  it('a bare number counts the unit of its flag', () => expect(parse('10', 'ms')).toBe(millis(10)));

  it.each(['', '-1', '1y', '1 s 2', 's', '0', '101000'])('%j is refused', (text) => {
    expect(lineOf(() => parse(text))).toContain('must be a time from 1ms to 100000s');
  });
});

it('numbers within a range', () => {
  expect(parseInteger('-n', '1023', { min: 1, max: 1023 })).toBe(1023);
  for (const text of ['0', '1024', '1.5', '', '0x10', '1e2', '-1', 'three', '99999999999999999999']) {
    expect(lineOf(() => parseInteger('-n', text, { min: 1, max: 1023 }))).toContain('from 1 to 1023 [E_OPTION]');
  }
  expect(parseDecimal('-a', '0.5', { min: 0.001, max: 10 })).toBe(0.5);
  expect(lineOf(() => parseDecimal('-a', 'NaN', { min: 0, max: 10 }))).toContain('must be a number from 0 to 10');
});

it('percentages', () => {
  expect(parsePercent('-r', '20')).toBe(20);
  expect(parsePercent('-r', '0.5%')).toBe(0.5);
  expect(parsePercent('-r', '100')).toBe(100);
  expect(parsePercent('--min-fidelity', '0', true)).toBe(0);
  for (const text of ['0', '101', '-5', '%', '']) expect(lineOf(() => parsePercent('-r', text))).toMatch(/percentage/);
});

it('rates', () => {
  const parse = (text: string) => parseRate('--rate', text, { min: 0.1, max: 1_000 });
  expect(['500/s', '500', '0.5 / s', '30/m', '3600/h'].map(parse)).toEqual([500, 500, 0.5, 0.5, 1]);
  for (const text of ['', '0', '1/m', '2000/s', '-1/s', '5/d', '5/', '/s', '1e2/s', 'fast']) {
    expect(lineOf(() => parse(text))).toContain('must be a rate from 0.1 to 1000 a second; for example 500/s');
  }
});

it('what is formatted can be typed', () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 2 ** 40 }), (n) => {
      const size = formatSize(n).replace(' bytes', 'b');
      expect(parseSize('-B', size, 'm', { min: 1, max: 2 ** 40 })).toBe(n);
      expect(parseDuration('-t', formatDuration(micros(n)), 's', { min: micros(1), max: micros(2 ** 40) })).toBe(n);
    }),
  );
});
