/** Runs a replay of a recording inside this process, from the options of a command line to the exit code. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { errorLine, exitCodeOf } from '../../../src/cli/exit-code.ts';
import { machineContext } from '../../../src/cli/machine-context.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { parseRecordOptions } from '../../../src/config/record-options-schema.ts';
import type { RunOptions } from '../../../src/replay/copy-input.ts';
import type { LogFields } from '../../../src/core/log.ts';
import { runCopy } from '../../../src/replay/run-copy.ts';
import type { SummaryObject } from '../../../src/report/summary-json.ts';

export interface OfflineRun {
  readonly code: number;
  /** The one line that a failed run ends with. */
  readonly error: string | undefined;
  readonly summary: SummaryObject | undefined;
  /** What a user reads on standard output and in the log. */
  readonly output: readonly string[];
  /** From start to end, ms. */
  readonly took: number;
}

/**
 * `options`: as the command line names them, such as `{ input: ['a.pcap'], map: ['80-192.0.2.1:80'] }`. `stop`: does what
 * SIGINT would do.
 */
export function replayOffline(options: Readonly<Record<string, unknown>>, stop?: AbortSignal): Promise<OfflineRun> {
  return run((raw) => parseCopyOptions(raw, machineContext('tcpcopy')).options, options, stop);
}

/** The same of `tcpcopy record`. */
export function recordOffline(options: Readonly<Record<string, unknown>>): Promise<OfflineRun> {
  return run((raw) => parseRecordOptions(raw, machineContext('tcpcopy')), options);
}

async function run(
  parse: (raw: Readonly<Record<string, unknown>>) => RunOptions,
  options: Readonly<Record<string, unknown>>,
  stop: AbortSignal = new AbortController().signal,
): Promise<OfflineRun> {
  const folder = mkdtempSync(join(tmpdir(), 'offline-run-'));
  const summaryJson = join(folder, 'summary.json');
  const output: string[] = [];
  const log = (message: string, fields?: LogFields): void =>
    void output.push(fields === undefined ? message : `${message} ${JSON.stringify(fields)}`);
  const begun = performance.now();
  let started = false;
  let code: number;
  let error: string | undefined;
  try {
    code = await runCopy(parse({ ...options, summaryJson }), {
      log: { error: log, warn: log, info: () => undefined, debug: () => undefined },
      stdout: (line) => void output.push(line),
      stopSignal: stop,
      statsRequests: () => undefined,
      started: () => (started = true),
    });
  } catch (thrown) {
    code = exitCodeOf(thrown, started);
    error = errorLine(thrown, true);
  }
  const took = performance.now() - begun;
  const summary = readSummary(summaryJson);
  rmSync(folder, { recursive: true });
  return { code, error, summary, output, took };
}

function readSummary(path: string): SummaryObject | undefined {
  try {
    return JSON.parse(readFileSync(path, 'utf8')) as SummaryObject;
  } catch {
    return undefined;
  }
}
