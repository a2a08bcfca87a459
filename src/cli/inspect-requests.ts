/** `tcpcopy inspect --requests`, for people and for machines. */
import pc from 'picocolors';
import { optionError } from '../config/option-error.ts';
import { parsePlugin } from '../config/plugin-spec.ts';
import { parseInteger } from '../config/quantity.ts';
import { elapsed, micros, toMillis } from '../core/time.ts';
import { inspectRequests, type RequestTotals } from '../replay/inspect-requests.ts';
import type { InspectedRequest } from '../replay/request-listing.ts';
import { formatCount, formatTime, plural } from '../report/format.ts';
import { unreadablePart } from '../report/inspection-table.ts';
import { REQUEST_HEADING, requestLines } from '../report/request-lines.ts';
import { createLog } from './logger.ts';

export interface InspectRequestsOptions {
  readonly json?: boolean;
  readonly plugin?: readonly string[];
  readonly seed?: string;
  readonly connection?: string;
  readonly limit?: string;
}

const MOST = 1e12;
const PROCESS = { logLevel: 'warn', logFormat: 'text' } as const;

/** `width`: of the terminal, if it is one. Returns what of the recording could not be read, as one clause. */
export async function printRequests(
  recording: string,
  options: InspectRequestsOptions,
  print: (line: string) => void,
  width: number | undefined,
): Promise<string> {
  const number = (flag: string, text: string | undefined, max: number) =>
    text === undefined ? undefined : parseInteger(flag, text, { min: 1, max });
  const inspection = {
    plugins: (options.plugin ?? []).map((text) => parsePlugin(text)),
    seed: options.seed === undefined ? undefined : parseInteger('--seed', options.seed, { min: 0, max: 0xffff_ffff }),
    connection: number('--connection', options.connection, MOST),
    limit: number('--limit', options.limit, MOST) ?? Infinity,
    log: createLog(PROCESS, (line) => process.stderr.write(`${line}\n`)),
  };
  const report = options.json === true ? jsonLines(print) : textLines(print, width);
  const totals = await inspectRequests(recording, inspection, report);
  const { connection = 0 } = inspection;
  if (!totals.limited && connection > totals.connections) {
    throw optionError(
      '--connection',
      String(connection),
      'the recording has no such connection',
      `it has ${totals.connections}`,
    );
  }
  if (options.json !== true) for (const line of totalLines(totals, options.plugin !== undefined)) print(line);
  return unreadablePart(totals);
}

function textLines(print: (line: string) => void, width: number | undefined): (request: InspectedRequest) => void {
  let first: InspectedRequest | undefined;
  const colors = pc.createColors(process.stdout.isTTY === true && pc.isColorSupported);
  const paint = (line: string) =>
    /^ +- /.test(line) ? colors.red(line) : /^ +\+ /.test(line) ? colors.green(line) : line;
  return (request) => {
    if (first === undefined) print(REQUEST_HEADING);
    first ??= request;
    const since = micros(Math.max(0, elapsed(request.at, first.at)));
    for (const line of requestLines({ ...request, since }, width)) print(paint(line));
  };
}

/** One object a line; bytes as Latin-1 text, which JSON carries without loss. */
function jsonLines(print: (line: string) => void): (request: InspectedRequest) => void {
  const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('latin1');
  return ({ at, text: request, verdict, changes, response, ...rest }) => {
    const { dropped, changed, copies, delayed } = verdict;
    print(
      JSON.stringify({
        ...rest,
        time: at / 1e6,
        request,
        dropped: dropped === undefined ? null : { plugin: dropped.plugin ?? null, reason: dropped.reason },
        changed,
        copies,
        delayMs: toMillis(delayed),
        changes: changes.map(({ plugin, before, after }) => ({ plugin, before: text(before), after: text(after) })),
        response: response === undefined ? null : { status: response.status ?? null, ms: toMillis(response.after) },
      }),
    );
  };
}

function totalLines(totals: RequestTotals, withPlugins: boolean): string[] {
  const { requests, connections, limited, plugins } = totals;
  const more = limited ? '; the rest is not shown (--limit)' : '';
  const lines = [`${plural(requests, 'request')}, ${plural(connections, 'connection')}${more}`];
  if (!withPlugins) return lines;
  for (const { name, calls, drops, failures, time, waiting } of plugins) {
    if (calls === 0) continue;
    const parts = [plural(calls, 'call')];
    const spent = (time?.total ?? 0) + (waiting?.total ?? 0);
    parts.push(`${formatTime(micros(spent))} in all, ${formatTime(micros(spent / calls))} each`);
    for (const [reason, count] of Object.entries(drops)) parts.push(`${formatCount(count)} dropped (${reason})`);
    const failed = Object.values(failures).reduce((a, b) => a + b, 0);
    if (failed > 0) parts.push(`failed ${plural(failed, 'time')}`);
    lines.push(`${name}: ${parts.join('; ')}`);
  }
  return lines;
}
