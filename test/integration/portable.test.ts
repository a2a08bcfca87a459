/**
 * What only the portable backends, `cap` and `raw-socket`, can get wrong, against a real kernel in a namespace of its own.
 * Needs root, and the two packages built.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';
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

  it.skipIf(loadNative().addon === undefined)('counts what the kernel dropped', async () => {
    const { frames, kernelDropped } = await run('full');
    expect(frames).toBeGreaterThan(0);
    expect(kernelDropped).toBeGreaterThan(0);
    expect(Number(frames) + Number(kernelDropped)).toBe(20_000);
  });

  it.skipIf(spawnSync('gcc', ['--version']).status !== 0)('delivers nothing from before its filter', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'tcpcopy-slow-filter-'));
    const library = join(directory, 'slow-filter.so');
    const source = fileURLToPath(new URL('io/slow-filter.c', import.meta.url));
    execFileSync('gcc', ['-D_GNU_SOURCE', '-shared', '-fPIC', '-o', library, source]);
    const slow = makeLab('slow-filter', { node: ['env', `LD_PRELOAD=${library}`, process.execPath] });
    try {
      const shown = await slow.run('underWay', 'portable-scenarios.ts');
      expect(shown).toEqual({ before: true, first: true, last: true, holes: 0 });
    } finally {
      slow.remove();
      rmSync(directory, { recursive: true });
    }
  });

  it('drops and counts when nobody polls, instead of growing', async () => {
    const { sent, frames, kernelDropped } = await run('overload');
    expect(frames).toBeGreaterThan(5_000);
    expect(kernelDropped).toBeGreaterThan(0);
    expect(Number(frames) + Number(kernelDropped)).toBeLessThanOrEqual(Number(sent));
  });
});
