/** What a client's statements make of its connection: how the next ones are to be read, and what is prepared there. */
import type { PreparedText, SqlAnalysis, SqlContext } from './analysis.ts';
import { DEFAULT_MODE, multiByteOf, multiByteOfCollation, type SqlMode } from './mode.ts';
import { NUMBER, STRING, VARIABLE } from './scanner.ts';
import { splitStatements } from './statements.ts';
import { SqlTokens } from './tokens.ts';

/** Names for PREPARE that are remembered of one connection: few clients use any. */
const MOST_PREPARED = 1_000;
const ANSI_MODE = /\b(ANSI|ANSI_QUOTES|DB2|MAXDB|MSSQL|ORACLE|POSTGRESQL)\b/i;
const NO_ESCAPES_MODE = /\bNO_BACKSLASH_ESCAPES\b/i;
const ANSI_BIT = 4;
const NO_ESCAPES_BIT = 1 << 20;
/** First words, behind comments and brackets, of statements that say nothing about their connection. */
const ORDINARY = /^[\s(]*(?:select|insert|update|delete|replace|show|commit|begin|rollback|start|call|with)\b/i;

export class SqlSession implements SqlContext {
  /** For the next text. */
  mode: SqlMode;
  readonly #first: SqlMode;
  readonly #prepared = new Map<string, PreparedText>();

  /** `collation`: the id in the login. */
  constructor(collation?: number) {
    this.#first = {
      ...DEFAULT_MODE,
      multiByte: collation === undefined ? undefined : multiByteOfCollation(collation),
    };
    this.mode = this.#first;
  }

  prepared(name: string): PreparedText | undefined {
    return this.#prepared.get(name);
  }

  /** Whether `follow` may find something in it: most texts need not be looked at. */
  static concerns(text: string): boolean {
    if (!ORDINARY.test(text)) return true;
    const end = text.indexOf(';');
    return end >= 0 && /\S/.test(text.slice(end + 1, end + 200));
  }

  /**
   * The client has sent `text`. Returns the schema that it chose with USE, `undefined`: none.
   */
  follow(text: string, analysis: SqlAnalysis): string | undefined {
    for (const [name, text] of analysis.prepares) this.#remember(name, text);
    if (!analysis.verbs.some((verb) => verb === 'USE' || verb.startsWith('SET'))) return undefined;
    const tokens = new SqlTokens(text, this.mode);
    let schema: string | undefined;
    for (const [from, to] of splitStatements(tokens)) {
      if (tokens.word(from) === 'USE') schema = tokens.name(from + 1);
      else if (tokens.word(from) === 'SET') this.#set(tokens, from + 1, to);
    }
    return schema;
  }

  #remember(name: string, text: PreparedText): void {
    if (this.#prepared.size >= MOST_PREPARED) this.#prepared.delete(this.#prepared.keys().next().value!);
    this.#prepared.set(name, text);
  }

  #set(tokens: SqlTokens, from: number, to: number): void {
    if (/^(GLOBAL|PERSIST|PERSIST_ONLY|STATEMENT)$/.test(tokens.word(from))) return;
    for (let at = from, begin = from, depth = 0; at <= to; at++) {
      const word = at < to ? tokens.word(at) : ',';
      if (word === '(') depth++;
      else if (word === ')') depth--;
      else if (word === ',' && depth === 0) {
        this.#assign(tokens, begin, at);
        begin = at + 1;
      }
    }
  }

  /** NAMES utf8mb4; CHARACTER SET gbk; [SESSION] name = …, @@session.name := …. */
  #assign(tokens: SqlTokens, from: number, to: number): void {
    const word = tokens.word(from);
    if (word === 'NAMES' || word === 'CHARSET') return this.#charset(tokens, from + 1);
    if (word === 'CHARACTER') return this.#charset(tokens, from + 2);
    if (/^@@(global|persist|persist_only)$/i.test(tokens.source(from))) return;
    let equals = from;
    while (equals < to && tokens.word(equals) !== '=' && tokens.word(equals) !== ':=') equals++;
    const name = tokens.name(equals - 1).toLowerCase();
    const userVariable = tokens.kind(equals - 1) === VARIABLE && !tokens.source(equals - 1).startsWith('@@');
    if (userVariable) return;
    if (name === 'character_set_client') this.#charset(tokens, equals + 1);
    else if (name === 'sql_mode') this.#sqlMode(tokens, equals + 1, to);
  }

  #charset(tokens: SqlTokens, at: number): void {
    const name = tokens.kind(at) === STRING ? tokens.string(at) : tokens.name(at);
    const multiByte = /^default$/i.test(name) ? this.#first.multiByte : multiByteOf(name);
    this.mode = { ...this.mode, multiByte };
  }

  /** A literal is the mode; CONCAT(@@sql_mode, …) adds to it; what cannot be told, as @OLD_SQL_MODE, brings the first back. */
  #sqlMode(tokens: SqlTokens, from: number, to: number): void {
    const texts: string[] = [];
    for (let at = from; at < to; at++) if (tokens.kind(at) === STRING) texts.push(tokens.string(at));
    const text = texts.join(',');
    const { multiByte } = this.mode;
    const plain = to === from + 1;
    if (plain && tokens.kind(from) === NUMBER) {
      const bits = Number(tokens.source(from));
      const ansiQuotes = (bits & ANSI_BIT) !== 0;
      this.mode = { ansiQuotes, noBackslashEscapes: (bits & NO_ESCAPES_BIT) !== 0, multiByte };
    } else if (plain && (texts.length > 0 || tokens.isName(from))) {
      this.mode = modeOf(texts.length > 0 ? text : tokens.name(from), DEFAULT_MODE, multiByte);
    } else if (/^concat(_ws)?$/i.test(tokens.source(from))) {
      this.mode = modeOf(text, this.mode, multiByte);
    } else {
      this.mode = { ...this.#first, multiByte };
    }
  }
}

function modeOf(text: string, before: SqlMode, multiByte: SqlMode['multiByte']): SqlMode {
  return {
    ansiQuotes: before.ansiQuotes || ANSI_MODE.test(text),
    noBackslashEscapes: before.noBackslashEscapes || NO_ESCAPES_MODE.test(text),
    multiByte,
  };
}
