/** What a statement is and does, by its words. */
import { functionKind } from './functions.ts';
import { kindAt } from './name-heads.ts';
import { findNames } from './names.ts';
import { VARIABLE, WORD } from './scanner.ts';
import type { SqlTokens } from './tokens.ts';
import { keywordOf } from './words.ts';

/**
 * What a statement does: `session` is about the connection alone, and locks held by it; `transaction` begins or ends one;
 * `admin` runs the server; `unknown`: nobody can tell, as of EXECUTE before it is known what it executes.
 */
export type SqlEffect = 'read' | 'write' | 'session' | 'transaction' | 'admin' | 'unknown';

/** Of several statements the one that comes first here counts. */
const WEIGHT: readonly SqlEffect[] = ['write', 'admin', 'unknown', 'transaction', 'session', 'read'];

export interface Classified {
  /** In upper case, with a second word where the first says little: `CREATE TABLE`, `SET GLOBAL`, `SHOW STATUS`. */
  readonly verb: string;
  readonly effect: SqlEffect;
}

/** Whether a stored routine only reads. `schema` is `undefined` where the call names none. */
export type ReadsOnly = (schema: string | undefined, name: string) => boolean;

export function heavier(a: SqlEffect, b: SqlEffect): SqlEffect {
  return WEIGHT.indexOf(a) <= WEIGHT.indexOf(b) ? a : b;
}

/** Tokens of each statement, from and to before; empty ones are none. */
export function splitStatements(tokens: SqlTokens): (readonly [number, number])[] {
  const parts: (readonly [number, number])[] = [];
  for (let from = 0, at = 0; at <= tokens.count; at++) {
    if (at < tokens.count && tokens.words[at] !== ';') continue;
    // A routine is made of statements itself, and ends with the text.
    const to = at > from && hasBody(tokens, from, at) ? tokens.count : at;
    if (to > from) parts.push([from, to]);
    at = Math.max(at, to);
    from = at + 1;
  }
  return parts;
}

function hasBody(tokens: SqlTokens, from: number, to: number): boolean {
  const word = tokens.word(from);
  if (word === 'BEGIN') return tokens.word(from + 1) === 'NOT';
  if (word !== 'CREATE' && word !== 'ALTER') return false;
  return /^(PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE)$/.test(tokens.word(kindAt(tokens, from, to)));
}

export class Classifier {
  readonly #readsOnly: ReadsOnly;

  constructor(readsOnly: ReadsOnly) {
    this.#readsOnly = readsOnly;
  }

  /** The statement in the tokens from `from` to before `to`. */
  classify(tokens: SqlTokens, from: number, to: number): Classified {
    let at = from;
    while (tokens.word(at) === '(') at++;
    const verb = tokens.kind(at) === WORD ? tokens.source(at).toUpperCase() : '';
    const second = tokens.kind(at + 1) === WORD && at + 1 < to ? tokens.source(at + 1).toUpperCase() : '';
    const both = `${verb} ${second}`.trim();
    switch (verb) {
      case 'SELECT':
      case 'VALUES':
      case 'TABLE':
      case 'DO':
      case 'CALL':
      case 'HANDLER':
      case 'HELP':
        return { verb, effect: this.#query(tokens, at, to) };
      case 'SHOW':
        return { verb: `SHOW ${shownAt(tokens, at + 1)}`.trim(), effect: this.#query(tokens, at, to) };
      case 'CHECKSUM':
        return { verb: both, effect: this.#query(tokens, at, to) };
      case 'WITH':
        return this.#with(tokens, at, to);
      case 'EXPLAIN':
      case 'DESCRIBE':
      case 'DESC':
        return { verb: 'EXPLAIN', effect: this.#explain(tokens, at, to) };
      case 'ANALYZE':
        return this.#analyze(tokens, at, to, both);
      case 'INSERT':
      case 'REPLACE':
      case 'UPDATE':
      case 'DELETE':
      case 'TRUNCATE':
      case 'MERGE':
        return { verb, effect: 'write' };
      case 'LOAD':
        return { verb: both, effect: second === 'INDEX' ? 'admin' : 'write' };
      case 'CREATE':
      case 'ALTER':
      case 'DROP':
        return define(tokens, at, to, verb, second);
      case 'RENAME':
      case 'IMPORT':
        return { verb: both, effect: second === 'USER' ? 'admin' : 'write' };
      case 'SET':
        return this.#set(tokens, at, to, second);
      case 'BEGIN':
        return { verb, effect: second === '' || second === 'WORK' ? 'transaction' : 'write' };
      case 'START':
        return { verb: both, effect: second === 'TRANSACTION' ? 'transaction' : 'admin' };
      case 'COMMIT':
      case 'ROLLBACK':
      case 'SAVEPOINT':
      case 'RELEASE':
      case 'XA':
        return { verb, effect: 'transaction' };
      case 'LOCK':
      case 'UNLOCK':
        return { verb: both, effect: /^TABLES?$/.test(second) ? 'transaction' : 'admin' };
      case 'USE':
      case 'PREPARE':
      case 'DEALLOCATE':
      case 'SIGNAL':
      case 'RESIGNAL':
      case 'GET':
        return { verb, effect: 'session' };
      case 'EXECUTE':
        return { verb, effect: 'unknown' };
      case 'BINLOG':
        return { verb, effect: 'write' };
      case 'GRANT':
      case 'REVOKE':
      case 'KILL':
      case 'SHUTDOWN':
      case 'RESTART':
        return { verb, effect: 'admin' };
      case 'FLUSH':
      case 'RESET':
      case 'PURGE':
      case 'CHANGE':
      case 'INSTALL':
      case 'UNINSTALL':
      case 'STOP':
      case 'OPTIMIZE':
      case 'REPAIR':
      case 'CHECK':
      case 'CACHE':
      case 'CLONE':
      case 'BACKUP':
        return { verb: both, effect: 'admin' };
      default:
        // The same whether it stands in quotes or not, as in the digest.
        return { verb: plainName(tokens, at), effect: 'unknown' };
    }
  }

  /** What reads, unless it stores its result in a file, or calls what may write. */
  #query(tokens: SqlTokens, from: number, to: number): SqlEffect {
    let effect: SqlEffect = 'read';
    for (let at = from; at < to; at++) {
      const word = tokens.word(at);
      const next = tokens.word(at + 1);
      if (word === 'INTO') {
        // INTO @a, @b; a file is OUTFILE or DUMPFILE.
        effect = heavier(effect, tokens.kind(at + 1) === VARIABLE ? 'session' : 'write');
      } else if ((word === 'NEXT' && next === 'VALUE') || (word === '.' && /^nextval$/i.test(tokens.source(at + 1)))) {
        return 'write';
      }
    }
    findNames(tokens, from, to, (role, schemaAt, nameAt) => {
      if (role !== 'routine') return;
      effect = heavier(effect, this.#called(schemaAt < 0 ? undefined : tokens.name(schemaAt), tokens.name(nameAt)));
    });
    return effect;
  }

  #called(schema: string | undefined, name: string): SqlEffect {
    const kind = schema === undefined ? functionKind(name) : 'other';
    if (kind === 'native') return 'read';
    if (kind === 'locking') return 'session';
    return kind === 'other' && this.#readsOnly(schema, name) ? 'read' : 'write';
  }

  /** The word behind the common table expressions says what it is. */
  #with(tokens: SqlTokens, from: number, to: number): Classified {
    for (let at = from, depth = 0; at < to; at++) {
      const word = tokens.word(at);
      if (word === '(') depth++;
      else if (word === ')') depth--;
      else if (depth === 0 && /^(INSERT|REPLACE|UPDATE|DELETE)$/.test(word)) return { verb: word, effect: 'write' };
      else if (depth === 0 && /^(SELECT|VALUES|TABLE)$/.test(word)) break;
    }
    return { verb: 'SELECT', effect: this.#query(tokens, from, to) };
  }

  /** It runs nothing without ANALYZE; but functions of what it explains may be. */
  #explain(tokens: SqlTokens, from: number, to: number): SqlEffect {
    for (let at = from + 1; at < to; at++) {
      if (tokens.word(at) === 'ANALYZE') return this.#explained(tokens, at + 1, to);
      if (/^(INSERT|REPLACE|UPDATE|DELETE)$/.test(tokens.word(at))) return 'read';
      if (/^(SELECT|WITH|TABLE|VALUES|\()$/.test(tokens.word(at))) return this.#query(tokens, at, to);
    }
    return 'read';
  }

  /** Of the statement behind ANALYZE and its options: FORMAT = JSON INTO @plan FOR SCHEMA shop. */
  #explained(tokens: SqlTokens, from: number, to: number): SqlEffect {
    let at = from;
    if (tokens.word(at) === 'FORMAT') at += 3;
    if (tokens.word(at) === 'INTO') at += 2;
    if (tokens.word(at) === 'FOR') at += 3;
    return at >= to ? 'unknown' : this.classify(tokens, at, to).effect;
  }

  /** Of tables; or of a statement, which is run (MariaDB). */
  #analyze(tokens: SqlTokens, at: number, to: number, both: string): Classified {
    const next = /^(LOCAL|NO_WRITE_TO_BINLOG)$/.test(tokens.word(at + 1)) ? at + 2 : at + 1;
    if (/^TABLES?$/.test(tokens.word(next))) return { verb: 'ANALYZE TABLE', effect: 'admin' };
    const effect = this.#explained(tokens, next, to);
    return { verb: effect === 'unknown' ? both : 'ANALYZE', effect };
  }

  #set(tokens: SqlTokens, from: number, to: number, second: string): Classified {
    if (second === 'STATEMENT') {
      let at = from;
      while (at < to && tokens.word(at) !== 'FOR') at++;
      return at < to ? this.classify(tokens, at + 1, to) : { verb: 'SET STATEMENT', effect: 'unknown' };
    }
    // SET DEFAULT ROLE, SET RESOURCE GROUP
    if (/^(PASSWORD|DEFAULT|RESOURCE)$/.test(second)) return { verb: `SET ${second}`, effect: 'admin' };
    const transaction = second === 'TRANSACTION' || (second !== 'GLOBAL' && tokens.word(from + 2) === 'TRANSACTION');
    if (transaction) return { verb: 'SET TRANSACTION', effect: 'transaction' };
    for (let at = from, depth = 0; at < to; at++) {
      const word = tokens.word(at);
      if (word === '(') depth++;
      else if (word === ')') depth--;
      else if (depth === 0 && (at === from || word === ',') && isGlobal(tokens, at + 1)) {
        return { verb: 'SET GLOBAL', effect: 'admin' };
      }
    }
    return { verb: 'SET', effect: heavier(this.#query(tokens, from, to), 'session') };
  }
}

function isGlobal(tokens: SqlTokens, at: number): boolean {
  return (
    /^(GLOBAL|PERSIST|PERSIST_ONLY)$/.test(tokens.word(at)) ||
    /^@@(global|persist|persist_only)$/i.test(tokens.source(at))
  );
}

/** Who runs the server says who may use it. */
function define(tokens: SqlTokens, at: number, to: number, verb: string, second: string): Classified {
  if (verb === 'DROP' && second === 'PREPARE') return { verb: 'DEALLOCATE', effect: 'session' };
  const kind = kindAt(tokens, at, to);
  const what = kind < 0 ? second : tokens.word(kind);
  const admin = !/^(TABLES?|VIEW|SEQUENCE|PROCEDURE|FUNCTION|TRIGGER|EVENT|PACKAGE|INDEX|DATABASE|SCHEMA)$/.test(what);
  return { verb: `${verb} ${what === 'TABLES' ? 'TABLE' : what}`.trim(), effect: admin ? 'admin' : 'write' };
}

/** SHOW FULL COLUMNS, SHOW GLOBAL STATUS: what is shown. */
function shownAt(tokens: SqlTokens, from: number): string {
  let at = from;
  while (/^(FULL|EXTENDED|GLOBAL|SESSION|LOCAL)$/.test(tokens.word(at))) at++;
  return tokens.kind(at) === WORD ? tokens.source(at).toUpperCase() : '';
}

function plainName(tokens: SqlTokens, at: number): string {
  const name = tokens.isName(at) ? tokens.name(at).toUpperCase() : '';
  return /^[A-Z_$][\w$]*$/.test(name) && keywordOf(name) === '' ? name : 'UNKNOWN';
}
