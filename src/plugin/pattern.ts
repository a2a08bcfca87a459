/** Texts as people describe them: `*` for any characters, `?` for one, or a regular expression between slashes. */
export type Matches = (text: string) => boolean;

/** What tells whether a text is as `pattern` says; `undefined`: the regular expression is none. */
export function parsePattern(pattern: string): Matches | undefined {
  const regex = asRegex(pattern);
  return regex && ((text) => regex.test(text));
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
