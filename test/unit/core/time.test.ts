import { expect, it } from 'vitest';
import {
  addTime,
  earliest,
  elapsed,
  instant,
  micros,
  millis,
  NEVER,
  seconds,
  toMillis,
  toSeconds,
} from '../../../src/core/time.ts';

it('counts microseconds', () => {
  expect(millis(1.5)).toBe(1500);
  expect(seconds(2)).toBe(2_000_000);
  expect(toMillis(micros(1500))).toBe(1.5);
  expect(toSeconds(millis(250))).toBe(0.25);
  expect(elapsed(addTime(instant(10), micros(5)), instant(10))).toBe(5);
  expect(elapsed(instant(1), instant(3))).toBe(-2);
});

it('never comes after everything', () => {
  expect(earliest(NEVER, instant(5))).toBe(5);
  expect(earliest(instant(4), instant(5))).toBe(4);
  expect(earliest(NEVER, NEVER)).toBe(NEVER);
});
