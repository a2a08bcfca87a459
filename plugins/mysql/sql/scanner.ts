/**
 * Cuts a statement's text into tokens as MySQL's and MariaDB's own lexers do. Every character belongs to a token, so tokens
 * one after another are the text; none is refused, and what is not closed ends with the text.
 *
 * A text is decoded, or has a character for each byte: what is not ASCII counts as a letter either way. Only where
 * characters end in bytes that look like ASCII (`multiByte`) it has to be the latter.
 */
import { everybodyRuns, runsAll, type RunsComment, type SqlMode } from './mode.ts';

export const BLANK = 0;
export const COMMENT = 1;
/** `/*!50100`, of a comment whose content is run, and the end of such a one. */
export const OPEN_COMMENT = 2;
export const CLOSE_COMMENT = 3;
/** A keyword or an identifier without quotes. */
export const WORD = 4;
/** An identifier in quotes. */
export const QUOTED = 5;
export const STRING = 6;
/** Hexadecimal and bit literals too. */
export const NUMBER = 7;
/** `@name`, `@'name'`, `@@name`; of an account, `@` and its host. */
export const VARIABLE = 8;
/** The `?` of a prepared statement. */
export const PARAMETER = 9;
/** Operators, brackets, commas, full stops, semicolons. */
export const SIGN = 10;

const NONE: ReadonlySet<string> = new Set();

const BACKSLASH = 0x5c;
const DOUBLE_QUOTE = 0x22;
const SINGLE_QUOTE = 0x27;
const BACKTICK = 0x60;
const STOP = 0x2e;
const STAR = 0x2a;
const SLASH = 0x2f;
const BANG = 0x21;
const DASH = 0x2d;
const AT = 0x40;

/** Longest first. */
const OPERATORS = ['<=>', '->>', '<=', '>=', '<>', '!=', '<<', '>>', '||', '&&', ':=', '->'];
/** First characters of the operators that have more than one. */
const BEGINS_OPERATOR = new Set([...OPERATORS].map((operator) => operator.charCodeAt(0)));

const LETTER = 1;
const DIGIT = 2;
const SPACE = 4;
const HEX = 8;
const CLASS = new Uint8Array(128);
for (let c = 0; c < 128; c++) {
  const text = String.fromCharCode(c);
  if (/[A-Za-z_$]/.test(text)) CLASS[c]! |= LETTER;
  if (/[0-9]/.test(text)) CLASS[c]! |= DIGIT;
  if (/[ \t\n\v\f\r]/.test(text)) CLASS[c]! |= SPACE;
  if (/[0-9A-Fa-f]/.test(text)) CLASS[c]! |= HEX;
}

function is(kind: number, c: number): boolean {
  return c < 128 ? (CLASS[c]! & kind) !== 0 : (kind & LETTER) !== 0 && c >= 128;
}

export class SqlScanner {
  /** Of the token that `next` found. */
  kind = BLANK;
  start = 0;
  end = 0;
  /** Comments met so far that some servers run and others do not, by kind and version. */
  disputed: ReadonlySet<string> = NONE;
  readonly #text: string;
  readonly #mode: SqlMode;
  readonly #runs: RunsComment;
  /** Inside a comment that is run. */
  #inside = false;
  /** A name ended here, so that `.` and what is behind it go on with it: `t.1st`. */
  #nameEnd = -1;
  /** What comes here is a name whatever it looks like. */
  #nameAt = -1;

  constructor(text: string, mode: SqlMode, runs: RunsComment = runsAll) {
    this.#text = text;
    this.#mode = mode;
    this.#runs = runs;
  }

  /** Whether there was another token. */
  next(): boolean {
    const text = this.#text;
    const at = this.end;
    if (at >= text.length) return false;
    this.start = at;
    const c = text.charCodeAt(at);
    if (is(SPACE, c)) this.#take(BLANK, this.#whileIs(SPACE, at + 1));
    else if (is(LETTER, c)) this.#word(at, c);
    else if (is(DIGIT, c)) this.#number(at);
    else if (c === SINGLE_QUOTE) this.#take(STRING, this.#quoted(at + 1, c));
    else if (c === DOUBLE_QUOTE) this.#take(this.#mode.ansiQuotes ? QUOTED : STRING, this.#quoted(at + 1, c));
    else if (c === BACKTICK) this.#take(QUOTED, this.#quoted(at + 1, c));
    else this.#sign(at, c);
    return true;
  }

  #take(kind: number, end: number): void {
    this.kind = kind;
    this.end = end;
  }

  #at(index: number): number {
    return index < this.#text.length ? this.#text.charCodeAt(index) : 0;
  }

  #whileIs(kind: number, from: number): number {
    const text = this.#text;
    let at = from;
    while (at < text.length && is(kind, text.charCodeAt(at))) at++;
    return at;
  }

  #word(at: number, c: number): void {
    const name = this.#nameAt === at;
    const next = this.#at(at + 1);
    if (next === SINGLE_QUOTE && !name) {
      // x'1F', b'01': they have no escapes, but what is in them has to be digits.
      if (/[xXbB]/.test(String.fromCharCode(c))) return this.#take(NUMBER, this.#upTo("'", at + 2));
      if (/[nN]/.test(String.fromCharCode(c))) return this.#take(STRING, this.#quoted(at + 2, SINGLE_QUOTE));
    }
    this.#takeWord(this.#wordEnd(at));
  }

  #takeWord(end: number): void {
    this.#take(WORD, end);
    this.#nameEnd = end;
  }

  /** Characters of several bytes may end in a byte that is none of a word. */
  #wordEnd(from: number): number {
    const multiByte = this.#mode.multiByte;
    let at = this.#whileIs(LETTER | DIGIT, from);
    if (multiByte === undefined) return at;
    const text = this.#text;
    for (at = from; at < text.length;) {
      const c = text.charCodeAt(at);
      if (c >= 128 && multiByte(c, this.#at(at + 1))) at += 2;
      else if (is(LETTER | DIGIT, c)) at++;
      else break;
    }
    return Math.min(at, text.length);
  }

  /** Digits with letters behind them are a name, unless they are a number after all: 0x1f, 1e10. */
  #number(at: number): void {
    if (this.#nameAt === at) return this.#takeWord(this.#wordEnd(at));
    if (this.#at(at) === 0x30) {
      const next = this.#at(at + 1);
      const end = next === 0x78 ? this.#whileIs(HEX, at + 2) : next === 0x62 ? this.#binaryEnd(at + 2) : at;
      if (end > at + 2 && !is(LETTER | DIGIT, this.#at(end))) return this.#take(NUMBER, end);
    }
    const digits = this.#whileIs(DIGIT, at);
    if (this.#at(digits) === STOP) return this.#take(NUMBER, this.#exponent(this.#whileIs(DIGIT, digits + 1)));
    const end = this.#exponent(digits);
    if (end > digits || !is(LETTER | DIGIT, this.#at(digits))) return this.#take(NUMBER, end);
    this.#takeWord(this.#wordEnd(at));
  }

  #binaryEnd(from: number): number {
    let at = from;
    while (this.#at(at) === 0x30 || this.#at(at) === 0x31) at++;
    return at;
  }

  /** Behind `e10`, `E-3`; `from` where there is none. */
  #exponent(from: number): number {
    if ((this.#at(from) | 0x20) !== 0x65) return from;
    const sign = this.#at(from + 1);
    const digits = sign === DASH || sign === 0x2b ? from + 2 : from + 1;
    const end = this.#whileIs(DIGIT, digits);
    // Without a sign, letters behind make it a name: 1e5x.
    if (end === digits || (digits === from + 1 && is(LETTER, this.#at(end)))) return from;
    return end;
  }

  /** Behind the closing quote; the end of the text where there is none. */
  #quoted(from: number, quote: number): number {
    const text = this.#text;
    const { multiByte, noBackslashEscapes, ansiQuotes } = this.#mode;
    const escapes = !noBackslashEscapes && quote !== BACKTICK && !(quote === DOUBLE_QUOTE && ansiQuotes);
    for (let at = from; at < text.length; at++) {
      const c = text.charCodeAt(at);
      if (c >= 128) {
        if (multiByte?.(c, this.#at(at + 1)) === true) at++;
      } else if (c === quote) {
        if (this.#at(at + 1) !== quote) return at + 1;
        at++;
      } else if (c === BACKSLASH && escapes) at++;
    }
    return text.length;
  }

  /** Behind the next `what`. */
  #upTo(what: string, from: number): number {
    const at = this.#text.indexOf(what, from);
    return at < 0 ? this.#text.length : at + what.length;
  }

  #sign(at: number, c: number): void {
    const next = this.#at(at + 1);
    if (c === 0x23) return this.#take(COMMENT, this.#upTo('\n', at + 1));
    if (c === DASH && next === DASH && this.#endsDashes(at + 2)) return this.#take(COMMENT, this.#upTo('\n', at + 2));
    if (c === SLASH && next === STAR) return this.#comment(at);
    if (c === STAR && next === SLASH && this.#inside) {
      this.#inside = false;
      return this.#take(CLOSE_COMMENT, at + 2);
    }
    if (c === AT) return this.#variable(at, next);
    if (c === STOP) {
      if (is(DIGIT, next) && this.#nameEnd !== at) {
        return this.#take(NUMBER, this.#exponent(this.#whileIs(DIGIT, at + 1)));
      }
      this.#nameAt = at + 1;
    }
    if (c === 0x3f) return this.#take(PARAMETER, at + 1);
    const operator = BEGINS_OPERATOR.has(c) ? OPERATORS.find((each) => this.#text.startsWith(each, at)) : undefined;
    this.#take(SIGN, at + (operator?.length ?? 1));
  }

  /** `--` is a comment in front of a blank, a control character, or the end. */
  #endsDashes(at: number): boolean {
    return at >= this.#text.length || this.#at(at) <= 0x20 || this.#at(at) === 0x7f;
  }

  #comment(at: number): void {
    const mariadb = this.#at(at + 2) === 0x4d && this.#at(at + 3) === BANG;
    if (!mariadb && this.#at(at + 2) !== BANG) return this.#take(COMMENT, this.#upTo('*/', at + 2));
    const from = at + (mariadb ? 4 : 3);
    // Five digits or six, or it has no version.
    const digits = Math.min(this.#whileIs(DIGIT, from) - from, 6);
    const version = digits < 5 ? undefined : Number(this.#text.slice(from, from + digits));
    if (!everybodyRuns(version, mariadb)) this.disputed = new Set(this.disputed).add(`${mariadb ? 'M' : ''}${version}`);
    if (this.#runs(version, mariadb)) {
      this.#inside = true;
      return this.#take(OPEN_COMMENT, version === undefined ? from : from + digits);
    }
    this.#take(COMMENT, this.#skippedEnd(from));
  }

  /** Behind a comment that is not run. It may contain comments, one level deep. */
  #skippedEnd(from: number): number {
    const text = this.#text;
    for (let at = from; at < text.length; at++) {
      if (text.startsWith('*/', at)) return at + 2;
      if (text.startsWith('/*', at)) at = this.#upTo('*/', at + 2) - 1;
    }
    return text.length;
  }

  #variable(at: number, next: number): void {
    if (next === AT) return this.#take(VARIABLE, this.#wordEnd(at + 2));
    if (next === SINGLE_QUOTE || next === DOUBLE_QUOTE || next === BACKTICK) {
      return this.#take(VARIABLE, this.#quoted(at + 2, next));
    }
    let end = at + 1;
    while (is(LETTER | DIGIT, this.#at(end)) || this.#at(end) === STOP) end++;
    this.#take(VARIABLE, Math.min(end, this.#text.length));
  }
}
