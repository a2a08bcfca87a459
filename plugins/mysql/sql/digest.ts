/**
 * What statements of one kind have in common: their text without comments, with `?` for each literal, as MySQL's
 * performance_schema makes its digests. Keywords are in upper case, names without quotes where they need none, lists of
 * literals are `(...)`, and rows behind VALUES that are alike are one.
 *
 * It is not MySQL's digest: that one counts a list of one literal as another kind, and its hash is of the server's version.
 */
import { createHash } from 'node:crypto';
import { functionKind } from './functions.ts';
import { NUMBER, PARAMETER, QUOTED, SIGN, STRING, WORD } from './scanner.ts';
import type { SqlTokens } from './tokens.ts';
import { keywordOf } from './words.ts';

/** Characters. What follows counts no more, so that a statement of megabytes has a digest of modest size. */
export const LONGEST_DIGEST = 4_096;
const NO_BLANK_BEFORE = new Set(['.', ',', ')', ';', '@?']);
const NO_BLANK_BEHIND = new Set(['', '.', '(']);
const LITERAL = '?';
const LIST = '...';

export interface DigestText {
  readonly text: string;
  /** The statement is longer than counts. */
  readonly cut: boolean;
}

/** Of the tokens from `from` to before `to`. */
export function digestText(tokens: SqlTokens, from: number, to: number): DigestText {
  const writer = new DigestWriter();
  for (let at = from; at < to; at++) {
    if (writer.length > LONGEST_DIGEST) return { text: writer.text(), cut: true };
    writeToken(writer, tokens, at);
  }
  return { text: writer.text(), cut: false };
}

/** 16 hexadecimal digits. */
export function digestOf(text: string): string {
  return createHash('sha256').update(text, 'utf8').digest('hex').slice(0, 16);
}

function writeToken(writer: DigestWriter, tokens: SqlTokens, at: number): void {
  const kind = tokens.kind(at);
  const word = tokens.word(at);
  if (kind === SIGN) writer.sign(word);
  else if (kind === STRING || kind === NUMBER || kind === PARAMETER) writer.literal();
  else if (word === 'NULL' && !/^(IS|NOT|DEFAULT)$/.test(tokens.word(at - 1))) writer.literal();
  else if (word !== '') writer.word(word, true);
  else if (kind === QUOTED || kind === WORD) writer.word(nameText(tokens, at), false);
  // 'user'@'host'
  else writer.word(/^@['"]/.test(tokens.source(at)) ? '@?' : tokens.source(at), false);
}

/** Without quotes, where it means the same without; functions of the server's in upper case. */
function nameText(tokens: SqlTokens, at: number): string {
  const name = tokens.name(at);
  if (tokens.kind(at) !== QUOTED) {
    const native = tokens.word(at + 1) === '(' && tokens.word(at - 1) !== '.' && functionKind(name) !== 'other';
    return native ? name.toUpperCase() : name;
  }
  return /^[A-Za-z_$][\w$]*$/.test(name) && keywordOf(name) === '' ? name : `\`${name.replaceAll('`', '``')}\``;
}

class DigestWriter {
  length = 0;
  /** Parts that have a blank between them, unless a bracket, a full stop or a comma says otherwise. */
  readonly #parts: string[] = [];
  /** Where the brackets that are open began. */
  readonly #open: number[] = [];
  /** Behind VALUES: the row that was last. */
  #row: readonly string[] | undefined;
  #values = false;
  /** What came last is something that can be added to, and is a sign in front of a literal. */
  #operand = false;
  #sign = false;

  word(text: string, keyword: boolean): void {
    this.#add(text);
    this.#operand = !keyword;
    this.#sign = false;
    if (text === 'VALUES' || text === 'VALUE') [this.#values, this.#row] = [true, undefined];
    else if (this.#open.length === 0) this.#values = false;
  }

  literal(): void {
    // `-1` is a literal, where there is nothing that it could be taken from.
    if (this.#sign) this.#cut(this.#parts.length - 1);
    this.#sign = false;
    this.#add(LITERAL);
    this.#operand = true;
  }

  sign(text: string): void {
    this.#sign = (text === '-' || text === '+') && !this.#operand;
    this.#operand = text === ')';
    if (text === ')') return this.#close();
    if (text === '(') this.#open.push(this.#parts.length);
    this.#add(text);
  }

  text(): string {
    let text = '';
    let last = '';
    for (const part of this.#parts) {
      const tight = NO_BLANK_BEFORE.has(part) || NO_BLANK_BEHIND.has(last) || (part === '(' && isName(last));
      text += tight ? part : ` ${part}`;
      last = part;
    }
    return text;
  }

  #add(text: string): void {
    this.#parts.push(text);
    this.length += text.length + 1;
  }

  /** Lists of literals become short, where a list says how many there are by chance. */
  #close(): void {
    const from = this.#open.pop();
    this.#add(')');
    if (from === undefined) return;
    const before = this.#parts[from - 1];
    const row = this.#values && this.#open.length === 0;
    if ((row || before === 'IN') && this.#isList(from + 1, this.#parts.length - 1)) {
      this.#cut(from + 1);
      this.#add(LIST);
      this.#add(')');
    }
    if (row) this.#mergeRow(from);
  }

  /** Literals only, with commas between them; or such lists in brackets: IN ((1, 2), (3, 4)). */
  #isList(from: number, to: number): boolean {
    if (from === to) return false;
    for (let i = from; i < to; i++) if (!/^[?,()]$/.test(this.#parts[i]!)) return false;
    return true;
  }

  #mergeRow(from: number): void {
    const row = this.#parts.slice(from);
    const same =
      this.#row !== undefined && this.#row.length === row.length && this.#row.every((part, i) => part === row[i]);
    // With the comma in front of it.
    if (same && this.#parts[from - 1] === ',') this.#cut(from - 1);
    this.#row = row;
  }

  #cut(from: number): void {
    while (this.#parts.length > from) this.length -= this.#parts.pop()!.length + 1;
  }
}

/** COUNT(*), but IN (…). */
function isName(part: string): boolean {
  return /[\w$`]$/.test(part) && keywordOf(part) === '';
}
