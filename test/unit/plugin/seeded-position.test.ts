import { describe, expect, it } from 'vitest';
import { seededPosition } from '../../../src/plugin/seeded-position.ts';

const IDS = Array.from({ length: 20_000 }, (_, i) => `10.0.${i >> 14}.${(i >> 6) & 255}:${32_768 + (i & 63)}`);

function below(share: number, seed = 1): Set<string> {
  return new Set(IDS.filter((id) => seededPosition(seed, id) < share));
}

describe('the position of a text', () => {
  it('never changes: hosts with other versions must choose the same (the figure is that of the reference code)', () => {
    expect(seededPosition(0, 'connection 192.0.2.1:40000')).toBe(929_147_405 / 2 ** 32);
  });

  it.each([0.01, 0.1, 0.5, 0.99])('is below %d for that share', (share) => {
    // Six standard deviations of a fair choice.
    const tolerance = 6 * Math.sqrt((share * (1 - share)) / IDS.length);
    expect(Math.abs(below(share).size / IDS.length - share)).toBeLessThan(tolerance);
  });

  it('is in [0, 1), and depends on the seed', () => {
    const positions = IDS.map((id) => seededPosition(7, id));
    expect(Math.min(...positions)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...positions)).toBeLessThan(1);
    const other = below(0.5, 2);
    const both = [...below(0.5)].filter((id) => other.has(id)).length;
    expect(Math.abs(both / IDS.length - 0.25)).toBeLessThan(0.02);
  });
});
