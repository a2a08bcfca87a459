import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/amplify/index.ts';
import { PluginRig, refusal } from './plugin-rig.ts';

const CONNECTIONS = 2_000;

const copies = async (text: string, seed = 1, connections = CONNECTIONS): Promise<number[]> => {
  const rig = await PluginRig.start([[plugin, text]], { seed, opaque: true });
  return Array.from({ length: connections }, (_, i) => rig.connect('192.0.2.1', 1_024 + i).plan!.copyCount!);
};

describe('amplify', () => {
  it('sends every connection as often as a whole factor says', async () => {
    expect(new Set(await copies('amplify=3'))).toEqual(new Set([3]));
    expect(new Set(await copies('amplify=1'))).toEqual(new Set([1]));
    expect(new Set(await copies('amplify=1023', 1, 5))).toEqual(new Set([1023]));
  });

  it('sends the share that a fraction says once more', async () => {
    const counts = await copies('amplify=2.25');
    expect(new Set(counts)).toEqual(new Set([2, 3]));
    const mean = counts.reduce((sum, n) => sum + n, 0) / CONNECTIONS;
    // Six standard deviations.
    expect(Math.abs(mean - 2.25)).toBeLessThan(6 * Math.sqrt((0.25 * 0.75) / CONNECTIONS));
  });

  it('chooses the same for the same seed, and of fewer only such that are among more', async () => {
    const half = await copies('amplify=2.5');
    expect(await copies('amplify=2.5')).toEqual(half);
    expect(await copies('amplify=2.5,seed=1', 5)).toEqual(half);
    expect(await copies('amplify=2.5', 2)).not.toEqual(half);
    const fifth = await copies('amplify=2.2');
    expect(fifth.every((n, i) => n <= half[i]!)).toBe(true);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'amplify')).toContain('factor: is required');
    for (const wrong of ['0', '0.5', '-1', '1024', '1023.5', 'many']) {
      expect(refusal(plugin, `amplify=${wrong}`)).toContain(`factor=${wrong}`);
    }
  });
});
