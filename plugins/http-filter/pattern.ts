/** Texts as people describe them: `*` for any characters, `?` for one, or a regular expression between slashes. */
export type Matches = (text: string) => boolean;

/** `undefined`: the regular expression is none. */
export function parsePattern(pattern: string): Matches | undefined {
  const regex = asRegex(pattern);
  return regex && ((text) => regex.test(text));
}

/** `NAME` (whatever the value) or `NAME=PATTERN`; `undefined`: the name is missing, or the pattern is none. */
export function parseField(text: string): { readonly name: string; readonly matches: Matches } | undefined {
  const mark = text.indexOf('=');
  const name = (mark < 0 ? text : text.slice(0, mark)).trim();
  const matches = mark < 0 ? () => true : parsePattern(text.slice(mark + 1));
  return name === '' || matches === undefined ? undefined : { name, matches };
}

function asRegex(pattern: string): RegExp | undefined {
  if (!/^\/.+\/$/.test(pattern)) {
    const escaped = pattern
      .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
      .replaceAll('*', '.*')
      .replaceAll('?', '.');
    return new RegExp(`^${escaped}$`, 's');
  }
  try {
    return new RegExp(pattern.slice(1, -1));
  } catch {
    return undefined;
  }
}
