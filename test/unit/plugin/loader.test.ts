import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parsePlugin } from '../../../src/config/plugin-spec.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';
import { SILENT_LOG } from '../../../src/core/log.ts';
import { builtInNames } from '../../../src/replay/plugin-catalog.ts';
import { loadPlugins, resolvePlugins } from '../../../src/replay/plugin-loader.ts';

let directory: string;
const write = (path: string, text: string): void => {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), text);
};
const source = (name: string, more = ''): string => `
  import { definePlugin, z } from 'tcpcopy/plugin';
  export default definePlugin({
    name: '${name}', description: 'A test.', options: z.object({ reason: z.string().default('none') }), shorthand: 'reason',
    ${more}
    apply(hooks, { reason }) { hooks.connection.tap('${name}', () => ({ drop: reason })); },
  });`;
const manifest = (name: string, main: string) =>
  JSON.stringify({ name, version: '1.0.0', type: 'module', exports: { '.': { import: main } } });

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'tcpcopy-plugins-'));
  write('typed.ts', `const reason: string = 'x'; enum E { A }\n${source('typed')}`);
  write('plain.js', source('plain'));
  write('plain.mjs', source('plain'));
  write('broken.ts', 'export default {');
  write('missing.ts', "import 'no-such-package'; export default 1;");
  write('nothing.ts', 'export const x = 1;');
  write('node_modules/tcpcopy-plugin-unbuilt/package.json', manifest('tcpcopy-plugin-unbuilt', './dist/index.js'));
  write('with space/windows.ts', source('windows').replaceAll('\n', '\r\n'));
  write('ready.ts', `const reason = await Promise.resolve('x');\n${source('ready')}`);
  write('never.ts', `await new Promise(() => undefined);\n${source('never')}`);
  write('common.cjs', "module.exports = { name: 'common', description: 'A test.', apply() {} };");
  write('mapped/tsconfig.json', '{ "compilerOptions": { "paths": { "#lib/*": ["./lib/*"] } } }');
  write('mapped/lib/name.ts', "export const reason = 'x';");
  write('mapped/plugin.ts', `import { reason } from '#lib/name';\nvoid reason;\n${source('mapped')}`);
  write('node_modules/@acme/tcpcopy-plugin-x/package.json', manifest('@acme/tcpcopy-plugin-x', './index.js'));
  write('node_modules/@acme/tcpcopy-plugin-x/index.js', source('acme'));
  write('node_modules/tcpcopy-plugin-short/package.json', manifest('tcpcopy-plugin-short', './index.js'));
  write('node_modules/tcpcopy-plugin-short/index.js', source('short', "protocol: 'line',"));
  write('node_modules/tcpcopy-plugin-line/package.json', manifest('tcpcopy-plugin-line', './index.js'));
  write(
    'node_modules/tcpcopy-plugin-line/index.js',
    `export default { name: 'line', description: 'A protocol.', apply(hooks) { hooks.provide('line', { hooks: {} }); } };`,
  );
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

const resolve = (...specs: string[]) =>
  resolvePlugins(
    specs.map((text) => parsePlugin(text)),
    directory,
  );

const refusal = async (...specs: string[]): Promise<string> => {
  const error = await resolve(...specs).then(
    () => undefined,
    (thrown: TcpcopyError) => thrown,
  );
  return error!.oneLine();
};

describe('plugins are found', () => {
  it.each([
    ['./typed.ts', 'typed'],
    ['./typed.ts=because', 'typed'],
    ['plain.js', 'plain'],
    ['./plain.mjs', 'plain'],
    ['./with space/windows.ts', 'windows'],
    ['./ready.ts', 'ready'],
    ['./common.cjs', 'common'],
    ['./mapped/plugin.ts', 'mapped'],
    ['@acme/tcpcopy-plugin-x', 'acme'],
    ['tcpcopy-plugin-line', 'line'],
    ['line', 'line'],
  ])('%s', async (spec, name) => {
    const [found] = await resolve(spec);
    expect(found!.plugin.name).toBe(name);
    expect(found!.origin.startsWith(directory)).toBe(true);
  });

  it('by an absolute path, and as they are', async () => {
    expect((await resolve(`${directory}/typed.ts`))[0]!.plugin.name).toBe('typed');
    const plugin = { name: 'own', description: 'Mine.', apply: () => undefined };
    const [found] = await resolvePlugins([{ plugin, options: {}, where: 'here', directory: undefined }], directory);
    expect(found).toMatchObject({ plugin, origin: 'here', options: {} });
  });

  it('with those whose protocols they tap, which come first', async () => {
    const found = await resolve('./typed.ts', 'short');
    expect(found.map(({ plugin, implied }) => [plugin.name, implied])).toEqual([
      ['line', true],
      ['typed', false],
      ['short', false],
    ]);
    expect((await resolve('short', 'line')).map(({ plugin }) => plugin.name)).toEqual(['short', 'line']);
  });

  it('and set up with their options', async () => {
    const pipeline = await loadPlugins([parsePlugin('./typed.ts=because')], { log: SILENT_LOG, directory });
    const endpoint = { address: { version: 4 as const, w0: 0, w1: 0, w2: 0, w3: 0 }, port: 1 };
    const info = { client: endpoint, server: endpoint, openedBy: 'syn' } as never;
    expect(pipeline.admit(info)!.dropped!.reason).toBe('because');
  });
});

describe('what cannot be loaded is told in one line', () => {
  it.each([
    ['./no.ts', /^--plugin \.\/no\.ts: there is no file .*no\.ts; check the path \[E_PLUGIN\]$/],
    ['nobody', /^--plugin nobody: there is no such plugin; .* npm install tcpcopy-plugin-nobody \[E_PLUGIN\]$/],
    ['@acme/nobody', /^--plugin @acme\/nobody: there is no such plugin; .* npm install @acme\/nobody \[E_PLUGIN\]$/],
    ['unbuilt', /its package has nothing where its package\.json says; .*node_modules\/tcpcopy-plugin-unbuilt/],
    ['./broken.ts', /^--plugin \.\/broken\.ts: cannot be loaded: /],
    ['./missing.ts', /^--plugin \.\/missing\.ts: cannot be loaded: .*no-such-package/],
    ['./nothing.ts', /^--plugin \.\/nothing\.ts: exports no plugin as its default; export default definePlugin/],
    ['./typed.js', /there is no file .*typed\.js; did you mean typed\.ts\? /],
    ['./missing.ts', /Cannot find module 'no-such-package'; see /],
    [
      './typed.ts,raeson=1',
      /^--plugin \.\/typed\.ts \(typed\): there is no option raeson; did you mean reason\? \[E_PLUGIN_OPTION\]$/,
    ],
  ])('%s', async (spec, line) => expect(await refusal(spec)).toMatch(line));

  it('what never comes is not waited for once nothing is left that could bring it', async () => {
    const line = refusal('./never.ts');
    const idle = setInterval(() => process.emit('beforeExit', 0), 20);
    expect(await line).toMatch(/^--plugin \.\/never\.ts: cannot be loaded: it awaits something that never comes; see /);
    clearInterval(idle);
  });

  it('names alike are suggested', async () => {
    const [name] = builtInNames();
    if (name === undefined) return;
    expect(await refusal(`${name}x`)).toContain(`did you mean ${name}?`);
  });
});
