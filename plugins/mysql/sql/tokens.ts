/** The tokens of a text that mean something, side by side in columns: blanks and comments are not among them. */
import type { RunsComment, SqlMode } from './mode.ts';
import { BLANK, CLOSE_COMMENT, COMMENT, OPEN_COMMENT, QUOTED, SIGN, SqlScanner, VARIABLE, WORD } from './scanner.ts';
import { isReserved, keywordOf } from './words.ts';

export class SqlTokens {
  readonly text: string;
  readonly mode: SqlMode;
  /** Of them all; what is behind the last is `''`, 0 and the end of the text. */
  count = 0;
  readonly kinds: number[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  /** Words of the language in upper case; signs; `''` for everything else, and for names behind a full stop. */
  readonly words: string[] = [];
  /** Comments that some servers run and others do not, by kind and version. */
  readonly disputed: ReadonlySet<string>;

  /** `runs`: which comments with a version are read as part of the text. */
  constructor(text: string, mode: SqlMode, runs?: RunsComment) {
    this.text = text;
    this.mode = mode;
    const scanner = new SqlScanner(text, mode, runs);
    while (scanner.next()) {
      const { kind, start, end } = scanner;
      if (kind === BLANK || kind === COMMENT || kind === OPEN_COMMENT || kind === CLOSE_COMMENT) continue;
      this.kinds.push(kind);
      this.starts.push(start);
      this.ends.push(end);
      this.words.push(kind === WORD || kind === SIGN ? this.#wordOf(kind, start, end) : '');
      this.count++;
    }
    this.disputed = scanner.disputed;
  }

  /** The token as written; `''` behind the last. */
  source(index: number): string {
    return index < this.count ? this.text.slice(this.starts[index], this.ends[index]) : '';
  }

  /** Whether the word is among them, or the sign. */
  has(word: string): boolean {
    return this.words.includes(word);
  }

  word(index: number): string {
    return this.words[index] ?? '';
  }

  kind(index: number): number {
    return this.kinds[index] ?? BLANK;
  }

  /** What a string says, with its escapes undone. */
  string(index: number): string {
    return unquoted(this.source(index).replace(/^[nN]/, ''), !this.mode.noBackslashEscapes);
  }

  /** It may be a name here: it is in quotes, or is no reserved word. */
  isName(index: number): boolean {
    const kind = this.kind(index);
    return kind === QUOTED || (kind === WORD && !isReserved(this.words[index]!));
  }

  /** A name, or that of a variable behind its `@`, without quotes. */
  name(index: number): string {
    const source = this.source(index);
    const bare = this.kind(index) === VARIABLE ? source.replace(/^@+/, '') : source;
    const quote = bare[0];
    const quoted = quote === '`' || quote === '"' || quote === "'";
    const closed = bare.length > 1 && bare.endsWith(quote!) ? bare.slice(1, -1) : bare.slice(1);
    return quoted ? closed.replaceAll(quote + quote, quote) : bare;
  }

  /** In quotes that the text ends in: no server runs that. */
  isUnclosed(index: number): boolean {
    if (this.kind(index) !== QUOTED || this.ends[index] !== this.text.length) return false;
    const source = this.source(index);
    // One opens it, one closes it, and one in the name is written twice.
    return source.split(source[0]!).length % 2 === 0;
  }

  #wordOf(kind: number, start: number, end: number): string {
    const source = this.text.slice(start, end);
    return kind === SIGN ? source : this.words.at(-1) === '.' ? '' : keywordOf(source);
  }
}

const ESCAPES: Readonly<Record<string, string>> = { 0: '\0', b: '\b', n: '\n', r: '\r', t: '\t', Z: '\x1a' };

/** A literal in quotes, closed or not, without them. */
function unquoted(literal: string, escapes: boolean): string {
  const quote = literal[0]!;
  const inner = literal.length > 1 && literal.endsWith(quote) ? literal.slice(1, -1) : literal.slice(1);
  const pattern = escapes ? /\\([^])|''|""/g : /''|""/g;
  return inner.replace(pattern, (found, escaped: string | undefined) => {
    if (escaped === undefined) return found[0] === quote ? quote : found;
    return ESCAPES[escaped] ?? escaped;
  });
}
