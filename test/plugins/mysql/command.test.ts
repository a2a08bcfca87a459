import { describe, expect, it } from 'vitest';
import type { MysqlConnection } from '../../../plugins/mysql/index.ts';
import { MysqlResponseReader, type MysqlCommand } from '../../../plugins/mysql/index.ts';
import { CLIENT } from '../../../plugins/mysql/login/index.ts';
import { byteByByte, cut, text } from '../../support/codec-driving.ts';
import { about, clientLogin, execute, FLAGS, prepare, prepared } from './servers.ts';
import { feed, packet, query, type FeedOptions } from './transcript.ts';

const whole = (bytes: Uint8Array, options: FeedOptions = {}) =>
  feed([bytes], { fromSyn: false, seen: 1, ...options }).commands.map(({ command }) => command);
const one = (bytes: Uint8Array, options: FeedOptions = {}) => whole(bytes, options)[0]!;
const serialized = (command: MysqlCommand) => Buffer.from(command.serialize()).toString('latin1');

/** A connection on which the statement 1 is prepared, with so many parameters. */
function connectionWith(parameters: number): MysqlConnection {
  const t = feed([prepare('insert into t values (?)')], { fromSyn: false, seen: 1 });
  const reader = new MysqlResponseReader(t.settings, { connection: t.connection, online: true });
  reader.sent(t.commands[0]!.command);
  const answer = prepared(1, parameters);
  reader.push(answer, 0, answer.length);
  while (reader.next() !== undefined);
  return t.connection;
}

/** EXECUTE of one parameter. */
function valueOf(type: number, ...bytes: readonly number[]): unknown {
  const command = packet(0, 0x17, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, type & 255, type >> 8, ...bytes]);
  return one(command, { connection: connectionWith(1) }).parameters?.[0]?.value;
}

describe('parameters', () => {
  it.each<[string, unknown, number, readonly number[]]>([
    ['TINY', -1, 1, [255]],
    ['unsigned TINY', 255, 0x8001, [255]],
    ['SHORT', -2, 2, [254, 255]],
    ['LONG', -3, 3, [253, 255, 255, 255]],
    ['unsigned LONG', 4_294_967_293, 0x8003, [253, 255, 255, 255]],
    ['LONGLONG', -1, 8, [255, 255, 255, 255, 255, 255, 255, 255]],
    ['unsigned LONGLONG', 2n ** 64n - 1n, 0x8008, [255, 255, 255, 255, 255, 255, 255, 255]],
    ['FLOAT', 0.1, 4, [...Buffer.from(new Float32Array([0.1]).buffer)]],
    ['DOUBLE', 0.1, 5, [...Buffer.from(new Float64Array([0.1]).buffer)]],
    ['DATE', '2024-02-29', 10, [4, 0xe8, 7, 2, 29]],
    ['DATETIME', '2024-02-29 23:59:58', 12, [7, 0xe8, 7, 2, 29, 23, 59, 58]],
    ['DATETIME of microseconds', '2024-02-29 23:59:58.000007', 12, [11, 0xe8, 7, 2, 29, 23, 59, 58, 7, 0, 0, 0]],
    ['DATETIME of zero', '0000-00-00 00:00:00', 12, [0]],
    ['TIME', '-25:02:03', 11, [8, 1, 1, 0, 0, 0, 1, 2, 3]],
    ['TIME of microseconds', '00:00:01.000009', 11, [12, 0, 0, 0, 0, 0, 0, 0, 1, 9, 0, 0, 0]],
    ['VARCHAR', 'ü', 253, [2, 0xc3, 0xbc]],
    ['VARCHAR of no UTF-8', Uint8Array.of(0xfc), 253, [1, 0xfc]],
    ['BLOB', Uint8Array.of(65), 252, [1, 65]],
    ['DECIMAL', '1.50', 246, [4, 0x31, 0x2e, 0x35, 0x30]],
  ])('%s', (_name, value, type, bytes) => {
    expect(valueOf(type, ...bytes)).toEqual(value);
  });

  it('are of the types that were told before, NULL, or sent ahead', () => {
    const connection = connectionWith(1);
    const told = (bytes: Uint8Array) => one(bytes, { connection }).parameters?.map(({ value }) => value);
    expect(told(execute(1, 7))).toEqual([7]);
    expect(told(execute(1, 8, false))).toEqual([8]);
    expect(told(packet(0, 0x17, [1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]))).toEqual([null]);
    whole(about(0x18, 1, 0, 0, 65), { connection });
    expect(told(packet(0, 0x17, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 252, 0]))).toEqual([undefined]);
    expect(told(packet(0, 0x17, [1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 3, 0, 1]))).toBeUndefined();
    expect(told(execute(2, 7))).toBeUndefined();
  });

  it('of a query stand before its text', () => {
    const flags = FLAGS | CLIENT.QUERY_ATTRIBUTES;
    const select = packet(0, 3, [1, 1, 0, 1, 253, 0], '\x03key\x05value', 'select 1');
    const [, command] = feed([clientLogin('shop', flags), select]).commands;
    expect(command!.command.sql).toBe('select 1');
    expect(command!.command.attributes).toEqual([{ type: 253, unsigned: false, name: 'key', value: 'value' }]);
    const same = whole(Buffer.concat([packet(0, 3, [0, 1], 'select 2'), query('select 3')]));
    expect(same.map(({ sql }) => sql)).toEqual(['select 2', 'select 3']);
  });
});

describe('a text', () => {
  it('that is changed is written with its length, and its attributes', () => {
    const command = one(packet(0, 3, [0, 1], 'select 1'));
    command.sql = 'select ü';
    expect(serialized(command)).toBe(Buffer.from(packet(0, 3, [0, 1], 'select ü')).toString('latin1'));
    command.revert({});
    expect([command.changed, command.sql]).toEqual([false, 'select 1']);
  });

  it('of no UTF-8 stays as it was but for what is changed', () => {
    const command = one(packet(0, 3, text("select '\xfc'")));
    expect(command.sql).toBe("select '\xfc'");
    command.sql += ' ';
    expect(serialized(command)).toBe(Buffer.from(packet(0, 3, text("select '\xfc' "))).toString('latin1'));
  });

  it('of another command cannot be changed', () => {
    expect(() => (one(packet(0, 14)).sql = 'x')).toThrow('PING has no text');
    const options = { fromSyn: false, seen: 1, settings: { commandLimit: 8 } };
    const [long] = feed(cut(query('select 1 /* long */'), [15]), options).commands;
    expect([long!.command.whole, long!.command.sql]).toEqual([false, 'select 1 /']);
    expect(() => (long!.command.sql = 'x')).toThrow('streams past');
  });
});

describe('a command', () => {
  it('of more than 16 MiB is one message, in packets of which the last may be empty', () => {
    const rest = 0xff_ff_ff - 1;
    for (const more of [0, 5]) {
      const sql = 'x'.repeat(rest + more);
      const bytes = Buffer.concat([packet(0, 3, sql.slice(0, rest)), packet(1, sql.slice(rest)), query('select 1')]);
      const t = feed(cut(bytes, every(100_000, bytes.length)), { fromSyn: false, seen: 1 });
      expect(t.commands.map(({ length, complete }) => [length, complete])).toEqual([
        [bytes.length - query('select 1').length, true],
        [query('select 1').length, true],
      ]);
      const held = feed(cut(bytes, every(100_000, bytes.length)), {
        fromSyn: false,
        seen: 1,
        settings: { commandLimit: 1 << 25 },
      });
      expect(held.commands[0]!.command.sql).toHaveLength(sql.length);
    }
  });

  it('is named in one line, without passwords', () => {
    const lines = [
      [
        "create user a identified by 'secret', b identified with x as 'secret'",
        "create user a identified by '***', b identified with x as '***'",
      ],
      ["set password for a = password('secret')", "set password for a = password('***'"],
      [
        "change master to master_password='secret', master_port=1",
        "change master to master_password='***', master_port=1",
      ],
      ['select\n  1', 'select 1'],
    ] as const;
    for (const [sql, shown] of lines) {
      expect(one(query(sql)).toString()).toContain(`QUERY ${shown}`);
      expect(one(query(sql)).toString()).not.toContain('secret');
    }
    expect(one(query(`select ${'x'.repeat(1000)}`)).toString().length).toBeLessThan(420);
  });

  it('is read byte by byte as it is whole', () => {
    const bytes = Buffer.concat([clientLogin(), query('use crm'), prepare('select ?'), execute(1, 7), packet(0, 14)]);
    const names = (chunks: readonly Uint8Array[]) =>
      feed(chunks).commands.map(({ command }) => `${command.schema ?? ''} ${command.name}`);
    const wanted = ['shop LOGIN', 'shop QUERY', 'crm STMT_PREPARE', 'crm STMT_EXECUTE', 'crm PING'];
    expect(names([bytes])).toEqual(wanted);
    expect(names(byteByByte(bytes))).toEqual(wanted);
  });
});

function every(length: number, end: number): number[] {
  return Array.from({ length: Math.floor(end / length) }, (_, i) => (i + 1) * length);
}
