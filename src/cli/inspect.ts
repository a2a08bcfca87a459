/** `tcpcopy inspect`: what a recording holds, for people or, with `--json`, for machines. */
import type { Command } from 'commander';
import { TcpcopyError } from '../core/errors.ts';
import { collect, refuseProgramOptions } from './command-base.ts';
import type { InspectRequestsOptions } from './inspect-requests.ts';
import { sizeOf } from './terminal.ts';

interface InspectOptions extends InspectRequestsOptions {
  readonly requests?: boolean;
}

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('list the connections of a recording, or its requests with their responses')
    .argument('<recording>', 'pcap or pcapng file, gzip or not; - for standard input')
    .option(
      '--json',
      'one line a connection, in order of first packet: bytes and SHA-256 up to the first gap, and gaps',
    )
    .option('--requests', 'list requests; with --json one line each')
    .option('--plugin <spec>', 'show what plugins do to each request, as for copying', collect)
    .option('--seed <num>', 'same seed: the same choices of plugins')
    .option('--connection <num>', 'only the requests of this connection, counted from 1')
    .option('--limit <num>', 'only so many requests')
    .action(async (recording: string, options: InspectOptions) => {
      refuseProgramOptions(program, 'inspect');
      if (wantsRequests(options)) {
        const { printRequests } = await import('./inspect-requests.ts');
        warn(recording, await printRequests(recording, options, print, terminalWidth()));
        return;
      }
      await (options.json === true ? printJson(recording) : printTable(recording));
    });
}

/** Options that are about requests ask for them. */
function wantsRequests({ requests, plugin, connection, limit, seed }: InspectOptions): boolean {
  return requests === true || [plugin, connection, limit, seed].some((given) => given !== undefined);
}

async function printJson(recording: string): Promise<void> {
  const [{ inspectFile }, { unreadablePart }] = await modules();
  const stream = ({ bytes, sha256, gaps }: { bytes: number; sha256: string; gaps: unknown }) => ({
    bytes,
    sha256,
    gaps,
  });
  const inspection = await inspectFile(recording, ({ client, server, c2s, s2c }) => {
    print(JSON.stringify({ client, server, c2s: stream(c2s), s2c: stream(s2c) }));
  });
  warn(recording, unreadablePart(inspection));
}

async function printTable(recording: string): Promise<void> {
  const [{ inspectFile }, { InspectionTable, inspectionTotals, unreadablePart }] = await modules();
  const table = new InspectionTable(print, terminalWidth());
  const inspection = await inspectFile(recording, (connection) => table.add(connection));
  table.flush();
  print(inspectionTotals(inspection));
  warn(recording, unreadablePart(inspection));
}

/** Loaded when needed, so that `--help` answers at once. */
function modules() {
  return Promise.all([import('../replay/inspect-recording.ts'), import('../report/inspection-table.ts')]);
}

function terminalWidth(): number | undefined {
  return process.stdout.isTTY ? sizeOf(process.stdout.columns) : undefined;
}

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

function warn(recording: string, unreadable: string): void {
  if (unreadable === '') return;
  process.stderr.write(
    `tcpcopy: ${new TcpcopyError('E_CAPTURE_FORMAT', unreadable, { where: recording }).oneLine()}\n`,
  );
}
