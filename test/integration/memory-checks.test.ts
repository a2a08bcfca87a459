/**
 * The native addon under AddressSanitizer with UBSan and LeakSanitizer, and under valgrind: it must do all that it does
 * without them, and they must have nothing to say. Needs root, gcc and valgrind.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildAddons, calling, compileScenarios, ROOT } from './io/checked.ts';
import { isRoot, makeLab } from './io/lab.ts';
import { ringTests } from './io/ring-tests.ts';

const able = isRoot && process.platform === 'linux' && spawnSync('gcc', ['--version']).status === 0;
const directory = mkdtempSync(join(tmpdir(), 'tcpcopy-memory-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.skipIf(!able)('AddressSanitizer', () => {
  const compiled = join(directory, 'sanitized');
  const suppressions = join(directory, 'suppressions');
  let misuse: string;
  // Programs that scenarios start are not meant.
  const alone = 'data:text/javascript,delete process.env.LD_PRELOAD';
  const node: string[] = [];

  beforeAll(() => {
    compileScenarios(compiled);
    misuse = buildAddons(compiled, 'SANITIZE');
    // With just its caller known of an allocation, node's own can be told from the addon's.
    writeFileSync(suppressions, `leak:${process.execPath}\nleak:libstdc++\n`);
    const preload = execFileSync('gcc', ['-print-file-name=libasan.so'], { encoding: 'utf8' }).trim();
    const options = 'detect_leaks=1:malloc_context_size=2:detect_stack_use_after_return=1';
    const environment = [`LD_PRELOAD=${preload}`, `ASAN_OPTIONS=${options}`];
    node.push('env', ...environment, `LSAN_OPTIONS=suppressions=${suppressions}:print_suppressions=0`);
    node.push(process.execPath, '--import', alone);
  });

  ringTests(() => makeLab('asan', { node, compiled }));

  it('has nothing to say of packets that stand for many segments', async () => {
    const lab = makeLab('large', { node, compiled });
    try {
      const shown = await lab.run('large', 'direct-scenarios.ts');
      expect(Object.values(shown).map((way) => (way as { right: boolean }).right)).toEqual(Array(6).fill(true));
    } finally {
      lab.remove();
    }
  });

  it.each([
    ['overflow', 'heap-buffer-overflow'],
    ['useAfterFree', 'heap-use-after-free'],
    ['leak', '1234 byte(s) leaked'],
    ['undefined', 'signed integer overflow'],
  ])('would have found %s', (name, report) => {
    const [file, ...args] = [...node, '--import', calling(misuse, name), '-e', ''];
    const { status, stderr } = spawnSync(file!, args, { encoding: 'utf8' });
    expect(stderr).toContain(report);
    expect(status).not.toBe(0);
  });
});

const valgrind = spawnSync('valgrind', ['--version']).status === 0;

describe.skipIf(!able || !valgrind)('valgrind', () => {
  it('has nothing to say of the addon', async () => {
    const compiled = join(directory, 'debug');
    const log = join(directory, 'valgrind.log');
    compileScenarios(compiled);
    const misuse = buildAddons(compiled, 'DEBUG');
    const node = ['valgrind', `--log-file=${log}`, '--leak-check=full', process.execPath];
    for (const name of ['overflow', 'useAfterFree', 'leak']) node.push('--import', calling(misuse, name));
    const lab = makeLab('valgrind', { node, compiled });
    try {
      await lab.run('closed direct refused errors expression mark snapLength linkDown');
    } finally {
      lab.remove();
    }
    // One report is a run of indented lines; the engine's own, and those of what it compiles, are not ours to judge.
    const reports = readFileSync(log, 'utf8')
      .replaceAll(/^==\d+== ?/gm, '')
      .split(/\n(?=\S|\n)/);
    const of = (file: string) => reports.filter((report) => /^ +(at|by) 0x/m.test(report) && report.includes(file));
    expect(of('misuse.c').join('\n')).toMatch(
      /0 bytes after a block of size 16 alloc'd[^]*inside a block of size 16 free'd[^]*1,234 bytes [^]* definitely lost/,
    );
    expect(of('misuse.c')).toHaveLength(3);
    const sources = readdirSync(join(ROOT, 'native'));
    expect([...sources, 'tcpcopy.node'].flatMap(of)).toEqual([]);
  }, 180_000);
});
