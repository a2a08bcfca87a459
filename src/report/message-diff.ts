/** What a plugin changed in a message, as lines for people: `- ` what was there, `+ ` what is. */
import { formatBytes } from './format.ts';
import { escaped, latin1 } from './request-text.ts';

/** More lines are compared as one. */
const MOST_LINES = 200;
const LONGEST_LINE = 120;

/** Heads by lines, what follows the first empty line by its length and first bytes. */
export function messageDiff(before: Uint8Array, after: Uint8Array): string[] {
  const [old, now] = [split(before), split(after)];
  const lines = lineDiff(old.head, now.head);
  if (old.body === now.body) return lines;
  return [...lines, `- ${bodyText(old.body)}`, `+ ${bodyText(now.body)}`];
}

function split(bytes: Uint8Array): { readonly head: readonly string[]; readonly body: string } {
  const text = latin1(bytes, 0, bytes.length);
  const end = /\r?\n\r?\n/.exec(text);
  const head = end === null ? text : text.slice(0, end.index);
  return { head: head.split(/\r?\n/), body: end === null ? '' : text.slice(end.index + end[0].length) };
}

function bodyText(body: string): string {
  return body === '' ? '(no body)' : `(${formatBytes(body.length)}) ${line(body)}`;
}

function line(text: string): string {
  const shown = escaped(text.slice(0, LONGEST_LINE));
  return text.length > LONGEST_LINE ? `${shown}…` : shown;
}

/** The longest common subsequence stays out of it (Hunt and McIlroy; plain dynamic programming will do for heads). */
function lineDiff(old: readonly string[], now: readonly string[]): string[] {
  if (old.length > MOST_LINES || now.length > MOST_LINES) {
    return old.join('\n') === now.join('\n') ? [] : [`- ${line(old.join('\n'))}`, `+ ${line(now.join('\n'))}`];
  }
  const width = now.length + 1;
  const common = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--) {
    for (let j = now.length - 1; j >= 0; j--) {
      const at = i * width + j;
      common[at] = old[i] === now[j] ? common[at + width + 1]! + 1 : Math.max(common[at + width]!, common[at + 1]!);
    }
  }
  const lines: string[] = [];
  let [i, j] = [0, 0];
  while (i < old.length || j < now.length) {
    const at = i * width + j;
    if (i < old.length && j < now.length && old[i] === now[j]) [i, j] = [i + 1, j + 1];
    else if (j === now.length || (i < old.length && common[at + width]! >= common[at + 1]!))
      lines.push(`- ${line(old[i++]!)}`);
    else lines.push(`+ ${line(now[j++]!)}`);
  }
  return lines;
}
