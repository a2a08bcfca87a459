import { parsePattern, type Matches } from 'tcpcopy/plugin';

/** `NAME` (whatever the value) or `NAME=PATTERN`; `undefined`: the name is missing, or the pattern is none. */
export function parseField(text: string): { readonly name: string; readonly matches: Matches } | undefined {
  const mark = text.indexOf('=');
  const name = (mark < 0 ? text : text.slice(0, mark)).trim();
  const matches = mark < 0 ? () => true : parsePattern(text.slice(mark + 1));
  return name === '' || matches === undefined ? undefined : { name, matches };
}
