/**
 * What only the portable backends, `cap` and `raw-socket`, can get wrong, against a real kernel in a namespace of its own.
 * Needs root, and the two packages built.
 */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isRoot, makeLab, portableIsBuilt, type Lab } from './io/lab.ts';

describe.skipIf(!isRoot || !portableIsBuilt())('libpcap source and raw-socket sink', () => {
  let lab: Lab;
  const run = (scenario: string) => lab.run(scenario, 'portable-scenarios.ts');
  beforeEach(() => {
    lab = makeLab('portable');
  });
  afterEach(() => lab.remove());

  it('keeps the bytes of every frame of a burst', async () => {
    expect(await run('burst')).toEqual({ frames: 240, whole: 240 });
  });

  it('drops and counts when nobody polls, instead of growing', async () => {
    const { sent, frames, kernelDropped } = await run('overload');
    expect(frames).toBeGreaterThan(5_000);
    expect(kernelDropped).toBeGreaterThan(0);
    expect(Number(frames) + Number(kernelDropped)).toBeLessThanOrEqual(Number(sent));
  });
});
