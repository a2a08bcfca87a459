import { definePlugin, z, type MysqlCommand, type MysqlResponse } from 'tcpcopy/plugin';
import { codecChecks } from 'tcpcopy/testing';
import { test } from 'vitest';
import {
  detect,
  MysqlCommandCodec,
  MysqlConnection,
  MysqlResponseReader,
  mysqlSettings,
} from '../../../plugins/mysql/index.ts';
import { about, clientLogin, error, execute, ok, prepare, prepared } from './servers.ts';
import { packet, query } from './transcript.ts';

/** OK in the place of EOF, behind rows. */
const end = (sequence: number, status = 2): Buffer => packet(sequence, 0xfe, 0, 0, [status, 0], [0, 0]);
const column = (sequence: number): Buffer =>
  packet(sequence, '\x03def\x00\x00\x00\x01a\x00\x0c', [63, 0, 11, 0, 0, 0, 3, 0, 0, 0, 0, 0]);
const row = (sequence: number, text: string): Buffer => packet(sequence, text.length, text);

const rows = Buffer.concat([packet(1, 1), column(2), row(3, 'one'), row(4, 'two'), end(5)]);
const select = query('select a from t');
const login = clientLogin();

/** The codec alone: with the dialogue other logins are sent than were captured (dialogue.test.ts). */
const codecOnly = definePlugin({
  name: 'mysql',
  description: 'The codec of MySQL.',
  options: z.object({}),
  apply(hooks) {
    const settings = mysqlSettings();
    const row = { moment: 'Once.', nothing: 'As always.' };
    hooks.provide('mysql', {
      hooks: {
        command: { role: 'request', payload: 'MysqlCommand', ...row },
        response: { role: 'response', payload: 'MysqlResponse', ...row },
        exchange: { role: 'exchange', payload: 'ExchangeContext', ...row },
        connection: { role: 'event', payload: 'MysqlReading', ...row },
      },
      detect,
      codec: (info, fromBoundary) =>
        new MysqlCommandCodec(
          MysqlConnection.of(info),
          info.openedBy === 'syn' && fromBoundary,
          settings,
          fromBoundary,
        ),
      responses: (info, origin) =>
        new MysqlResponseReader(settings, { connection: MysqlConnection.of(info), online: origin === 'online' }),
    });
  },
});

const checks = codecChecks<MysqlCommand, MysqlResponse>({
  plugin: codecOnly,
  protocol: 'mysql',
  conversations: {
    'statements of text': {
      client: [login, query('use crm'), select, query('insert t values (1)'), query('select nothing'), packet(0, 14)],
      messages: [
        ...['LOGIN app shop', 'QUERY use crm', 'QUERY select a from t'],
        ...['QUERY insert t values (1)', 'QUERY select nothing', 'PING'],
      ],
      server: [ok(2), ok(), rows, ok(), error(1054), ok()],
      responses: [
        ...['LOGIN: ok, 0 affected', 'QUERY: ok, 0 affected', 'QUERY: 2 rows'],
        ...['QUERY: ok, 0 affected', 'QUERY: error 1054', 'PING: ok, 0 affected'],
      ],
    },
    'prepared statements': {
      client: [
        login,
        prepare('select ?'),
        execute(1, 7),
        execute(1, 8, false),
        Buffer.concat([about(0x19, 1), select]),
        packet(0, 1),
      ],
      server: [
        ok(2),
        prepared(1, 1),
        Buffer.concat([packet(1, 1), column(2), packet(3, 0, 0, [7, 0, 0, 0]), end(4)]),
        ok(),
        rows,
        '',
      ],
      responses: [
        ...['LOGIN: ok, 0 affected', 'STMT_PREPARE: ok, 0 affected', 'STMT_EXECUTE: 1 rows'],
        ...['STMT_EXECUTE: ok, 0 affected', 'QUERY: 2 rows'],
      ],
    },
    'a login with another method, many results, a file': {
      client: [
        login,
        packet(3, 'an answer'),
        query('call p()'),
        query("load data local infile 'f' into table t"),
        Buffer.concat([packet(2, 'a,b\n'), packet(3)]),
        select,
      ],
      server: [
        packet(2, 0xfe, 'caching_sha2_password\0', '12345678901234567890\0'),
        Buffer.concat([packet(4, 1, 3), ok(5)]),
        Buffer.concat([packet(1, 1), column(2), row(3, 'one'), end(4, 10), packet(5, 1), column(6), end(7, 10), ok(8)]),
        packet(1, 0xfb, 'f'),
        ok(4),
        rows,
      ],
      responses: [
        ...[
          'LOGIN: ok, 0 affected',
          'QUERY: 1 rows',
          'QUERY: file-wanted',
          'LOCAL_DATA: ok, 0 affected',
          'QUERY: 2 rows',
        ],
      ],
    },
  },
  // What a statement's text is depends on what came before.
  tell: (command) =>
    command.statementId === undefined ? command.toString() : `${command.name} ${command.statementId}`,
  tellResponse: (response) => response.toString(),
  edit: (command) => {
    if (command.name === 'QUERY' || command.name === 'STMT_PREPARE') command.sql = 'select 1 /* changed */';
  },
  rounds: 25,
});
for (const { name, run } of checks) test(name, run);
