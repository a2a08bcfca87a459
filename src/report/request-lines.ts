/** The requests of a recording as lines, in columns that do not wait for the longest value. */
import { toSeconds, type Duration } from '../core/time.ts';
import { formatCount, formatTime } from './format.ts';
import { BELOW, lineOf, listingLines } from './listing-line.ts';
import { messageDiff } from './message-diff.ts';

export interface RequestLine {
  readonly connection: number;
  readonly client: string;
  /** Since the first one. */
  readonly since: Duration;
  readonly text: string;
  readonly bytes: number;
  readonly whole: boolean;
  readonly verdict: {
    readonly dropped: { readonly plugin: string | undefined; readonly reason: string } | undefined;
    readonly copies: number;
    readonly delayed: Duration;
  };
  readonly changes: readonly { readonly plugin: string; readonly before: Uint8Array; readonly after: Uint8Array }[];
  readonly response: { readonly status: number | string | undefined; readonly after: Duration } | undefined;
}

export const REQUEST_HEADING = `${columns('#', 'client', 'at', 'bytes', 'status', 'took')}  request`;

/** `width`: of the terminal, if it is one. */
export function requestLines(request: RequestLine, width: number | undefined): string[] {
  const { connection, client, since, text, bytes, whole, verdict, changes, response } = request;
  const status = response === undefined ? '–' : String(response.status ?? 'yes');
  const took = response === undefined ? '–' : formatTime(response.after);
  const at = `+${toSeconds(since).toFixed(3)}`;
  const cut = whole ? '' : '(cut short) ';
  const figures = columns(String(connection), client, at, formatCount(bytes), status, took);
  const lines: string[] = [];
  for (const { plugin, before, after } of changes) {
    lines.push(`${BELOW}${plugin}`, ...messageDiff(before, after).map((line) => `${BELOW}  ${line}`));
  }
  const { dropped, copies, delayed } = verdict;
  if (dropped !== undefined) lines.push(`${BELOW}dropped by ${dropped.plugin ?? 'an option'}: ${dropped.reason}`);
  if (copies > 1) lines.push(`${BELOW}sent ${formatCount(copies)} times`);
  if (delayed > 0) lines.push(`${BELOW}held back for ${formatTime(delayed)}`);
  return [...listingLines(figures, cut + text, width), ...lines.map(lineOf)];
}

function columns(connection: string, client: string, at: string, bytes: string, status: string, took: string): string {
  const cells = [connection.padStart(4), client.padEnd(21), at.padStart(8), bytes.padStart(7)];
  return [...cells, status.padStart(6), took.padStart(8)].join('  ');
}
