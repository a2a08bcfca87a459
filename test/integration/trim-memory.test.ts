/** The addon's `trimMemory`, on processes of their own. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { loadNative } from '../../src/native/load.ts';

const ADDON = fileURLToPath(
  new URL(`../../prebuilds/${process.platform}-${process.arch}/tcpcopy.node`, import.meta.url),
);
/** Prints how many KB of files were mapped before and after, and then works on: compiles, and throws. */
const PROGRAM = `
const mapped = () => Number(/^RssFile:\\s+(\\d+)/m.exec(require('node:fs').readFileSync('/proc/self/status', 'utf8'))[1]);
const addon = require(process.argv[1]);
const before = mapped();
addon.trimMemory();
const after = mapped();
const sum = new Function('n', 'let s = 0; for (let i = 0; i < n; i++) s += i % 7; return s');
let thrown = '';
try { null.x } catch (error) { thrown = error.name; }
console.log(JSON.stringify({ before, after, sum: sum(1e6), thrown, date: new Intl.DateTimeFormat('de').format(0) }));
`;

const run = (...nodeOptions: string[]) =>
  JSON.parse(execFileSync(process.execPath, [...nodeOptions, '-e', PROGRAM, ADDON], { encoding: 'utf8' })) as {
    before: number;
    after: number;
  };
const WORKS_ON = { sum: 2_999_997, thrown: 'TypeError', date: '1.1.1970' };

describe.skipIf(loadNative().addon === undefined)('trimMemory', () => {
  it("lets go of pages of node's program file, and the program works on", () => {
    const { before, after, ...rest } = run();
    expect(before - after).toBeGreaterThan(8 * 1024);
    expect(rest).toEqual(WORKS_ON);
  });

  it('leaves code alone that node has copied to large pages', () => {
    expect(run('--use-largepages=on')).toMatchObject(WORKS_ON);
  });
});
