/** The lines of a dry run: one a request, in columns that do not wait for the longest value. */
import type { Duration } from '../core/time.ts';
import { formatCount, formatTime } from './format.ts';
import { listingLines } from './listing-line.ts';

export interface DryRunLine {
  readonly client: string;
  /** `undefined` where all requests have the same. */
  readonly target: string | undefined;
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
const BYTES = 7;

export function dryRunHeading(withTarget: boolean): string {
  return `${columns('client', withTarget ? 'target' : undefined, 'outcome', 'bytes')}  request`;
}

/** `width`: of the terminal, if it is one; `undefined`: a request is one line. */
export function dryRunLines(line: DryRunLine, width: number | undefined): string[] {
  const { client, target, bytes, text, outcome, dropped, copies, delayed } = line;
  const notes = [
    dropped && [dropped.plugin, dropped.reason].filter((part) => part !== undefined).join(': '),
    copies < 2 ? undefined : `${copies} times`,
    delayed === 0 ? undefined : `after ${formatTime(delayed)}`,
  ].filter((note) => note !== undefined);
  const rest = notes.length === 0 ? text : `(${notes.join(', ')}) ${text}`;
  return listingLines(columns(client, target, outcome, formatCount(bytes)), rest, width);
}

function columns(client: string, target: string | undefined, outcome: string, bytes: string): string {
  const ends = (target === undefined ? [client] : [client, target]).map((end) => end.padEnd(ENDPOINT));
  return [...ends, outcome.padEnd(OUTCOME), bytes.padStart(BYTES)].join('  ');
}
