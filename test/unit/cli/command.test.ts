import { CommanderError, type Command } from 'commander';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { copyCommand } from '../../../src/cli/copy-command.ts';
import { doctorCommand, typedLine } from '../../../src/cli/doctor-command.ts';
import { registerInspect } from '../../../src/cli/inspect.ts';
import { interceptCommand } from '../../../src/cli/intercept-command.ts';
import {
  INTERCEPT_REPLACED_FLAGS,
  replacedFlagNotes,
  TCPCOPY_REPLACED_FLAGS,
} from '../../../src/cli/replaced-flags.ts';
import { isHelpOrVersion, toUsageError } from '../../../src/cli/usage-error.ts';
import { recordCommand } from '../../../src/cli/record-command.ts';
import { parseRecordOptions } from '../../../src/config/record-options-schema.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { parseInterceptOptions } from '../../../src/config/intercept-options-schema.ts';
import { rawCopySchema, rawInterceptSchema, rawRecordSchema } from '../../../src/config/raw-options.ts';
import { CONTEXT } from '../config/options-fixture.ts';

/** What commander reads of a command line. */
function read(command: Command, ...argv: string[]): Record<string, unknown> {
  let opts: Record<string, unknown> | undefined;
  command.action(() => void (opts = command.opts()));
  command.parse(argv, { from: 'user' });
  return opts!;
}

function usageError(command: Command, ...argv: string[]): string {
  try {
    read(command, ...argv);
  } catch (error) {
    expect(isHelpOrVersion(error)).toBe(false);
    return toUsageError(error as CommanderError, command, argv).oneLine();
  }
  throw new Error('nothing was thrown');
}

/** The text of `--help`. */
function help(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (chunk) => (text += chunk) });
  command.configureHelp({ ...command.configureHelp(), helpWidth: 100 });
  expect(() => command.parse(['--help'], { from: 'user' })).toThrow(CommanderError);
  return text;
}

/** Commands that go on in the next line, in one. */
function examplesOf(command: Command, begin: string): string[] {
  const lines = help(command)
    .replaceAll(/ \\\n +/g, ' ')
    .split('\n');
  return lines.filter((line) => line.startsWith(`    ${begin} `));
}

describe('tcpcopy', () => {
  it('knows the flags of TCPCopy, short as they are typed there', () => {
    const opts = read(
      copyCommand(),
      ...'-x 80-192.0.2.10:80 -s a,b -c 10.9.8.x -n2 -r 20 -i eth0,eth1 -F'.split(' '),
      'tcp and dst port 80',
      ...'-B 16 -S 65535 -a 2 -I 100 -T 3 -m 512 -M 1500 -D 1460 -t 60 -k 90 -C 4 -p 4000 -l log -P pid -dOgWL'.split(
        ' ',
      ),
    );
    expect(opts).toEqual({
      map: ['80-192.0.2.10:80'],
      intercept: ['a,b'],
      client: ['10.9.8.x'],
      copies: '2',
      percent: '20',
      input: ['eth0,eth1'],
      filter: 'tcp and dst port 80',
      buffer: '16',
      snaplen: '65535',
      accelerate: '2',
      maxGap: '100',
      repeat: '3',
      memory: '512',
      mtu: '1500',
      mss: '1460',
      timeout: '60',
      keepaliveTimeout: '90',
      connections: '4',
      port: '4000',
      log: 'log',
      pidFile: 'pid',
      daemon: true,
      onlyFromSyn: true,
      gradual: true,
      dontWait: true,
      lonely: true,
    });
  });

  it('takes lists in one flag or in several', () => {
    expect(read(copyCommand(), '-x', 'a', '-x', 'b,c', '-i', '-')).toEqual({ map: ['a', 'b,c'], input: ['-'] });
  });

  it('has an option for everything the schema reads, and nothing more', () => {
    const names = copyCommand()
      .options.filter((o) => !o.hidden && o.long !== '--version')
      .map((o) => o.attributeName());
    expect(names.toSorted()).toEqual(Object.keys(rawCopySchema.shape).toSorted());
  });

  it.each([
    [['--pacee', 'x'], "unknown option '--pacee'; did you mean --pace? [E_USAGE]"],
    [['-Z'], "unknown option '-Z'; see tcpcopy --help [E_USAGE]"],
    [['-x'], "option '-x, --map <list>' argument missing; see tcpcopy --help [E_USAGE]"],
    [
      ['stray'],
      'stray belongs to no option; a value follows its flag, quoted when it holds blanks; see tcpcopy --help [E_USAGE]',
    ],
  ])('%j is refused in one line', (argv, line) => expect(usageError(copyCommand(), ...argv)).toBe(line));

  it('a wrong choice is refused in one line', () => {
    const line = usageError(copyCommand(), '--target', 'kernel');
    expect(line).toBe('--target kernel: must be one of raw, socket [E_USAGE]');
  });

  it('what a subcommand refuses is told of as its own', () => {
    const whole = copyCommand();
    registerInspect(whole);
    whole.commands[0]!.action(() => undefined);
    expect(usageError(whole, 'inspect', 'a.pcap', 'b.pcap')).toMatch(
      /^b\.pcap belongs to no option; .* see tcpcopy inspect --help/,
    );
    expect(usageError(whole, 'inspect')).toBe(
      "missing required argument 'recording'; see tcpcopy inspect --help [E_USAGE]",
    );
  });

  it('help fits 100 columns and groups every visible option', () => {
    const text = help(copyCommand());
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    for (const group of ['Traffic', 'Target', 'Intercept', 'Pacing', 'Limits', 'Output', 'Process', 'Examples']) {
      expect(text).toContain(`\n${group}:\n`);
    }
    expect(text).not.toMatch(/\nOptions:\n/);
  });

  it.each([copyCommand(), recordCommand(), doctorCommand(), interceptCommand()])(
    'what stands below the options of $_name fits 80 columns',
    (command) => {
      const text = help(command);
      for (const line of text.slice(text.indexOf('\nExamples:')).split('\n'))
        expect(line.length, line).toBeLessThanOrEqual(80);
    },
  );

  it('every example of the help is a command that is accepted', () => {
    const examples = examplesOf(copyCommand(), 'tcpcopy');
    expect(examples.length).toBeGreaterThanOrEqual(4);
    const context = {
      ...CONTEXT,
      processors: 4,
      fileKind: (path: string) => (path === 'traffic.pcapng' ? 'file' : 'missing'),
    } as const;
    for (const example of examples) {
      const raw = read(copyCommand(), ...example.trim().split(' ').slice(1));
      expect(() => parseCopyOptions(raw, context), example).not.toThrow();
    }
  });
});

describe('tcpcopy record', () => {
  it('has an option for everything the schema reads, and nothing more', () => {
    const names = recordCommand()
      .options.filter((o) => !o.hidden && o.long !== '--version')
      .map((o) => o.attributeName());
    expect(names.toSorted()).toEqual(Object.keys(rawRecordSchema.shape).toSorted());
  });

  it('every example of the help is a command that is accepted', () => {
    const examples = examplesOf(recordCommand(), 'tcpcopy record');
    expect(examples).toHaveLength(4);
    const context = { ...CONTEXT, fileKind: () => 'file' as const };
    for (const example of examples) {
      const raw = read(recordCommand(), ...example.trim().split(' ').slice(2));
      expect(() => parseRecordOptions(raw, context), example).not.toThrow();
    }
  });
});

describe('intercept', () => {
  it('has an option for everything the schema reads, and nothing more', () => {
    const names = interceptCommand()
      .options.filter((o) => !o.hidden && o.long !== '--version')
      .map((o) => o.attributeName());
    expect(names.toSorted()).toEqual(Object.keys(rawInterceptSchema.shape).toSorted());
  });

  it('every example of the help is a command that is accepted', () => {
    const examples = help(interceptCommand()).match(/^ {4}intercept .*$/gm)!;
    for (const example of examples) {
      const argv = [...example.trim().matchAll(/'([^']*)'|(\S+)/g)].map((m) => m[1] ?? m[2]!);
      const raw = read(interceptCommand(), ...argv.slice(1));
      expect(() => parseInterceptOptions(raw, CONTEXT), example).not.toThrow();
    }
  });
});

describe('flags that have nothing left to set', () => {
  it('are accepted and answered with a line each', () => {
    const raw = read(copyCommand(), '-x', 'a', '-f', '3', '-H', '10.0.0.1', '-R', '5', '-U', '2', '-o', 'eth0');
    const notes = replacedFlagNotes(raw, TCPCOPY_REPLACED_FLAGS);
    expect(notes.map((note) => note.slice(0, 2)).toSorted()).toEqual(['-H', '-R', '-U', '-f', '-o']);
    expect(notes.every((note) => !note.includes('\n'))).toBe(true);
    const rest = read(
      interceptCommand(),
      '-n',
      '5',
      '-s',
      '65536',
      '-c',
      '-D',
      'a-b',
      '-x',
      '1.2.3.4',
      '-t',
      '9',
      '-q',
      '1',
    );
    expect(replacedFlagNotes(rest, INTERCEPT_REPLACED_FLAGS)).toHaveLength(7);
  });

  it('are not mentioned when they are not given', () => {
    expect(replacedFlagNotes(read(copyCommand(), '-x', 'a'), TCPCOPY_REPLACED_FLAGS)).toEqual([]);
  });
});

describe('doctor', () => {
  it('takes the options of a run, and reads them the same', () => {
    const line = ['-x', '80-192.0.2.10:8080', '-s', '192.0.2.20', '-c', '10.9.8.x', '-F', 'port 80'];
    const { options } = parseCopyOptions(read(doctorCommand(), ...line, '--json'), CONTEXT);
    expect(options).toEqual(parseCopyOptions(read(copyCommand(), ...line), CONTEXT).options);
  });

  it('repeats the line that was typed, for a shell', () => {
    const argv = ['doctor', '-x', '80-[2001:db8::1]:80', '--print-setup', '-F', "host a' b", '--json'];
    expect(typedLine(argv)).toBe(`-x '80-[2001:db8::1]:80' -F 'host a'\\'' b'`);
  });
});

describe('docs/cli.md', () => {
  const documentation = readFileSync(new URL('../../../docs/cli.md', import.meta.url), 'utf8');

  it.each([
    ['tcpcopy', copyCommand()],
    ['intercept', interceptCommand()],
    ['tcpcopy record', recordCommand()],
    ['tcpcopy doctor', doctorCommand()],
  ])('names every flag of %s', (_name, command) => {
    for (const { long, short, hidden } of command.options) {
      if (short) expect(documentation).toMatch(new RegExp(`\`${short}[\` ]`));
      if (long && !hidden) expect(documentation).toMatch(new RegExp(`\`${long}[\` ]`));
    }
  });
});
