/**
 * Whatever a recording holds, `inspect` reads it to its end, or to one clear error, in bounded time and memory, with
 * every frame accounted for. TCPCOPY_DAMAGE_SWEEP=1 runs the whole sweep: every recording, three rates, twenty seeds.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TcpcopyError } from '../../src/core/errors.ts';
import { inspectFile } from '../../src/replay/inspect-recording.ts';
import { damaged } from '../support/damage.ts';
import { captureManifest, CAPTURES } from '../support/shared-captures.ts';

const RATES = [0.001, 0.01, 0.05];
const WHOLE_SWEEP = process.env['TCPCOPY_DAMAGE_SWEEP'] === '1';
const SEEDS = WHOLE_SWEEP ? 20 : 1;
/** Milliseconds for a file, beside those for its size; far above what any needs, so that a busy machine passes. */
const FILE_TIME = 5_000;
const TIME_PER_MEGABYTE = 5_000;
const MEMORY_GROWTH = 256 << 20;

const captures = captureManifest();
const hasEditcap = spawnSync('editcap', ['--version']).status === 0;

describe('damaged and hostile recordings', () => {
  let folder = '';
  let before = 0;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'inspect-damaged-'));
    before = process.memoryUsage().rss;
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  it('the corpus of odd files', { timeout: 600_000 }, async () => {
    const corpus = join(folder, 'corpus');
    mkdirSync(corpus);
    execFileSync('tar', ['xzf', `${CAPTURES}bulk/bulk.tar.gz`, '-C', corpus]);
    const files = (readdirSync(corpus, { recursive: true }) as string[]).map((name) => join(corpus, name));
    const outcomes = { read: 0, refused: 0 };
    for (const file of files) if (statSync(file).isFile()) outcomes[await readToEnd(file)]++;
    expect(outcomes.read).toBeGreaterThan(700);
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_GROWTH);
  });

  it.each(RATES)('bytes changed anywhere, at a rate of %d', { timeout: 3_600_000 }, async (rate) => {
    const file = join(folder, 'changed');
    for (const [i, capture] of captures.entries()) {
      const bytes = readFileSync(CAPTURES + capture.file);
      for (let seed = 1; seed <= SEEDS; seed++) {
        writeFileSync(file, damaged(bytes, rate, seed * 1_000 + i));
        await readToEnd(file, `${capture.file}, rate ${rate}, seed ${seed * 1_000 + i}`);
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_GROWTH);
  });

  it.skipIf(!hasEditcap).each(RATES)('packets damaged by editcap -E %d', { timeout: 3_600_000 }, async (rate) => {
    const file = join(folder, 'edited');
    const chosen = captures.filter((capture, i) => WHOLE_SWEEP || (capture.size < 200_000 && i % 4 === 0));
    for (const capture of chosen) {
      for (let seed = 1; seed <= SEEDS; seed++) {
        // A cut file makes editcap fail after writing what it could read.
        spawnSync('editcap', ['-E', String(rate), '--seed', String(seed), CAPTURES + capture.file, file]);
        await readToEnd(file, `${capture.file}, editcap -E ${rate} --seed ${seed}`);
      }
    }
    expect(process.memoryUsage().rss - before).toBeLessThan(MEMORY_GROWTH);
  });
});

async function readToEnd(file: string, what = file): Promise<'read' | 'refused'> {
  const started = performance.now();
  let outcome: 'read' | 'refused' = 'read';
  let connections = 0;
  try {
    const inspection = await inspectFile(file, () => connections++);
    const dropped = Object.values(inspection.drops).reduce((sum, n) => sum + n, 0);
    expect(inspection.segments + dropped, what).toBe(inspection.frames);
    expect(inspection.connections, what).toBe(connections);
  } catch (error) {
    if (!(error instanceof TcpcopyError)) throw new Error(`${what}: ${String(error)}`, { cause: error });
    expect(error.oneLine()).not.toContain('\n');
    outcome = 'refused';
  }
  const allowed = FILE_TIME + (TIME_PER_MEGABYTE * statSync(file).size) / 2 ** 20;
  expect(performance.now() - started, what).toBeLessThan(allowed);
  return outcome;
}
