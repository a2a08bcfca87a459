import { describe, expect, it } from 'vitest';
import {
  MysqlConnection,
  MysqlResponseReader,
  mysqlSettings,
  type MysqlResponse,
} from '../../../plugins/mysql/index.ts';
import { CLIENT, MARIADB, type Capabilities } from '../../../plugins/mysql/login/index.ts';
import { byteByByte } from '../../support/codec-driving.ts';
import { about, clientLogin, error, execute, greeting, ok, prepare } from './servers.ts';
import { feed, packet, query } from './transcript.ts';

const select = query('select a from t');
const column = (sequence: number) => packet(sequence, '\x03def\0');
const row = (sequence: number, text: string) => packet(sequence, text.length, text);
const eof = (sequence: number, status = 2) => packet(sequence, 0xfe, [0, 0], [status, 0]);
/** OK in the place of EOF, behind rows. */
const end = (sequence: number, status = 2) => packet(sequence, 0xfe, 0, 0, [status, 0], [3, 0]);
const binary = (sequence: number) => packet(sequence, 0, 0, [7, 0, 0, 0]);
const statement = (columns: number, parameters: number, ...more: readonly number[]) =>
  packet(1, 0, [5, 0, 0, 0], [columns, 0], [parameters, 0], 0, [0, 0], more);

const OLD: Capabilities = { flags: CLIENT.PROTOCOL_41, extended: 0 };
const NEW: Capabilities = { flags: CLIENT.PROTOCOL_41 | CLIENT.DEPRECATE_EOF, extended: 0 };
const OPTIONAL: Capabilities = { flags: NEW.flags | CLIENT.OPTIONAL_RESULTSET_METADATA, extended: 0 };
const CACHED: Capabilities = { flags: NEW.flags, extended: MARIADB.CACHE_METADATA };

/** What is read of a server's answers to `asked`; a line each, and what was wrong. */
function read(asked: readonly Uint8Array[], chunks: readonly Uint8Array[], capabilities?: Capabilities): string[] {
  const connection = new MysqlConnection();
  const login = asked[0]![3] === 1;
  const { commands } = feed(asked, { fromSyn: login, seen: 1, connection });
  const reader = new MysqlResponseReader(mysqlSettings(), { connection, online: true }, capabilities);
  for (const { command } of commands) reader.sent(command);
  const said: string[] = [];
  for (const chunk of chunks) {
    reader.push(chunk, 0, chunk.length);
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      said.push(`${(next.message as MysqlResponse).toString()}${next.completes ? '' : ' …'}`);
    }
  }
  return reader.failure === undefined ? said : [...said, `failure: ${reader.failure}`];
}

describe.each([
  ['in one piece', (bytes: Uint8Array) => [bytes]],
  ['byte by byte', byteByByte],
])('%s', (_how, chunksOf) => {
  it.each<[string, readonly Uint8Array[], readonly Uint8Array[], Capabilities | undefined, string[]]>([
    ['a greeting, then a login', [clientLogin()], [greeting(), ok(2)], undefined, ['LOGIN: ok, 0 affected']],
    ['a login that is refused', [clientLogin()], [greeting(), error(1045, 2)], undefined, ['LOGIN: error 1045']],
    ['rows, with EOF', [select], [packet(1, 1), column(2), eof(3), row(4, 'x'), eof(5)], OLD, ['QUERY: 1 rows']],
    ['rows, without EOF', [select], [packet(1, 1), column(2), row(3, 'x'), end(4)], NEW, ['QUERY: 1 rows']],
    ['no rows, with EOF', [select], [packet(1, 1), column(2), eof(3), eof(4)], OLD, ['QUERY: 0 rows']],
    ['no rows, without EOF', [select], [packet(1, 1), column(2), end(3)], NEW, ['QUERY: 0 rows']],
    [
      'rows of who knows: with EOF',
      [select],
      [packet(1, 1), column(2), eof(3), row(4, 'x'), eof(5)],
      undefined,
      ['QUERY: 1 rows'],
    ],
    [
      'rows of who knows: without',
      [select],
      [packet(1, 1), column(2), row(3, 'x'), end(4)],
      undefined,
      ['QUERY: 1 rows'],
    ],
    ['rows of who knows: none', [select], [packet(1, 1), column(2), end(3)], undefined, ['QUERY: 0 rows']],
    [
      'rows that end in an error',
      [select],
      [packet(1, 1), column(2), row(3, 'x'), error(1317, 4)],
      NEW,
      ['QUERY: error 1317'],
    ],
    ['NULL in front of a row', [select], [packet(1, 1), column(2), packet(3, 0xfb), end(4)], NEW, ['QUERY: 1 rows']],
    [
      'many results',
      [query('a; b; c')],
      [ok(1, 10), packet(2, 1), column(3), row(4, 'x'), end(5, 10), ok(6)],
      NEW,
      ['QUERY: 1 rows'],
    ],
    ['an error among results', [query('a; b')], [ok(1, 10), error(1064, 2)], NEW, ['QUERY: error 1064']],
    [
      'progress of MariaDB',
      [select],
      [packet(1, 0xff, [0xff, 0xff], 1, 1, 2, [3, 0, 0], '\x01x'), ok(2)],
      NEW,
      ['QUERY: ok, 0 affected'],
    ],
    ['a statement: nothing', [prepare('do 1')], [statement(0, 0)], NEW, ['STMT_PREPARE: ok, 0 affected']],
    [
      'a statement, with EOF',
      [prepare('?'), packet(0, 14)],
      [statement(1, 1), column(2), eof(3), column(4), eof(5), ok()],
      OLD,
      ['STMT_PREPARE: ok, 0 affected', 'PING: ok, 0 affected'],
    ],
    [
      'a statement, without EOF',
      [prepare('?'), packet(0, 14)],
      [statement(1, 1), column(2), column(3), ok()],
      NEW,
      ['STMT_PREPARE: ok, 0 affected', 'PING: ok, 0 affected'],
    ],
    [
      'a statement of who knows: with EOF',
      [prepare('?'), packet(0, 14)],
      [statement(1, 1), column(2), eof(3), column(4), eof(5), ok()],
      undefined,
      ['STMT_PREPARE: ok, 0 affected', 'PING: ok, 0 affected'],
    ],
    [
      'a statement of who knows: parameters',
      [prepare('?'), packet(0, 14)],
      [statement(0, 1), column(2), eof(3), ok()],
      undefined,
      ['STMT_PREPARE: ok, 0 affected', 'PING: ok, 0 affected'],
    ],
    [
      'a statement of who knows: without',
      [prepare('?'), packet(0, 14)],
      [statement(1, 1), column(2), column(3), ok()],
      undefined,
      ['STMT_PREPARE: ok, 0 affected', 'PING: ok, 0 affected'],
    ],
    ['an execution', [execute(5, 7)], [packet(1, 1), column(2), binary(3), end(4)], NEW, ['STMT_EXECUTE: 1 rows']],
    [
      'a cursor, with EOF',
      [execute(5, 7), about(0x1c, 5, 1, 0, 0, 0)],
      [packet(1, 1), column(2), eof(3, 66), binary(1), eof(2, 66)],
      OLD,
      ['STMT_EXECUTE: 0 rows', 'STMT_FETCH: ok, 0 affected'],
    ],
    [
      'a cursor, without EOF',
      [execute(5, 7), about(0x1c, 5, 1, 0, 0, 0)],
      [packet(1, 1), column(2), end(3, 66), binary(1), end(2, 194)],
      NEW,
      ['STMT_EXECUTE: 0 rows', 'STMT_FETCH: ok, 0 affected'],
    ],
    ['columns that MySQL leaves out', [select], [packet(1, 0, 1), row(2, 'x'), end(3)], OPTIONAL, ['QUERY: 1 rows']],
    [
      'columns that MySQL does not leave out',
      [select],
      [packet(1, 1, 1), column(2), row(3, 'x'), end(4)],
      OPTIONAL,
      ['QUERY: 1 rows'],
    ],
    [
      'columns that MariaDB leaves out',
      [execute(5, 7)],
      [packet(1, 1, 0), binary(2), end(3)],
      CACHED,
      ['STMT_EXECUTE: 1 rows'],
    ],
    [
      'columns that MariaDB does not leave out',
      [execute(5, 7)],
      [packet(1, 1, 1), column(2), binary(3), end(4)],
      CACHED,
      ['STMT_EXECUTE: 1 rows'],
    ],
    ['statistics', [packet(0, 9)], [packet(1, 'Uptime: 1')], NEW, ['STATISTICS: text']],
    ['fields', [packet(0, 4, 't\0')], [column(1), column(2), end(3)], NEW, ['FIELD_LIST: ok, 0 affected']],
    ['EOF for an option', [packet(0, 27, [0, 0])], [eof(1)], OLD, ['SET_OPTION: ok, 0 affected']],
    ['an error that nobody asked for', [packet(0, 1)], [error(1927, 0)], NEW, ['unasked: error 1927 …']],
    ['what nobody asked for', [packet(0, 1)], [ok()], NEW, ['failure: unasked']],
    ['nonsense', [select], [packet(1, 1, 2, 3, 4)], NEW, ['failure: result']],
  ])('%s', (_name, asked, answers, capabilities, wanted) => {
    expect(read(asked, chunksOf(Buffer.concat(answers)), capabilities)).toEqual(wanted);
  });
});

it('a row of more than 16 MiB is one row', () => {
  const long = packet(3, Buffer.alloc(0xff_ff_ff, 'x'));
  const answers = Buffer.concat([packet(1, 1), column(2), long, packet(4, 0xfe, [0, 0], [2, 0]), end(5)]);
  expect(read([select], [answers], NEW)).toEqual(['QUERY: 1 rows']);
});

it('a gap inside a row costs nothing', () => {
  const connection = new MysqlConnection();
  const reader = new MysqlResponseReader(mysqlSettings(), { connection, online: true }, NEW);
  reader.sent(feed([select], { fromSyn: false, seen: 1, connection }).commands[0]!.command);
  const bytes = Buffer.concat([packet(1, 1), column(2), row(3, 'x'.repeat(200)), end(4)]);
  reader.push(bytes, 0, 40);
  expect(reader.next()).toBeUndefined();
  reader.gap(100);
  reader.push(bytes, 140, bytes.length - 140);
  expect((reader.next()?.message as MysqlResponse | undefined)?.toString()).toBe('QUERY: 1 rows');
});
