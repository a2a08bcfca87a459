/** Lines of a listing: figures in columns, and behind them text of any length. */
import { wrap } from './format.ts';

/** Longer ones are cut. */
const LONGEST_LINE = 300;
/** What belongs to a line and stands below it. */
export const BELOW = ' '.repeat(6);

/** One line; on a terminal, of `width` columns, where that is too long the text stands below its columns. */
export function listingLines(columns: string, text: string, width: number | undefined): string[] {
  const line = lineOf(text === '' ? columns.trimEnd() : `${columns}  ${text}`);
  if (width === undefined || line.length <= width) return [line];
  const room = Math.max(20, width - BELOW.length);
  const pieces = new RegExp(`.{1,${room}}`, 'g');
  const below = wrap(lineOf(text), room).flatMap((words) => words.match(pieces) ?? []);
  return [columns.trimEnd(), ...below.map((words) => BELOW + words)];
}

export function lineOf(text: string): string {
  return text.length > LONGEST_LINE ? `${text.slice(0, LONGEST_LINE - 1)}…` : text;
}
