/** Whole plugins in the guide load as they stand: code blocks that begin with the name of their file. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TestRun } from 'tcpcopy/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';

const guide = readFileSync(new URL('../../../docs/guides/write-a-plugin.md', import.meta.url), 'utf8');
const files = new Map([...guide.matchAll(/```ts\n\/\/ ([\w.-]+)\n(.*?)```/gs)].map(([, name, text]) => [name!, text!]));

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tcpcopy-guide-'));
  for (const [name, text] of files) writeFileSync(join(directory, name), text);
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('has the plugins that are tried here', () => expect([...files.keys()]).toEqual(['only-from.ts', 'api-version.ts']));

it('only-from.ts', async () => {
  const run = await TestRun.start(['./only-from.ts=192.0.2.'], { directory });
  expect(run.connect('192.0.2.7').send('hello')).toBe('hello');
  expect(run.connect('198.51.100.7').plan?.dropped?.reason).toBe('other network');
});

it('api-version.ts', async () => {
  const run = await TestRun.start(['./api-version.ts'], { directory });
  const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: shop\r\n\r\n`;
  expect(run.connect().send(get('/v1/cart') + get('/v10'))).toBe(get('/v2/cart') + get('/v10'));
});
