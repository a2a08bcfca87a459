/** How statements begin: which names stand there, and what that means for those that follow. */
import type { NameRole } from './names.ts';
import type { SqlTokens } from './tokens.ts';
import { isReserved } from './words.ts';

export interface Head {
  /** Where to go on; without it behind the first word. */
  readonly next?: number;
  /** As what the next name is taken. */
  readonly expect?: NameRole;
  /** Commas are followed by more of them. */
  readonly list?: boolean;
  /** FROM is followed by tables. */
  readonly query?: boolean;
  /** Another statement begins at `next`: EXPLAIN SELECT … */
  readonly statement?: boolean;
  /** As what a name behind ON is taken, behind TO, behind LIKE. */
  readonly on?: NameRole;
  readonly to?: NameRole;
  readonly like?: boolean;
  /** RENAME gives the table another name. */
  readonly renames?: boolean;
  /** Names in front of FROM may be aliases: DELETE a, b FROM … */
  readonly aliases?: boolean;
  readonly grants?: boolean;
  /** Statements follow, as a routine's. */
  readonly body?: boolean;
  /** Behind FOR another statement begins: SET STATEMENT … FOR SELECT … */
  readonly forStatement?: boolean;
  /** All names there are. */
  readonly names?: readonly (readonly [NameRole, number, number])[];
}

const LISTED: Head = { expect: 'table', list: true };
const MODIFIERS = new Set('LOW_PRIORITY HIGH_PRIORITY DELAYED QUICK IGNORE NO_WRITE_TO_BINLOG LOCAL'.split(' '));
const EXPLAIN_OPTIONS = new Set('EXTENDED PARTITIONS ANALYZE FORMAT = FOR SCHEMA DATABASE INTO'.split(' '));
/** What CREATE, ALTER and DROP are about. */
const KINDS = new Set(
  'TABLE TABLES VIEW SEQUENCE PROCEDURE FUNCTION TRIGGER EVENT PACKAGE INDEX DATABASE SCHEMA USER ROLE SERVER TABLESPACE'.split(
    ' ',
  ),
);
/** The longest way to the kind: CREATE OR REPLACE ALGORITHM = MERGE DEFINER = a@b SQL SECURITY INVOKER VIEW. */
const KIND_WITHIN = 24;

/** Of the statement whose first word is the token `at`. */
export function headOf(tokens: SqlTokens, at: number, to: number): Head {
  switch (tokens.word(at)) {
    case 'SELECT':
      return { query: true };
    case 'INSERT':
    case 'REPLACE':
      return { next: pass(tokens, at + 1), expect: 'table' };
    case 'UPDATE':
      return { ...LISTED, next: pass(tokens, at + 1) };
    case 'DELETE':
      return { ...LISTED, next: pass(tokens, at + 1), aliases: true };
    case 'TABLE':
    case 'HANDLER':
      return { expect: 'table' };
    case 'CALL':
      return { expect: 'routine' };
    case 'USE':
      return { expect: 'schema' };
    case 'CREATE':
    case 'ALTER':
    case 'DROP':
      return definition(tokens, at, to);
    case 'RENAME':
      return /^TABLES?$/.test(tokens.word(at + 1)) ? { ...LISTED, next: at + 2, to: 'table' } : { next: to };
    case 'TRUNCATE':
      return { expect: 'table' };
    case 'ANALYZE':
    case 'OPTIMIZE':
    case 'REPAIR':
    case 'CHECK':
    case 'CHECKSUM':
    case 'LOCK':
    case 'FLUSH':
      return ofTables(tokens, at);
    case 'CACHE':
      return { ...LISTED, next: at + 2 };
    case 'LOAD':
      // LOAD INDEX INTO CACHE
      return tokens.word(at + 1) === 'INDEX' ? { ...LISTED, next: at + 4 } : {};
    case 'GRANT':
    case 'REVOKE':
      return { on: 'table', grants: true };
    case 'EXPLAIN':
    case 'DESCRIBE':
    case 'DESC':
      return explained(tokens, at + 1, to);
    case 'SHOW':
      return { next: to, names: shown(tokens, at + 1, to) };
    case 'SET':
      return { forStatement: tokens.word(at + 1) === 'STATEMENT' };
    case 'PREPARE':
    case 'EXECUTE':
    case 'DEALLOCATE':
    case 'SAVEPOINT':
    case 'RELEASE':
    case 'KILL':
      return { next: to };
    case 'BEGIN':
      return tokens.word(at + 1) === 'NOT' ? { next: at + 3, statement: true, body: true } : {};
    default:
      return {};
  }
}

function pass(tokens: SqlTokens, from: number): number {
  let at = from;
  while (MODIFIERS.has(tokens.word(at))) at++;
  return at;
}

/** Where the word is that says what is created, altered or dropped; -1: nowhere. */
export function kindAt(tokens: SqlTokens, at: number, to: number): number {
  for (let i = at + 1; i < to && i < at + KIND_WITHIN; i++) {
    if (KINDS.has(tokens.word(i)) && tokens.word(i - 1) !== '=') return i;
  }
  return -1;
}

function definition(tokens: SqlTokens, at: number, to: number): Head {
  const kind = kindAt(tokens, at, to);
  const next = kind + 1;
  const list = tokens.word(at) === 'DROP';
  switch (kind < 0 ? '' : tokens.word(kind)) {
    case 'TABLE':
    case 'TABLES':
    case 'VIEW':
    case 'SEQUENCE':
      return { next, expect: 'table', list, like: tokens.word(at) === 'CREATE', renames: tokens.word(at) === 'ALTER' };
    case 'PROCEDURE':
    case 'FUNCTION':
    case 'PACKAGE':
    case 'EVENT':
      return { next: tokens.source(next).toUpperCase() === 'BODY' ? next + 1 : next, expect: 'routine', body: true };
    case 'TRIGGER':
      return { next, expect: 'routine', body: true, on: 'table' };
    case 'INDEX':
      return { next, on: 'table' };
    case 'DATABASE':
    case 'SCHEMA':
      return { next, expect: 'schema' };
    default:
      return { next: to };
  }
}

/** ANALYZE also stands in front of statements that it runs (MariaDB). */
function ofTables(tokens: SqlTokens, at: number): Head {
  const next = pass(tokens, at + 1);
  if (/^TABLES?$/.test(tokens.word(next))) return { ...LISTED, next: next + 1 };
  if (tokens.word(at) !== 'ANALYZE') return {};
  return { next: tokens.word(next) === 'FORMAT' ? next + 3 : next, statement: true };
}

function explained(tokens: SqlTokens, from: number, to: number): Head {
  let at = from;
  while (at < to && (EXPLAIN_OPTIONS.has(tokens.word(at)) || tokens.word(at - 1) === '=')) at++;
  // FOR SCHEMA shop SELECT …, INTO @plan SELECT …
  const reserved = isReserved(tokens.word(at)) || tokens.word(at) === '(';
  if (!reserved && isReserved(tokens.word(at + 1)) && at > from) at++;
  return isReserved(tokens.word(at)) || tokens.word(at) === '('
    ? { next: at, statement: true }
    : { next: at, expect: 'table' };
}

function shown(tokens: SqlTokens, from: number, to: number): readonly (readonly [NameRole, number, number])[] {
  let at = from;
  while (/^(FULL|EXTENDED)$/.test(tokens.word(at))) at++;
  const what = tokens.word(at);
  const source = (index: number): boolean => index < to && /^(FROM|IN)$/.test(tokens.word(index));
  if (what === 'CREATE') {
    const kind = tokens.word(at + 1);
    const name = tokens.word(at + 2) === 'IF' ? at + 5 : at + 2;
    if (kind === 'DATABASE' || kind === 'SCHEMA') return [['schema', -1, name]];
    if (/^(USER|)$/.test(kind)) return [];
    const role = /^(TABLE|VIEW|SEQUENCE)$/.test(kind) ? 'table' : 'routine';
    return tokens.word(name + 1) === '.' ? [[role, name, name + 2]] : [[role, -1, name]];
  }
  if (/^(COLUMNS|FIELDS|INDEX|INDEXES|KEYS)$/.test(what)) {
    if (!source(at + 1)) return [];
    const name = at + 2;
    if (tokens.word(name + 1) === '.') return [['table', name, name + 2]];
    return [['table', source(name + 1) ? name + 2 : -1, name]];
  }
  const next = /^(OPEN|TABLE)$/.test(what) ? at + 2 : at + 1;
  return /^(TABLES|TABLE|OPEN|TRIGGERS|EVENTS)$/.test(what) && source(next) ? [['schema', -1, next + 1]] : [];
}
