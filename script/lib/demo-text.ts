/** How the demonstration talks. */
import Table from 'cli-table3';
import { wrap } from '../../src/report/format.ts';

const COLUMNS = Math.max(60, process.stdout.columns || 80);

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(3, 76 - text.length))}\n`);
}

const PROMPT = 14;

/** A command line, as it could be typed; a long one is broken before options. */
export function command(host: string, line: string): void {
  const end = ' \\';
  const room = COLUMNS - PROMPT;
  const whole = line.replaceAll(/ (?!-)/g, '\u00a0');
  const lines = line.length <= room ? [line] : wrap(whole, room - end.length - 2);
  const text = lines.join(`${end}\n${' '.repeat(PROMPT + 2)}`).replaceAll('\u00a0', ' ');
  say(`  ${host.padEnd(9)} $ ${text}`);
}

/** What a command does, below it. */
export function remark(text: string): void {
  say(`${' '.repeat(PROMPT)}# ${text}`);
}

export function table(rows: readonly (readonly [string, number | string])[]): void {
  const plain = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right'] });
  for (const [what, count] of rows)
    plain.push([what, typeof count === 'number' ? count.toLocaleString('en-US') : count]);
  say(plain.toString());
}

/** What a program is told whose output is quoted here: elsewhere than on a terminal it would log in JSON. */
export const AS_ON_A_TERMINAL = ['--log-format', 'text'] as const;

/** A program's own words, indented. Elsewhere than on a terminal its lines are longer: their last column is broken. */
export function quote(output: string): void {
  const bar = '  │ ';
  for (const line of output.trimEnd().split('\n')) {
    const start = /^.* {2}(?=\S)/.exec(line)?.[0] ?? '';
    const lines = wrap(line.slice(start.length), Math.max(20, COLUMNS - bar.length - start.length));
    lines.forEach((text, i) => say(bar + (i === 0 ? start : ' '.repeat(start.length)) + text));
  }
}
