/** How large V8 lets the memory for new objects become, in a process of its own: flags are for a whole process. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const MODULE = fileURLToPath(new URL('../../../src/cli/young-generation.ts', import.meta.url));

/** Makes objects of which so many are alive at once that V8 would grow its young generation to its limit, and a lot more. */
const SCRIPT = `
  import { setTimeout as sleep } from 'node:timers/promises';
  import { getHeapSpaceStatistics } from 'node:v8';
  const { letYoungGenerationGrowOnce } = await import(${JSON.stringify(MODULE)});
  const size = () => getHeapSpaceStatistics().find((s) => s.space_name === 'new_space').space_size / 2 ** 20;
  const work = async () => {
    const alive = new Array(100_000);
    for (let i = 0; i < 1_000_000; i++) {
      alive[i % alive.length] = { i };
      if (i % 100_000 === 0) await sleep(60);
    }
    return size();
  };
  const sizes = [size(), await work()];
  letYoungGenerationGrowOnce();
  sizes.push(await work(), await work());
  console.log(JSON.stringify(sizes));
`;

it(
  'keeps the young generation as small as it is, and lets it grow once when told so',
  { timeout: 120_000 },
  async () => {
    const args = ['--import', 'tsx', '--input-type=module', '-e', SCRIPT];
    const { stdout } = await promisify(execFile)(process.execPath, args);
    const [atFirst, before, grown, after] = JSON.parse(stdout) as number[];
    expect(before).toBe(atFirst);
    expect(grown).toBe(4 * atFirst!);
    expect(after).toBe(grown);
  },
);
