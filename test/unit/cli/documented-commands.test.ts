/** Command lines that the documentation shows whole are accepted by the programs. */
import { readdirSync, readFileSync } from 'node:fs';
import { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { copyCommand } from '../../../src/cli/copy-command.ts';
import { doctorCommand } from '../../../src/cli/doctor-command.ts';
import { registerInspect } from '../../../src/cli/inspect.ts';
import { interceptCommand } from '../../../src/cli/intercept-command.ts';
import { recordCommand } from '../../../src/cli/record-command.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { parseInterceptOptions } from '../../../src/config/intercept-options-schema.ts';
import { parseRecordOptions } from '../../../src/config/record-options-schema.ts';
import { CONTEXT } from '../config/options-fixture.ts';

const PAGES = ['.', 'docs', 'examples', 'plugins'].flatMap((folder) =>
  readdirSync(folder, { encoding: 'utf8', recursive: folder !== '.' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `${folder}/${name}`),
);
/** Files that the pages name. */
const DOCUMENTED: typeof CONTEXT = {
  ...CONTEXT,
  fileKind: (path) => (/\.(pcap|pcapng|gz)$/.test(path) ? 'file' : CONTEXT.fileKind(path)),
  readText: (path, where) =>
    CONTEXT.readText(
      /\.crt$/.test(path) ? 'a.crt' : /\.key$/.test(path) && !/control/.test(path) ? 'a.key' : 'key',
      where,
    ),
};

/** Of the shell blocks of a page: lines that begin with one of our programs, and leave nothing to the reader. */
function commandsOf(page: string): string[] {
  const blocks = [...page.matchAll(/^```sh\n([\s\S]*?)^```/gm)].map(([, block]) => block!.replaceAll(/\\\n\s*/g, ''));
  return blocks
    .flatMap((block) => block.split('\n'))
    .map((line) => line.replace(/(^|\s)#.*$/, '').trim())
    .filter((line) => /^(tcpcopy|intercept) /.test(line) && !/[<…$|&]|\[(?!\d)/.test(line.replaceAll(/'[^']*'/g, '')));
}

/** Words as a shell makes them of quotes. */
function words(line: string): string[] {
  return [...line.matchAll(/(?:'[^']*'|"[^"]*"|[^\s'"])+/g)].map(([word]) => word.replaceAll(/['"]/g, ''));
}

/** Throws where the program would refuse it. */
function check(line: string): void {
  const [program, ...args] = words(line);
  const subcommand = program === 'tcpcopy' ? args[0]! : '';
  const read = (command: Command, given: readonly string[]): Record<string, unknown> => {
    command.exitOverride().action(() => undefined);
    return command.parse([...given], { from: 'user' }).opts();
  };
  if (program === 'intercept') parseInterceptOptions(read(interceptCommand(), args), DOCUMENTED);
  else if (subcommand === 'record') parseRecordOptions(read(recordCommand(), args.slice(1)), DOCUMENTED);
  else if (subcommand === 'doctor') parseCopyOptions(read(doctorCommand(), args.slice(1)), DOCUMENTED);
  else if (subcommand === 'inspect') {
    const whole = new Command();
    registerInspect(whole);
    read(whole.commands[0]!, args.slice(1));
  } else if (!['plugins', 'plugin', 'config'].includes(subcommand))
    parseCopyOptions(read(copyCommand(), args), DOCUMENTED);
}

describe('documented command lines', () => {
  const shown = PAGES.flatMap((page) => commandsOf(readFileSync(page, 'utf8')).map((line) => ({ page, line })));

  it('are found', () => {
    expect(shown.length).toBeGreaterThan(40);
    expect(new Set(shown.map(({ page }) => page)).size).toBeGreaterThan(15);
  });

  it.each(shown)('$page: $line', ({ line }) => {
    check(line);
  });

  it('with a flag that is none are refused', () => {
    expect(() => check('tcpcopy -x 80-192.0.2.10:80 -s 192.0.2.20 --no-such-flag')).toThrow();
    expect(() => check('intercept -i eth0 -b nowhere')).toThrow();
  });
});
