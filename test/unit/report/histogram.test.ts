import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Histogram } from '../../../src/report/histogram.ts';

/** One part in this many is the width of a bucket: 2^(1/16) - 1 is 4.4 %. */
const WIDTH = 2 ** (1 / 16);

function of(...values: number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

describe('a histogram', () => {
  it('knows nothing before the first value', () => {
    expect(new Histogram().quantile(0.5)).toBeUndefined();
  });

  it('counts values', () => {
    expect(of(1, 5, 1e9).count).toBe(3);
  });

  it('takes anything below a microsecond for one, clocks that disagree included', () => {
    const histogram = of(0, -5_000, 0.3, 1);
    expect(histogram.quantile(1)).toBeLessThanOrEqual(WIDTH);
  });

  it('takes anything too long for the longest', () => {
    const histogram = of(1e15, Infinity);
    expect(histogram.quantile(0.5)).toBe(2 ** 32);
  });

  it('finds the smallest with a share of 0 and the largest with 1', () => {
    const histogram = of(10, 1_000, 100_000);
    expect(histogram.quantile(0)! / 10).toBeLessThanOrEqual(WIDTH);
    expect(histogram.quantile(1)! / 100_000).toBeLessThanOrEqual(WIDTH);
  });

  it('is never below the exact quantile, nor more than a bucket above it', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 1, max: 4e9, noNaN: true }), { minLength: 1, maxLength: 200 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          const sorted = [...values].sort((a, b) => a - b);
          const exact = sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
          const found = of(...values).quantile(share)!;
          expect(found).toBeGreaterThanOrEqual(exact * (1 - 1e-9));
          expect(found).toBeLessThanOrEqual(exact * WIDTH * (1 + 1e-9));
        },
      ),
      { numRuns: 300 },
    );
  });
});
