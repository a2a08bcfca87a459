/** The lines of a dry run: one a request, in columns that do not wait for the longest value. */
import type { Duration } from '../core/time.ts';
import { formatCount, formatTime } from './format.ts';
import { lineOf } from './request-text.ts';

export interface DryRunLine {
  readonly client: string;
  readonly target: string;
  readonly bytes: number;
  /** The beginning of the request. */
  readonly text: string;
  readonly outcome: 'as it is' | 'changed' | 'dropped' | 'cut short';
  /** Who dropped it, and why. */
  readonly dropped: { readonly plugin: string | undefined; readonly reason: string } | undefined;
  readonly copies: number;
  readonly delayed: Duration;
}

/** An IPv4 address with its port; IPv6 takes what it needs. */
const ENDPOINT = 21;
const OUTCOME = 9;
const BYTES = 8;

export const DRY_RUN_HEADING = columns('client', 'target', 'outcome', 'bytes', 'request');

export function dryRunLine(line: DryRunLine): string {
  const { client, target, bytes, text, outcome, dropped, copies, delayed } = line;
  const notes = [
    dropped && [dropped.plugin, dropped.reason].filter((part) => part !== undefined).join(': '),
    copies < 2 ? undefined : `${copies} times`,
    delayed === 0 ? undefined : `after ${formatTime(delayed)}`,
  ].filter((note) => note !== undefined);
  const rest = notes.length === 0 ? text : `(${notes.join(', ')}) ${text}`;
  return lineOf(columns(client, target, outcome, formatCount(bytes), rest));
}

function columns(client: string, target: string, outcome: string, bytes: string, rest: string): string {
  return [client.padEnd(ENDPOINT), target.padEnd(ENDPOINT), outcome.padEnd(OUTCOME), bytes.padStart(BYTES), rest].join(
    '  ',
  );
}
