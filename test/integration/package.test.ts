import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';

const run = promisify(execFile);
const root = fileURLToPath(new URL('../..', import.meta.url));

/** What a user gets: the packed tarball, installed globally into an empty prefix. */
let prefix: string;
const program = (name: string) => join(prefix, 'bin', name);

beforeAll(async () => {
  prefix = await mkdtemp(join(tmpdir(), 'tcpcopy-package-'));
  // `prepack` would rebuild `dist` under the feet of tests that run it; setup has built it.
  await run('npm', ['pack', '--ignore-scripts', '--pack-destination', prefix], { cwd: root });
  const tarball = (await readdir(prefix)).find((name) => name.endsWith('.tgz'))!;
  await run('npm', ['install', '--global', '--prefix', prefix, '--omit=optional', join(prefix, tarball)], {
    cwd: prefix,
  });
}, 120_000);

afterAll(() => rm(prefix, { recursive: true, force: true }));

test('both commands tell their version', async () => {
  for (const name of ['tcpcopy', 'intercept']) {
    const { stdout } = await run(program(name), ['--version'], { cwd: prefix });
    expect(stdout).toMatch(/\d+\.\d+\.\d+/);
  }
});

test('the native addon comes along on the platform it was packed on', async () => {
  const files = await readdir(join(prefix, 'lib/node_modules/tcpcopy/prebuilds'));
  expect(files).toContain(`linux-${process.arch}`);
});

test('a dry run of a recording works without optional packages', async () => {
  const recording = join(root, 'examples/recordings/shop.pcap');
  const written = join(prefix, 'written.pcap');
  const { stdout } = await run(
    program('tcpcopy'),
    ['-i', recording, '-x', '80-192.0.2.10:8080', '-c', '198.51.100.x', '-w', written, '--min-fidelity', '100'],
    { cwd: prefix },
  );
  expect(stdout).toContain('balances');
  const inspected = await run(program('tcpcopy'), ['inspect', '--json', written], { cwd: prefix });
  expect(inspected.stdout.trim().split('\n').length).toBeGreaterThan(0);
});
