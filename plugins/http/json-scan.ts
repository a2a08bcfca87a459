/**
 * Walks through a JSON text without making values of it, so that parts can be changed where they stand. The text is known
 * to be JSON (RFC 8259); nothing recurses, and depth is bounded.
 */

/** Keys and indices that lead to a value; the text itself has none. Valid during the call it is given to. */
export type JsonPath = readonly (string | number)[];

/** Where a value stands in the text, and what it is. */
export interface JsonSpan {
  readonly start: number;
  readonly end: number;
  readonly kind: 'object' | 'array' | 'scalar';
  /** Members of an object or array, and where the last of them ends (behind the bracket where there is none). */
  readonly size: number;
  readonly lastEnd: number;
}

/** A part of the text to be replaced. */
export interface JsonEdit {
  readonly start: number;
  readonly end: number;
  readonly text: string;
}

/** Deeper texts are not read. */
const DEEPEST = 1_000;

interface Frame {
  readonly object: boolean;
  readonly start: number;
  /** Of each member so far: where it (with its key) begins and ends, and whether it goes. */
  readonly starts: number[];
  readonly ends: number[];
  readonly gone: boolean[];
}

/**
 * Calls `visit` for each value, those inside before what holds them. `'remove'` takes it out with its key and a comma;
 * `{ text }` puts that in its place, whatever was said of what is inside; `insert` adds behind the last member. Returns
 * the edits in order, or `undefined` when the text is too deep.
 */
export function scanJson(
  text: string,
  visit: (path: JsonPath, span: JsonSpan) => 'remove' | { readonly text: string } | { readonly insert: string } | void,
): readonly JsonEdit[] | undefined {
  const path: (string | number)[] = [];
  const frames: Frame[] = [];
  let edits: JsonEdit[] = [];
  let at = skipBlank(text, 0);

  const leave = (start: number, frame: Frame | undefined): void => {
    const size = frame?.starts.length ?? 0;
    const kind = frame === undefined ? 'scalar' : frame.object ? 'object' : 'array';
    const verdict = visit(path, { start, end: at, kind, size, lastEnd: frame?.ends.at(-1) ?? start + 1 });
    if (verdict !== undefined && verdict !== null && !(typeof verdict === 'object' && 'insert' in verdict)) {
      edits = edits.filter((edit) => edit.start < start);
      if (verdict !== 'remove') edits.push({ start, end: at, text: verdict.text });
    } else if (frame !== undefined) {
      edits.push(...removals(frame));
      const lastEnd = frame.ends.at(-1) ?? start + 1;
      if (verdict) edits.push({ start: lastEnd, end: lastEnd, text: verdict.insert });
    }
    const outer = frames.at(-1);
    if (outer === undefined) return;
    outer.ends.push(at);
    outer.gone.push(verdict === 'remove');
    path.pop();
  };

  for (;;) {
    const frame = frames.at(-1);
    if (frame !== undefined) {
      at = skipBlank(text, at);
      if (text[at] === ',') at = skipBlank(text, at + 1);
      if (text[at] === '}' || text[at] === ']') {
        at++;
        frames.pop();
        leave(frame.start, frame);
        if (frames.length === 0) break;
        continue;
      }
      frame.starts.push(at);
      if (frame.object) {
        const end = endOfString(text, at);
        path.push(keyOf(text.slice(at, end)));
        at = skipBlank(text, skipBlank(text, end) + 1);
      } else path.push(frame.starts.length - 1);
    }
    const opening = text[at];
    if (opening === '{' || opening === '[') {
      if (frames.length === DEEPEST) return undefined;
      frames.push({ object: opening === '{', start: at, starts: [], ends: [], gone: [] });
      at++;
      continue;
    }
    const start = at;
    at = opening === '"' ? endOfString(text, at) : endOfWord(text, at);
    leave(start, undefined);
    if (frames.length === 0) break;
  }
  return edits.toSorted((a, b) => a.start - b.start);
}

/** What to cut so that the members that go take one comma each along. */
function removals({ starts, ends, gone }: Frame): readonly JsonEdit[] {
  if (!gone.includes(true)) return [];
  const firstKept = gone.indexOf(false);
  return gone.flatMap((isGone, i) => {
    if (!isGone) return [];
    if (firstKept >= 0 && firstKept < i) return [{ start: ends[i - 1]!, end: ends[i]!, text: '' }];
    return [{ start: starts[i]!, end: starts[i + 1] ?? ends[i]!, text: '' }];
  });
}

function keyOf(quoted: string): string {
  return quoted.includes('\\') ? (JSON.parse(quoted) as string) : quoted.slice(1, -1);
}

/** Behind the closing quote of the text that begins at `at`. */
function endOfString(text: string, at: number): number {
  for (let i = at + 1; ; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '"') return i + 1;
  }
}

function endOfWord(text: string, at: number): number {
  let end = at;
  while (end < text.length && !',]} \t\r\n'.includes(text[end]!)) end++;
  return end;
}

function skipBlank(text: string, at: number): number {
  let next = at;
  while (' \t\r\n'.includes(text[next] ?? 'x')) next++;
  return next;
}
