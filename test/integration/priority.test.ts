/** How a process gives way: all its threads, and what it starts. Linux. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

  it.skipIf(!existsSync('/proc/self/autogroup'))('does so with a session of its own, too', () => {
    expect(sessionAfter('15')).toMatch(/nice 15$/);
    expect(sessionAfter("'idle'")).toMatch(/nice 19$/);
  });
});
