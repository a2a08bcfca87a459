/** Patterns with what comes in place of what they match. */
export type Replace = (text: string) => string;

/**
 * `from`: a regular expression between slashes, of which every match is replaced; else, for `whole` texts, `*` for any
 * characters and `?` for one; else a text, of which every occurrence is replaced. `to` is a replacement of JavaScript's:
 * `$1` is the first group (of `*` and `?`: the first of them), `$&` all that was matched, `$$` a dollar sign. `undefined`:
 * the regular expression is none.
 */
export function parseReplacement(from: string, to: string, whole: boolean): Replace | undefined {
  if (/^\/.+\/$/s.test(from)) {
    try {
      const pattern = new RegExp(from.slice(1, -1), 'g');
      return (text) => text.replace(pattern, to);
    } catch {
      return undefined;
    }
  }
  if (!whole) return (text) => text.replaceAll(from, to);
  const escaped = from
    .replace(/[.+^${}()|[\]\\/]/g, '\\$&')
    .replaceAll('*', '(.*)')
    .replaceAll('?', '(.)');
  const pattern = new RegExp(`^${escaped}$`, 's');
  return (text) => text.replace(pattern, to);
}
