/** How the demonstration talks. */
import Table from 'cli-table3';

export function say(text = ''): void {
  process.stdout.write(`${text}\n`);
}

export function title(text: string): void {
  say(`\n── ${text} ${'─'.repeat(Math.max(3, 76 - text.length))}\n`);
}

/** A command line, as it could be typed. */
export function command(host: string, line: string): void {
  say(`  ${host.padEnd(9)} $ ${line}`);
}

export function table(rows: readonly (readonly [string, number | string])[]): void {
  const plain = new Table({ style: { head: [], border: [] }, colAligns: ['left', 'right'] });
  for (const [what, count] of rows)
    plain.push([what, typeof count === 'number' ? count.toLocaleString('en-US') : count]);
  say(plain.toString());
}

/** What a program is told whose output is quoted here: elsewhere than on a terminal it would log in JSON. */
export const AS_ON_A_TERMINAL = ['--log-format', 'text'] as const;

/** A program's own words, indented. */
export function quote(output: string): void {
  for (const line of output.trimEnd().split('\n')) say(`  │ ${line}`);
}
