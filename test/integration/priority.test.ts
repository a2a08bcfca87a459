/** How a process gives way: all its threads, and what it starts. Linux. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { release } from 'node:os';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';

/** The priorities of the threads of a process that gives way so, and of one that it starts then. */
function prioritiesAfter(nice: string): string[][] {
  const script = `
    import { execFileSync } from 'node:child_process';
    import { readdirSync, readFileSync } from 'node:fs';
    import { giveWay } from './src/native/priority.ts';
    giveWay(${nice});
    const fields = (stat) => stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    // proc(5): nice is field 19, policy 41; the state, field 3, is the first here.
    const priority = (stat) => 'nice ' + fields(stat)[16] + ' policy ' + fields(stat)[38];
    const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/stat', 'utf8'));
    const child = execFileSync('cat', ['/proc/self/stat'], { encoding: 'utf8' });
    console.log(JSON.stringify([threads.map(priority), [priority(child)]]));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as string[][];
}

/** The slices that threads ask for, ns, after the process has given way so, and that of a process that it starts then. */
function slicesAfter(nice: string): number[] {
  const script = `
    import { execFileSync } from 'node:child_process';
    import { readdirSync, readFileSync } from 'node:fs';
    import { giveWay } from './src/native/priority.ts';
    giveWay(${nice});
    const slice = (text) => Number(/se\\.slice +: +(\\d+)/.exec(text)[1]);
    const threads = readdirSync('/proc/self/task').map((id) => readFileSync('/proc/self/task/' + id + '/sched', 'utf8'));
    const child = execFileSync('cat', ['/proc/self/sched'], { encoding: 'utf8' });
    console.log(JSON.stringify([...threads, child].map(slice)));`;
  const args = ['--import', 'tsx', '--input-type=module', '-e', script];
  return JSON.parse(execFileSync(process.execPath, args, { encoding: 'utf8' })) as number[];
}

/** Linux 6.12 and later, where the slices can be seen. */
const hasSlices =
  loadNative().addon !== undefined &&
  release().localeCompare('6.12', 'en', { numeric: true }) >= 0 &&
  existsSync('/proc/self/sched');

/** The nice value of the session of a process that leads it and gives way. */
function sessionAfter(nice: string): string {
  const script = `
    import { readFileSync } from 'node:fs';
    import { giveWay } from './src/native/priority.ts';
    giveWay(${nice});
    console.log(readFileSync('/proc/self/autogroup', 'utf8'));`;
  const args = ['--wait', process.execPath, '--import', 'tsx', '--input-type=module', '-e', script];
  return execFileSync('setsid', args, { encoding: 'utf8' }).trim();
}

describe.skipIf(process.platform !== 'linux')('a process that gives way', () => {
  it.each([
    ['19', 'nice 19 policy 0'],
    ["'idle'", `nice 0 policy ${loadNative().addon === undefined ? 0 : 5}`],
  ])('to the degree %s does so with all its threads, and what it starts', (nice, wanted) => {
    const [threads, child] = prioritiesAfter(nice);
    expect(threads!.length).toBeGreaterThan(4);
    // It began with what this process has, which may be nice itself.
    const seen = [...threads!, ...child!].map((priority) =>
      nice === '19' ? priority : priority.replace(/nice \d+/, 'nice 0'),
    );
    expect(new Set(seen)).toEqual(new Set([wanted]));
  });

  it.skipIf(!hasSlices)('lets others go first, with all its threads and what it starts, unless asked not to', () => {
    expect(new Set(slicesAfter("'polite'"))).toEqual(new Set([5_000_000]));
    expect(new Set(slicesAfter('10'))).toEqual(new Set([5_000_000]));
    const asStarted = slicesAfter("'none'");
    expect(Math.max(...asStarted)).toBeLessThan(5_000_000);
  });

  it.skipIf(!existsSync('/proc/self/autogroup'))('does so with a session of its own, too', () => {
    expect(sessionAfter('15')).toMatch(/nice 15$/);
    expect(sessionAfter("'idle'")).toMatch(/nice 19$/);
  });
});
