import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { acquirePidFile, isRunning } from '../../../src/cli/pid-file.ts';

/** Above every kernel's largest process number. */
const NOBODY = 4_194_304 + 1;
const NAME = 'node';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'pid-')), 'pid');
});
afterEach(() => rmSync(join(path, '..'), { recursive: true }));

it('is made and removed', () => {
  const file = acquirePidFile(path, NAME, 1234);
  expect(file.replaced).toBeUndefined();
  expect(readFileSync(path, 'utf8')).toBe('1234\n');
  file.release();
  expect(existsSync(path)).toBe(false);
});

it('of a running instance is refused and left alone', () => {
  writeFileSync(path, `${process.pid}\n`);
  expect(() => acquirePidFile(path, NAME, 1234)).toThrow(
    expect.objectContaining({ code: 'E_ALREADY_RUNNING', where: `-P ${path}` }),
  );
  expect(readFileSync(path, 'utf8')).toBe(`${process.pid}\n`);
});

it.each([
  ['of a process that is gone', `${NOBODY}\n`, NOBODY],
  ['of our own number, as after a restart in a container', '1234\n', 1234],
  ['that is empty', '', undefined],
  ['that holds something else', 'x', undefined],
])('%s is taken over', (_name, content, replaced) => {
  writeFileSync(path, content);
  expect(acquirePidFile(path, NAME, 1234).replaced).toBe(replaced);
  expect(readFileSync(path, 'utf8')).toBe('1234\n');
});

it('that another instance has taken since is not removed', () => {
  const file = acquirePidFile(path, NAME, 1234);
  writeFileSync(path, '5678\n');
  file.release();
  expect(readFileSync(path, 'utf8')).toBe('5678\n');
});

it('in a directory that is not there is a one-line error', () => {
  expect(() => acquirePidFile(join(path, 'x'), NAME)).toThrow(expect.objectContaining({ code: 'E_FILE' }));
});

it('a number that another program has now is not ours', () => {
  expect(isRunning(process.pid, NAME)).toBe(true);
  expect(isRunning(process.pid, 'no such program')).toBe(!existsSync('/proc/self/cmdline'));
  expect(isRunning(NOBODY, NAME)).toBe(false);
});
