import { beforeEach, describe, expect, it } from 'vitest';
import { millis } from '../../../src/core/time.ts';
import type { Governor } from '../../../src/replay/governor.ts';
import { Rests } from '../../../src/replay/rests.ts';

describe('rests between turns', () => {
  let governor: { spares: boolean };
  let rests: Rests;
  beforeEach(() => {
    governor = { spares: false };
    rests = new Rests(governor as Governor);
  });
  const responses = (...times: number[]) => {
    for (const time of times) rests.responseBegan(millis(time));
    rests.step();
  };

  it('are short while something waits for the target, and else what the moderation thinks best', () => {
    expect(rests.longest(true)).toBe(1.5);
    expect(rests.longest(false)).toBeUndefined();
    expect(rests.batch).toBeUndefined();
  });

  it.each([
    ['at once', 0.5, 1.5],
    ['soon', 10, 1.5],
    ['after a while', 40, 5],
    ['after a tenth of a second', 100, 12],
    ['after ten seconds', 10_000, 12],
  ])('are a part of what a target takes that answers %s', (_, time, expected) => {
    responses(time, time, time);
    expect(rests.longest(true)).toBeCloseTo(expected);
    expect(rests.longest(false)).toBeUndefined();
  });

  it('are not made long by a few slow responses among quick ones', () => {
    responses(...Array.from({ length: 90 }, () => 2), ...Array.from({ length: 10 }, () => 60_000));
    expect(rests.longest(true)).toBeLessThan(1.51);
  });

  it('are short again a step after the target has become quick, and stay as they were while it says nothing', () => {
    responses(500, 500);
    responses();
    expect(rests.longest(true)).toBe(12);
    responses(2, 2);
    expect(rests.longest(true)).toBe(1.5);
  });

  it('are long, and many events are worth a turn, while being no burden comes first', () => {
    governor.spares = true;
    expect(rests.spares).toBe(true);
    expect([rests.longest(true), rests.longest(false), rests.batch]).toEqual([20, 20, 512]);
    governor.spares = false;
    expect([rests.longest(true), rests.longest(false), rests.batch]).toEqual([1.5, undefined, undefined]);
  });

  it('are never long where nothing governs', () => {
    expect(new Rests(undefined).spares).toBe(false);
  });
});
