/** `tcpcopy inspect`: what a recording holds, for people or, with `--json`, for machines. */
import type { Command } from 'commander';
import { TcpcopyError } from '../core/errors.ts';

interface InspectOptions {
  readonly json?: boolean;
}

export function registerInspect(program: Command): void {
  program
    .command('inspect')
    .description('list the connections of a recording, with what is missing in them')
    .argument('<recording>', 'pcap or pcapng file, gzip or not; - for standard input')
    .option(
      '--json',
      'one line a connection, in order of first packet: bytes and SHA-256 up to the first gap, and gaps',
    )
    .action(async (recording: string, options: InspectOptions) => {
      await (options.json === true ? printJson(recording) : printTable(recording));
    });
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
  const table = new InspectionTable(print);
  const inspection = await inspectFile(recording, (connection) => table.add(connection));
  table.flush();
  print(inspectionTotals(inspection));
  warn(recording, unreadablePart(inspection));
}

/** Loaded when needed, so that `--help` answers at once. */
function modules() {
  return Promise.all([import('../replay/inspect-recording.ts'), import('../report/inspection-table.ts')]);
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
