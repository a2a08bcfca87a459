/** The examples do what their pages say: their tests pass, and so does every command that needs no device. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ROOT, run } from './packed.ts';

const EXAMPLES = join(ROOT, 'examples');
const PROGRAM = join(ROOT, 'dist/src/cli/tcpcopy.js');

const entries = await readdir(EXAMPLES, { recursive: true });
const tests = entries.filter((path) => path.endsWith('.test.ts')).map((path) => join(EXAMPLES, path));
const pages = entries.filter((path) => path.endsWith('README.md'));

test('their tests pass', async () => {
  expect(tests.length).toBeGreaterThanOrEqual(3);
  expect(await run(ROOT, process.execPath, '--import', 'tsx', '--test', ...tests)).toMatch(/^# fail 0$/m);
});

test.each(pages)('%s', async (page) => {
  for (const words of commands(await readFile(join(EXAMPLES, page), 'utf8'))) {
    expect(await run(ROOT, process.execPath, PROGRAM, ...words)).not.toBe('');
  }
});

/** The arguments of each `tcpcopy` in the shell blocks of a page, but for what captures or sends. */
function commands(text: string): string[][] {
  const blocks = [...text.matchAll(/```sh\n(.*?)```/gs)].map(([, block]) => block!.replaceAll('\\\n', ' '));
  const lines = blocks.flatMap((block) => block.split('\n')).filter((line) => line.startsWith('tcpcopy '));
  return lines.map((line) => line.split(/\s+/).slice(1)).filter((words) => !sends(words));
}

function sends(words: readonly string[]): boolean {
  return words.includes('eth0') || (words.includes('-i') && !words.includes('--dry-run'));
}
