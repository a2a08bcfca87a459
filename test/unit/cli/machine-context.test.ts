import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { machineContext } from '../../../src/cli/machine-context.ts';

const context = machineContext('tcpcopy');
let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'context-'));
  writeFileSync(join(dir, 'file'), 'text');
});
afterAll(() => rmSync(dir, { recursive: true }));

it('tells files, directories and nothing apart', () => {
  expect(context.fileKind(join(dir, 'file'))).toBe('file');
  expect(context.fileKind(dir)).toBe('directory');
  expect(context.fileKind(join(dir, 'none'))).toBe('missing');
  expect(context.fileKind(join(dir, 'file', 'none'))).toBe('missing');
  expect(context.fileKind('/dev/null')).toBe('file');
});

it('says why a file cannot be written', () => {
  expect(context.whyNotWritable(join(dir, 'new'))).toBeUndefined();
  expect(context.whyNotWritable(join(dir, 'file'))).toBeUndefined();
  expect(context.whyNotWritable('relative.txt')).toBeUndefined();
  expect(context.whyNotWritable(dir)).toBe('EISDIR');
  expect(context.whyNotWritable(join(dir, 'no', 'file'))).toBe('ENOENT');
});

it('reads small files, or says which it could not', () => {
  expect(context.readText(join(dir, 'file'), '--key')).toBe('text');
  expect(() => context.readText(join(dir, 'none'), '--key')).toThrow(
    expect.objectContaining({ code: 'E_FILE', where: '--key' }),
  );
});

it('a daemon logs where its program is named', () => expect(context.defaultLogFile).toMatch(/tcpcopy\.log$/));
