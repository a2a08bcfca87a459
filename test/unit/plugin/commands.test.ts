import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Command } from 'commander';
import { printConfig } from '../../../src/cli/config-command.ts';
import { columns } from '../../../src/cli/plugin-columns.ts';
import { checkPlugin, writePackage } from '../../../src/cli/plugin-command.ts';
import { registerPluginCommands } from '../../../src/cli/plugin-commands.ts';
import { printPlugins } from '../../../src/cli/plugins-command.ts';
import { lineOf } from '../config/options-fixture.ts';

let directory: string;
let printed: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'tcpcopy-commands-'));
  printed = '';
  vi.spyOn(process, 'cwd').mockReturnValue(directory);
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => {
    printed += String(text);
    return true;
  });
  writeFileSync(
    join(directory, 'mine.ts'),
    `import { definePlugin, option, z } from 'tcpcopy/plugin';
    export default definePlugin({
      name: 'mine', description: 'Looks tokens up.', phase: 'decode', failClosed: true, protocol: [],
      options: z.object({
        url: z.string().describe('Where tokens are.'),
        token: option.secret().optional(),
        tries: z.number().default(3),
      }),
      shorthand: 'url', examples: ["mine=http://x,token='a b'"],
      apply(hooks) {
        hooks.request.tapPromise('mine', async () => undefined);
        hooks.request.tap({ name: 'mine:log', phase: 'observe' }, () => undefined);
        hooks.provide('mine', { hooks: { login: { role: 'event', payload: 'Login', moment: 'At login.', nothing: 'Fine.' } } });
      },
    });`,
  );
});

afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});

describe('tcpcopy plugins', () => {
  it('NAME tells all about one', async () => {
    await printPlugins('./mine.ts=x', {});
    expect(printed.split('\n').map((line) => line.trimEnd())).toEqual([
      'mine: Looks tokens up.',
      `  ${directory}/mine.ts; phase decode; what it fails on is dropped`,
      '',
      'Options:',
      '  url    text                 Where tokens are. (required; also as mine=VALUE)',
      '  token  text, never printed',
      '  tries  a number             (3)',
      '',
      'Examples:',
      "  --plugin 'mine=http://x,token='\\''a b'\\'''",
      '',
      'Taps:',
      '  request',
      '    decode   mine             asynchronous',
      '    observe  mine:log (mine)',
      '',
      'Hooks of mine:',
      '  mine.login: Login',
      '      At login.',
      '      Returning nothing: Fine.',
      '',
    ]);
  });

  it('--resolved prints the order of a run, file and command line together', async () => {
    writeFileSync(join(directory, 'tcpcopy.config.json'), '{ "plugins": [["./mine.ts", { "url": "x" }]] }');
    writeFileSync(
      join(directory, 'other.js'),
      `export default { name: 'other', description: 'Other.', apply(hooks) { hooks.request.tap('other', () => {}); } };`,
    );
    await printPlugins(undefined, { resolved: true, plugin: ['./other.js'] });
    expect(printed.split('\n').map((line) => line.trimEnd())).toEqual([
      'request',
      '  decode   mine             asynchronous',
      '  rewrite  other',
      '  observe  mine:log (mine)',
      '',
    ]);
  });
});

describe('tcpcopy plugin', () => {
  it('new writes a package whose plugin works as it is', async () => {
    writePackage('hello', join(directory, 'hello'));
    expect(readdirSync(join(directory, 'hello')).toSorted()).toEqual(
      ['.gitignore', 'README.md', 'package.json', 'src', 'test', 'tsconfig.json'].toSorted(),
    );
    const manifest = JSON.parse(readFileSync(join(directory, 'hello/package.json'), 'utf8')) as Record<string, unknown>;
    expect(manifest['name']).toBe('tcpcopy-plugin-hello');
    printed = '';
    await checkPlugin('./hello/src/index.ts=1k');
    expect(printed).toMatch(/^hello: Leaves out requests/);
    expect(printed).toMatch(/^ {2}request\n {4}filter +hello$/m);
  });

  it('new takes scoped names, and no directory that holds something', () => {
    writePackage('@acme/hello', join(directory, 'scoped'));
    expect(readFileSync(join(directory, 'scoped/package.json'), 'utf8')).toContain('"name": "@acme/hello"');
    expect(readFileSync(join(directory, 'scoped/src/index.ts'), 'utf8')).toContain("name: 'hello'");
    expect(lineOf(() => writePackage('x', directory))).toContain('is there already, and not empty');
    expect(lineOf(() => writePackage('My Plugin', undefined))).toContain('is no name for a plugin');
    expect(lineOf(() => writePackage('x', '/dev/null/x'))).toMatch(/\/dev\/null\/x\S*: cannot be written \(ENOTDIR\)/);
    expect(lineOf(() => writePackage('sample', directory))).toContain('sample is a built-in plugin');
  });

  it('check says what must be given', async () => {
    await checkPlugin('./mine.ts');
    expect(printed).toContain("url must be given, so it was not set up\n  check it whole with './mine.ts=…'");
    await expect(checkPlugin('./mine.ts,url=x,tries=many')).rejects.toThrow('tries=many: must be a number');
  });
});

describe('tcpcopy config print', () => {
  it('says what is set, and from where', async () => {
    writeFileSync(join(directory, 'tcpcopy.config.yaml'), 'copies: 2\ngradual: true\nmap: [a, b]\n');
    await printConfig({}, ['-n', '5', '--min-fidelity=99'], false);
    expect(printed.split('\n').map((line) => line.trimEnd())).toEqual([
      'OPTION       FROM                 VALUE',
      'map          tcpcopy.config.yaml  a, b',
      'gradual      tcpcopy.config.yaml  true',
      'copies       command line         5',
      'minFidelity  command line         99',
      '',
    ]);
  });

  it('has it for machines, and shows no secret', async () => {
    writeFileSync(
      join(directory, 'tcpcopy.config.json'),
      JSON.stringify({
        plugins: [['./mine.ts', { url: 'http://x', token: 'hunter2' }], 'gone=hunter2,a=hunter2,hunter2'],
      }),
    );
    await printConfig({}, ['--plugin', './mine.ts=y,token=hunter2', '--json'], false);
    expect(printed).not.toContain('hunter2');
    expect(JSON.parse(printed)).toEqual({
      'plugins[0]': { value: './mine.ts y token=***', from: 'command line' },
      'plugins[1]': { value: 'gone *** a=*** ***', from: 'tcpcopy.config.json' },
    });
  });

  it('names the word that no option takes', async () => {
    await expect(printConfig({}, ['-n', '5', 'foo'], false)).rejects.toThrow(/^foo belongs to no option$/);
  });

  it('says so when nothing is', async () => {
    await printConfig({}, [], false);
    expect(printed).toBe('Nothing is set: all options have their defaults (tcpcopy --help).\n');
  });
});

describe('the commands', () => {
  const program = () => {
    const command = new Command('tcpcopy').exitOverride().enablePositionalOptions();
    registerPluginCommands(command);
    return command;
  };

  it.each([
    [['plugin'], 'tcpcopy plugin: does nothing by itself; say what: new, check'],
    [['plugin', 'old'], 'tcpcopy plugin: there is no plugin old; say what: new, check'],
    [['plugin', 'nwe', 'x'], 'tcpcopy plugin: there is no plugin nwe; say what: new, check'],
    [['config'], 'tcpcopy config: does nothing by itself; say what: print'],
  ])('%j is refused', (argv, line) => {
    expect(lineOf(() => program().parse(argv, { from: 'user' }))).toContain(line);
  });

  it('work with options before them and behind them', async () => {
    await program().option('--copies <n>').parseAsync(['--copies', '2', 'config', 'print', '-r', '5', '--json'], {
      from: 'user',
    });
    expect(JSON.parse(printed)).toEqual({
      percent: { value: '5', from: 'command line' },
      copies: { value: '2', from: 'command line' },
    });
    printed = '';
    await program().parseAsync(['plugins', '--resolved', '--plugin', './mine.ts=x'], { from: 'user' });
    expect(printed).toMatch(/^request\n {2}decode +mine/);
  });
});

it('columns are aligned, and the last is wrapped', () => {
  const rows = [
    ['a', 'one two three four five six seven eight nine'],
    ['long', 'x'],
  ];
  expect(columns(rows, 32)).toEqual(['  a     one two three four five', '        six seven eight nine', '  long  x']);
  expect(columns([], 10)).toEqual([]);
});
