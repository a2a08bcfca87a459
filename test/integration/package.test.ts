import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { install, packTcpcopy, ROOT, run } from './packed.ts';

/** What a user gets: the packed tarball, installed globally into an empty prefix. */
let prefix: string;
const program = (name: string) => join(prefix, 'bin', name);

beforeAll(async () => {
  prefix = await mkdtemp(join(tmpdir(), 'tcpcopy-package-'));
  await install(prefix, '--global', '--prefix', prefix, await packTcpcopy(prefix));
}, 120_000);

afterAll(() => rm(prefix, { recursive: true, force: true }));

test('both commands tell their version', async () => {
  for (const name of ['tcpcopy', 'intercept']) {
    expect(await run(prefix, program(name), '--version')).toMatch(/\d+\.\d+\.\d+/);
  }
});

test('the native addon comes along on the platform it was packed on', async () => {
  const files = await readdir(join(prefix, 'lib/node_modules/tcpcopy/prebuilds'));
  expect(files).toContain(`linux-${process.arch}`);
});

test('a dry run of a recording works without optional packages', async () => {
  const recording = join(ROOT, 'examples/recordings/shop.pcap');
  const written = join(prefix, 'written.pcap');
  const args = [
    '-i',
    recording,
    '-x',
    '80-192.0.2.10:8080',
    '-c',
    '198.51.100.x',
    '-w',
    written,
    '--min-fidelity',
    '100',
  ];
  expect(await run(prefix, program('tcpcopy'), ...args)).toContain('balances');
  const inspected = await run(prefix, program('tcpcopy'), 'inspect', '--json', written);
  expect(inspected.trim().split('\n').length).toBeGreaterThan(0);
});
