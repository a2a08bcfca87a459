/** A plugin's way from `tcpcopy plugin new` to those who use it, with nothing but packed packages. */
import { mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { install, pack, packTcpcopy, ROOT, run } from './packed.ts';

let home: string;
/** Where the plugin is written, and where it is used. */
let author: string;
let user: string;
const RECORDING = join(ROOT, 'examples/recordings/shop.pcap');
const COPY = ['-i', RECORDING, '-x', '80-192.0.2.10:8080', '-c', '198.51.100.x', '-w', 'sent.pcap'];

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'tcpcopy-plugin-package-'));
  [author, user] = [join(home, 'author'), join(home, 'user')];
  const tcpcopy = await packTcpcopy(home);
  await project(author);
  await install(author, tcpcopy);
  const written = join(author, 'tcpcopy-plugin-small');
  await run(author, join(author, 'node_modules/.bin/tcpcopy'), 'plugin', 'new', 'small');
  await withTypeScript(author);
  await run(written, 'npm', 'test');
  const plugin = await pack(written, home);
  await project(user);
  await install(user, tcpcopy, plugin);
  await withTypeScript(user);
}, 240_000);

afterAll(() => rm(home, { recursive: true, force: true }));

const tcpcopy = (...args: readonly string[]) => run(user, join(user, 'node_modules/.bin/tcpcopy'), ...args);

test('it is found by its name, with its options', async () => {
  const about = await tcpcopy('plugins', 'small');
  expect(about).toMatch(/^small: Leaves out requests/);
  expect(about).toMatch(/max +a size .*\(required/);
  expect(await tcpcopy('plugin', 'check', 'tcpcopy-plugin-small=1k')).toContain('request\n    filter  small');
});

test('it is run by its name', async () => {
  expect(await tcpcopy(...COPY, '--plugin', 'small=1M')).toMatch(/100(\.0+)? %/);
  const strict = await tcpcopy(...COPY, '--plugin', 'small=1');
  expect(strict).toContain('too large');
  expect(strict).toContain('balances');
});

test('it is imported by a configuration file, whose types are checked', async () => {
  await writeFile(
    join(user, 'tcpcopy.config.ts'),
    `import { defineConfig } from 'tcpcopy/plugin';
import small from 'tcpcopy-plugin-small';

export default defineConfig({ plugins: [[small, { max: '1' }]] });
`,
  );
  await writeFile(
    join(user, 'uses.ts'),
    `import { definePlugin, type RequestHook } from 'tcpcopy/plugin';
import { codecChecks, TestRun, type Check, type TestConnection } from 'tcpcopy/testing';
import small from 'tcpcopy-plugin-small';

declare module 'tcpcopy/plugin' {
  interface ProtocolHooks { readonly mine: { readonly command: RequestHook<{ verb: string }> } }
}
const mine = definePlugin({
  name: 'mine',
  description: 'Taps a protocol.',
  apply(hooks) {
    hooks.mine.command.tap('mine', (command) => void (command.verb = 'GET'));
    // @ts-expect-error -- http requests have a method
    hooks.http.request.tap('mine', (request) => void request.verb);
  },
});
const run: TestRun = await TestRun.start([small, [mine, 'mine']]);
const connection: TestConnection = run.connect();
const sent: string = connection.send('a');
const checks: readonly Check[] = codecChecks({
  plugin: mine, protocol: 'mine', conversations: { one: { client: [sent] } }, tell: (message: { verb: string }) => message.verb,
});
export { checks };
`,
  );
  const flags = ['--strict', '--noEmit', '--target', 'es2022', '--module', 'nodenext', '--types', 'node'];
  await run(user, join(user, 'node_modules/.bin/tsc'), ...flags, 'tcpcopy.config.ts', 'uses.ts');
  expect(await tcpcopy(...COPY)).toContain('too large');
});

test('what is packed is the plugin, not its tests', async () => {
  const installed = join(user, 'node_modules/tcpcopy-plugin-small');
  const { exports } = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    readonly exports: Record<string, { readonly types: string; readonly default: string }>;
  };
  for (const path of Object.values(exports['.']!)) expect(await readFile(join(installed, path), 'utf8')).not.toBe('');
  await expect(readFile(join(installed, 'dist/test/plugin.test.js'))).rejects.toThrow();
});

async function project(directory: string): Promise<void> {
  await mkdir(directory);
  const manifest = { name: 'a-project', version: '1.0.0', private: true, type: 'module' };
  await writeFile(join(directory, 'package.json'), JSON.stringify(manifest));
}

/** TypeScript and Node's types are not fetched but taken from here. */
async function withTypeScript(directory: string): Promise<void> {
  await mkdir(join(directory, 'node_modules/@types'), { recursive: true });
  for (const name of ['typescript', '@types/node', 'undici-types', '.bin/tsc']) {
    await symlink(join(ROOT, 'node_modules', name), join(directory, 'node_modules', name));
  }
}
