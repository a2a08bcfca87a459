/**
 * Finds names of schemas, tables and routines in a statement, by the words that stand in front of them. It knows the
 * grammar as far as needed for that, and does not ask whether a server would take the statement.
 *
 * `a.b` in an expression is taken as a column of a table, `a.b.c` as one with its schema.
 */
import { QUOTED, SIGN, WORD } from './scanner.ts';
import { headOf, type Head } from './name-heads.ts';
import type { SqlTokens } from './tokens.ts';
import { isReserved } from './words.ts';

/** `column`: one whose schema is named too. */
export type NameRole = 'schema' | 'table' | 'routine' | 'column';

/** `schemaAt` and `nameAt` are tokens, -1 where there is none. */
export type NameFound = (role: NameRole, schemaAt: number, nameAt: number) => void;

/** What is between two brackets. */
interface Level {
  /** A FROM in it is that of a query, not of EXTRACT(… FROM …). */
  query: boolean;
  /** A comma is followed by another name. */
  list: boolean;
  /** As what the next name is taken. */
  expect: NameRole | undefined;
  /** It is the query of this common table expression. */
  readonly cte: string | undefined;
}

/** They may stand between a word and the name that it asks for. */
const PASSED = new Set(
  'LOW_PRIORITY DELAYED HIGH_PRIORITY IGNORE INTO TABLE IF NOT EXISTS NO_WRITE_TO_BINLOG ONLY TO AS ='.split(' '),
);
/** They end a list of tables. */
const ENDS_LIST = new Set(
  'WHERE GROUP HAVING ORDER LIMIT UNION EXCEPT INTERSECT SET PROCEDURE LOCK WINDOW VALUES RETURNING INTO'.split(' '),
);
/** In a routine's body a statement follows them. */
const BEFORE_STATEMENT = new Set('BEGIN THEN ELSE LOOP DO ROW REPEAT'.split(' '));
/** What the body of one statement begins with. */
const STATEMENTS = new Set('INSERT UPDATE DELETE REPLACE SELECT CALL WITH'.split(' '));
/** Behind these they are something else: AFTER INSERT ON …, SELECT … FOR UPDATE. */
const BEFORE_EVENT = new Set('ON FOR BEFORE AFTER OR KEY AS'.split(' '));
const SEQUENCES = /^(NEXTVAL|LASTVAL|SETVAL)$/i;
/** GRANT EXECUTE ON PROCEDURE … */
const GRANTED = new Set('PROCEDURE FUNCTION PACKAGE'.split(' '));

/** Tells `found` of each name among the tokens from `from` to before `to`. */
export function findNames(tokens: SqlTokens, from: number, to: number, found: NameFound): void {
  new NameFinder(tokens, from, to, found).run();
}

class NameFinder {
  readonly #tokens: SqlTokens;
  readonly #to: number;
  readonly #found: NameFound;
  #at: number;
  #level: Level = level();
  readonly #outer: Level[] = [];
  /** Names of common table expressions that can be seen here. */
  readonly #ctes = new Set<string>();
  #nextCte: string | undefined;
  /** A statement begins here. */
  #atHead = true;
  #head: Head = {};
  /** Inside a routine, which is made of statements. */
  #body = false;

  constructor(tokens: SqlTokens, from: number, to: number, found: NameFound) {
    this.#tokens = tokens;
    this.#at = from;
    this.#to = to;
    this.#found = found;
  }

  run(): void {
    while (this.#at < this.#to) this.#step();
  }

  #step(): void {
    const at = this.#at;
    const kind = this.#tokens.kind(at);
    const word = this.#tokens.word(at);
    if (kind === SIGN) return this.#sign(word);
    if (kind !== WORD && kind !== QUOTED) {
      this.#level.expect = undefined;
      this.#atHead = false;
      this.#at++;
      return;
    }
    const dotted = this.#tokens.word(at + 1) === '.';
    if (this.#atHead && !dotted) return this.#statement(word);
    // Words that are names elsewhere are names where one is expected.
    const reserved = isReserved(word) || this.#level.expect === undefined || this.#head.grants === true;
    if (kind === WORD && word !== '' && !dotted && reserved) {
      if (this.#keyword(word)) return;
    }
    this.#name();
  }

  #statement(word: string): void {
    this.#atHead = false;
    const head = headOf(this.#tokens, this.#at, this.#to);
    this.#head = head;
    this.#body ||= head.body ?? false;
    for (const [role, schemaAt, nameAt] of head.names ?? []) {
      // SHOW TABLES FROM @shop: what no name can be is none.
      if (this.#isPart(nameAt) && (schemaAt < 0 || this.#isPart(schemaAt))) this.#found(role, schemaAt, nameAt);
    }
    this.#at = head.next ?? this.#at + 1;
    this.#level.list = head.list ?? false;
    this.#level.expect = head.expect;
    this.#level.query = head.query ?? false;
    this.#atHead = head.statement ?? false;
    if (word === 'WITH') this.#with();
  }

  #sign(sign: string): void {
    const inner = this.#level;
    this.#at++;
    if (sign === '(') {
      this.#outer.push(inner);
      this.#level = level(this.#nextCte);
      this.#nextCte = undefined;
      // Tables may be grouped: FROM (a JOIN b ON …), c.
      if (inner.expect === 'table' && !this.#atHead) Object.assign(this.#level, { expect: 'table', list: true });
      inner.expect = undefined;
    } else if (sign === ')') {
      if (inner.cte !== undefined) this.#ctes.add(inner.cte);
      this.#level = this.#outer.pop() ?? level();
      this.#level.expect = undefined;
      if (inner.cte === undefined) return;
      if (this.#tokens.word(this.#at) === ',') this.#cte(this.#at + 1);
      else this.#atHead = true;
    } else if (sign === ',') {
      this.#level.expect = this.#level.list ? 'table' : undefined;
    } else if (sign === ';') {
      this.#outer.length = 0;
      this.#level = level();
      this.#atHead = true;
    } else if (sign === '{') {
      // {OJ a LEFT JOIN b}, {d '…'}
      this.#at++;
    } else if (!PASSED.has(sign)) {
      this.#level.expect = undefined;
    }
  }

  /** Whether `word` was one that says something here. */
  #keyword(word: string): boolean {
    const tokens = this.#tokens;
    const now = this.#level;
    const next = tokens.word(this.#at + 1);
    const before = tokens.word(this.#at - 1);
    if (now.expect !== undefined && (PASSED.has(word) || (this.#head.grants === true && GRANTED.has(word)))) {
      this.#at++;
      return true;
    }
    if (this.#body && this.#inBody(word, before, next)) return true;
    let expect: NameRole | undefined;
    switch (word) {
      case 'SELECT':
        Object.assign(now, { query: true, list: false });
        break;
      case 'FROM':
        if (!now.query && this.#head.aliases !== true) break;
        Object.assign(now, { query: true, list: true });
        expect = 'table';
        break;
      case 'JOIN':
      case 'STRAIGHT_JOIN':
        if (now.list) expect = 'table';
        break;
      case 'USING':
        if (now.list && next !== '(') expect = 'table';
        break;
      case 'TABLE':
      case 'REFERENCES':
        expect = 'table';
        break;
      case 'ON':
        expect = this.#head.on;
        break;
      case 'TO':
        expect = this.#head.to;
        break;
      case 'RENAME':
        if (this.#head.renames === true && !/^(COLUMN|INDEX|KEY)$/.test(next)) expect = 'table';
        break;
      case 'LIKE':
        if (this.#head.like === true && (this.#outer.length === 0 || before === '(')) expect = 'table';
        break;
      case 'AS':
        this.#as();
        return true;
      case 'WITH':
        this.#with();
        return true;
      case 'FOR':
        if (this.#for(before, next)) return true;
        if (before === 'VALUE') expect = 'table';
        break;
      default:
        if (!isReserved(word) && next === '(') return false;
    }
    if (ENDS_LIST.has(word)) now.list = false;
    now.expect = expect;
    this.#at++;
    return true;
  }

  #inBody(word: string, before: string, next: string): boolean {
    if (BEFORE_STATEMENT.has(word)) {
      this.#atHead = true;
      this.#level.expect = undefined;
      this.#at++;
      return true;
    }
    const begins = this.#outer.length === 0 && next !== '(' && STATEMENTS.has(word) && !BEFORE_EVENT.has(before);
    if (begins) this.#statement(word);
    return begins;
  }

  /** An alias is no name of a table, and what is in brackets behind it are columns: `AS t (a, b)`. */
  #as(): void {
    const alias = this.#tokens.isName(this.#at + 1) && this.#tokens.word(this.#at + 2) !== '.';
    this.#at += alias ? 2 : 1;
    this.#level.expect = undefined;
  }

  /** `USE INDEX FOR JOIN (…)`, `FOR SYSTEM_TIME …`; else what is behind a FOR is no table. */
  #for(before: string, next: string): boolean {
    if (before === 'INDEX' || before === 'KEY' || next === 'SYSTEM_TIME') {
      this.#at += 2;
      return true;
    }
    this.#level.list = false;
    if (this.#head.forStatement !== true) return false;
    this.#atHead = true;
    this.#at++;
    return true;
  }

  /** WITH also begins other things: WITH ROLLUP, WITH TABLE, WITH CHECK OPTION. */
  #with(): void {
    if (this.#tokens.word(this.#at) === 'WITH') this.#at++;
    const recursive = this.#tokens.word(this.#at) === 'RECURSIVE' && this.#tokens.isName(this.#at + 1);
    this.#level.expect = undefined;
    if (recursive) this.#at++;
    this.#cte(this.#at, recursive);
  }

  /** `name [(columns)] AS (`: leaves off at the bracket. */
  #cte(at: number, recursive = false): void {
    const tokens = this.#tokens;
    if (!tokens.isName(at)) return;
    let as = at + 1;
    if (tokens.word(as) === '(') {
      while (as < this.#to && tokens.word(as) !== ')') as++;
      as++;
    }
    if (tokens.word(as) !== 'AS' || tokens.word(as + 1) !== '(') return;
    const name = tokens.name(at).toLowerCase();
    if (recursive) this.#ctes.add(name);
    this.#nextCte = name;
    this.#at = as + 1;
  }

  #name(): void {
    const tokens = this.#tokens;
    const first = this.#at;
    let parts = 1;
    let next = first + 1;
    let star = false;
    while (!star && tokens.word(next) === '.' && (this.#isPart(next + 1) || tokens.word(next + 1) === '*')) {
      star = tokens.word(next + 1) === '*';
      if (!star) parts++;
      next += 2;
    }
    const second = parts > 1 ? first + 2 : -1;
    const called = tokens.word(next) === '(';
    const { expect } = this.#level;
    this.#level.expect = undefined;
    this.#at = next;
    if (expect === 'schema') return this.#found('schema', -1, first);
    if (expect === 'table') {
      if (!called || !this.#isTableFunction(first, parts)) this.#table(first, second, parts, star);
      return;
    }
    if (expect === 'routine') return this.#found('routine', parts > 1 ? first : -1, parts > 1 ? second : first);
    if (parts > 2 || (parts === 2 && star)) return this.#found('column', first, second);
    if (called && parts === 2) return this.#found('routine', first, second);
    if (!called || tokens.word(first - 1) === ')' || !tokens.isName(first)) return;
    this.#found('routine', -1, first);
    // NEXTVAL(shop.orders_id)
    if (SEQUENCES.test(tokens.source(first))) this.#level.expect = 'table';
    // FROM t x, SELECT t.a: aliases and columns.
  }

  #table(first: number, second: number, parts: number, star: boolean): void {
    if (parts > 1) this.#found('table', first, second);
    // GRANT … ON shop.*, where a table of that name is never meant.
    else if (star && this.#head.grants === true) this.#found('schema', -1, first);
    else if (this.#head.aliases === true && !this.#level.query) return;
    else if (!this.#ctes.has(this.#tokens.name(first).toLowerCase())) this.#found('table', -1, first);
  }

  #isPart(index: number): boolean {
    const kind = this.#tokens.kind(index);
    return kind === WORD || kind === QUOTED;
  }

  #isTableFunction(at: number, parts: number): boolean {
    return parts === 1 && this.#level.list && /^(JSON_TABLE|LATERAL)$/.test(this.#tokens.word(at));
  }
}

function level(cte?: string): Level {
  return { query: false, list: false, expect: undefined, cte };
}
