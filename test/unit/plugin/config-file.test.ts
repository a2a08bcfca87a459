import { chmodSync, chownSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadConfig, parseWithConfigFile, withConfigFile } from '../../../src/cli/config-file.ts';
import { mergeOptions, readConfig } from '../../../src/config/config-file.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { defineConfig, definePlugin } from '../../../src/plugin/index.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';
import { CONTEXT, lineOf } from '../config/options-fixture.ts';

const mine = definePlugin({ name: 'mine', description: 'Mine.', apply: () => undefined });
const read = (content: unknown) => readConfig(content, 'c.json', '/etc');

describe('a configuration file', () => {
  it('holds the long option names, as the command line would give them', () => {
    const config = defineConfig({
      map: '80-192.0.2.10:8080',
      intercept: ['192.0.2.20', '192.0.2.21'],
      copies: 3,
      gradual: true,
      pace: 'asap',
      maxSessions: '100',
    });
    const values = read(config);
    expect(values).toEqual({
      map: ['80-192.0.2.10:8080'],
      intercept: ['192.0.2.20', '192.0.2.21'],
      copies: '3',
      gradual: true,
      pace: 'asap',
      maxSessions: '100',
    });
    const { options } = parseCopyOptions(values, CONTEXT);
    expect(options).toMatchObject({
      copies: 3,
      pace: 'asap',
      plugins: [
        { plugin: 'sample', options: { share: 100, gradual: true } },
        { plugin: 'amplify', options: { factor: 3 } },
      ],
      onPluginError: { kind: 'pass' },
    });
  });

  it('names plugins in three ways', () => {
    const { plugin } = read({ plugins: ['sample=10%', ['rewrite', { host: 'x' }], mine, [mine, { a: 1 }]] });
    expect(plugin).toEqual([
      {
        plugin: 'sample',
        options: [{ key: undefined, value: '10%' }],
        where: 'c.json: plugins[0] sample',
        directory: '/etc',
      },
      { plugin: 'rewrite', options: { host: 'x' }, where: 'c.json: plugins[1] rewrite', directory: '/etc' },
      { plugin: mine, options: {}, where: 'c.json: plugins[2] mine', directory: '/etc' },
      { plugin: mine, options: { a: 1 }, where: 'c.json: plugins[3] mine', directory: '/etc' },
    ]);
  });

  it.each<[unknown, string]>([
    [
      'text',
      "c.json: holds no options; an object of long option names, as in { map: '80-192.0.2.10:8080' } [E_CONFIG]",
    ],
    [[], "c.json: holds no options; an object of long option names, as in { map: '80-192.0.2.10:8080' } [E_CONFIG]"],
    [{ copeis: 1 }, 'c.json: copeis: there is no such option; did you mean copies? [E_CONFIG]'],
    [
      { x: 1 },
      'c.json: x: there is no such option; keys are the long option names of tcpcopy --help in camelCase [E_CONFIG]',
    ],
    [
      { config: 'y' },
      'c.json: config: there is no such option; keys are the long option names of tcpcopy --help in camelCase [E_CONFIG]',
    ],
    [{ copies: true }, 'c.json: copies: must be text [E_CONFIG]'],
    [{ gradual: 'yes' }, 'c.json: gradual: must be true or false [E_CONFIG]'],
    [{ map: { a: 1 } }, 'c.json: map: must be text, or a list of texts [E_CONFIG]'],
    [{ pace: 'slow' }, 'c.json: pace: must be response, capture, asap [E_CONFIG]'],
    [{ target: 'slow' }, 'c.json: target: must be raw, socket [E_CONFIG]'],
    [
      { plugins: 'x' },
      "c.json: plugins: must be a list; as in ['sample=10%', ['http-host-rewrite', { host: 'staging' }]] [E_CONFIG]",
    ],
    [
      { plugins: [5] },
      "c.json: plugins[0]: is no plugin; write 'NAME=VALUE' or ['NAME', { option: value }] [E_CONFIG]",
    ],
    [
      { plugins: [['a', 'b']] },
      "c.json: plugins[0]: is no plugin; write 'NAME=VALUE' or ['NAME', { option: value }] [E_CONFIG]",
    ],
  ])('%j is refused', (content, line) => expect(lineOf(() => read(content))).toBe(line));

  it('is overruled by the command line, plugin by plugin', () => {
    const file = read({ copies: 2, map: 'a', plugins: ['one=1', mine, 'two'] });
    const merged = mergeOptions({ copies: '5', plugin: ['three', 'mine,a=1', 'one=9'] }, file);
    expect(merged).toMatchObject({ copies: '5', map: ['a'] });
    expect(
      (merged['plugin'] as { plugin: unknown; where: string }[]).map(({ plugin, where }) => [plugin, where]),
    ).toEqual([
      ['one', '--plugin one'],
      [mine, '--plugin mine'],
      ['two', 'c.json: plugins[2] two'],
      ['three', '--plugin three'],
    ]);
    expect(mergeOptions({ map: ['b'] }, {})).toEqual({ map: ['b'] });
  });
});

describe('finding it', () => {
  let directory: string;
  beforeEach(() => void (directory = mkdtempSync(join(tmpdir(), 'tcpcopy-config-'))));
  afterEach(() => rmSync(directory, { recursive: true, force: true }));
  const write = (name: string, text: string): void => writeFileSync(join(directory, name), text);
  const refusal = async (named?: string): Promise<string> => {
    const error = await loadConfig(named, directory).then(
      () => undefined,
      (thrown: TcpcopyError) => thrown,
    );
    return error!.oneLine();
  };

  it.each([
    ['tcpcopy.config.json', '{ "copies": 7 }'],
    ['tcpcopy.config.yaml', 'copies: 7\n'],
    [
      'tcpcopy.config.ts',
      "import { defineConfig } from 'tcpcopy/plugin';\nexport default defineConfig({ copies: 7 as number });",
    ],
    ['tcpcopy.config.mjs', 'export default { copies: 7 };'],
    ['tcpcopy.config.js', 'export default { copies: 7 };'],
  ])('%s', async (name, text) => {
    write(name, text);
    expect(await loadConfig(undefined, directory)).toEqual({ file: name, values: { copies: '7' } });
    expect(await withConfigFile({ copies: '8' }, directory)).toEqual({ copies: '8' });
  });

  it('is named where a value of its own is wrong, and only there', async () => {
    write('tcpcopy.config.json', '{ "copies": "many", "map": "80-192.0.2.10:80", "mtu": 100 }');
    const parse = (line: object) =>
      parseWithConfigFile({ target: 'socket', ...line }, (raw) => parseCopyOptions(raw, CONTEXT), directory);
    const failure = async (line: object) =>
      (await parse(line).catch((e: unknown) => e as TcpcopyError)) as TcpcopyError;
    expect((await failure({ mtu: '1500' })).oneLine()).toBe(
      'tcpcopy.config.json: copies many: must be a whole number from 1 to 1023 [E_OPTION]',
    );
    expect((await failure({ copies: 'few', mtu: '1500' })).oneLine()).toContain('-n few: must be');
    expect((await failure({ copies: '2' })).where).toBe('tcpcopy.config.json: mtu 100');
    expect(await parse({ copies: '2', mtu: '1500' })).toMatchObject({ options: { copies: 2 } });
  });

  it('there need be none', async () => {
    expect(await loadConfig(undefined, directory)).toEqual({ file: undefined, values: {} });
  });

  it('another can be named', async () => {
    write('tcpcopy.config.json', '{ "copies": 7 }');
    write('other.yml', 'copies: 9');
    expect((await loadConfig('other.yml', directory)).values).toEqual({ copies: '9' });
  });

  it('what is wrong is told in one line', async () => {
    expect(await refusal('none.json')).toBe('--config none.json: there is no such file [E_FILE]');
    write('a.toml', '');
    expect(await refusal('a.toml')).toMatch(/^a\.toml: is no configuration file; its name ends in .* \[E_CONFIG\]$/);
    write('a.json', '{ "password": "hunter2",, }');
    expect(await refusal('a.json')).toMatch(/^a\.json: cannot be read: it is no JSON(?!.*hunter2).* \[E_CONFIG\]$/);
    write('a.yaml', 'a: [1');
    expect(await refusal('a.yaml')).toMatch(/^a\.yaml: cannot be read: .*line/);
    write('a.ts', 'export default {');
    expect(await refusal('a.ts')).toMatch(/^a\.ts: cannot be read: /);
    write('tcpcopy.config.json', '{}');
    write('tcpcopy.config.yaml', '{}');
    expect(await refusal()).toMatch(
      /^tcpcopy\.config: there are several: tcpcopy\.config\.json, tcpcopy\.config\.yaml; keep one/,
    );
  });

  it.runIf(process.getuid?.() === 0)("root does not run somebody else's just because it is there", async () => {
    write('tcpcopy.config.json', '{}');
    chmodSync(join(directory, 'tcpcopy.config.json'), 0o666);
    expect(await refusal()).toMatch(/everybody may write it; .* \[E_CONFIG\]$/);
    chmodSync(join(directory, 'tcpcopy.config.json'), 0o644);
    chownSync(join(directory, 'tcpcopy.config.json'), 12_345, 12_345);
    expect(await refusal()).toMatch(/is not a file of yours; .* \[E_CONFIG\]$/);
    expect((await loadConfig('tcpcopy.config.json', directory)).values).toEqual({});
  });
});
