import { describe, expect, it } from 'vitest';
import mysql from '../../../plugins/mysql/index.ts';
import writes from '../../../plugins/writes/index.ts';
import { MysqlClient } from './client.ts';
import { packet } from './transcript.ts';

const start = (settings = 'mysql', text = 'writes') =>
  MysqlClient.start([
    [mysql, settings],
    [writes, text],
  ]);

describe('writes with MySQL', () => {
  it.each([
    ['SELECT * FROM t FOR UPDATE', undefined],
    ['BEGIN', undefined],
    ['COMMIT', undefined],
    ['SET NAMES utf8', undefined],
    ['USE shop', undefined],
    ['INSERT INTO t VALUES (1)', 'writes'],
    ['SELECT 1; DELETE FROM t', 'writes'],
    ['/*!50000 DELETE */ FROM t', 'writes'],
    ['SET GLOBAL x = 1', 'administration'],
    ['SELECT f()', 'writes'],
    ['CALL p()', 'writes'],
    ['EXECUTE s', 'may be administration'],
    ['FROBNICATE', 'may write'],
  ])('%s', async (sql, reason) => {
    expect((await start()).query(sql)).toBe(reason);
  });

  it('goes by what was prepared, and lets that be prepared and closed', async () => {
    const client = await start();
    expect(client.prepare('INSERT INTO t VALUES (?)', 1, 1)).toBeUndefined();
    expect(client.prepare('SELECT ?', 2, 1)).toBeUndefined();
    expect(client.about(0x18, 1)).toBe('writes');
    expect(client.about(0x17, 1)).toBe('writes');
    expect(client.about(0xfa, 1)).toBe('writes');
    expect(client.about(0x18, 2)).toBeUndefined();
    expect(client.about(0x17, 2)).toBeUndefined();
    expect(client.about(0x1c, 2)).toBeUndefined();
    expect(client.about(0x1a, 1)).toBeUndefined();
    expect(client.about(0x17, 9)).toBe('may write');
    expect(client.about(0x19, 1)).toBeUndefined();
  });

  it('goes by what was prepared in text', async () => {
    const client = await start('mysql,admin=pass');
    expect(client.query("PREPARE w FROM 'DELETE FROM t'")).toBeUndefined();
    expect(client.query("PREPARE r FROM 'SELECT 1'")).toBeUndefined();
    expect(client.query('EXECUTE w')).toBe('writes');
    expect(client.query('EXECUTE R')).toBeUndefined();
    expect(client.query("EXECUTE IMMEDIATE 'DELETE FROM t'")).toBe('writes');
    expect(client.query("SET STATEMENT max_statement_time = 1 FOR PREPARE r FROM 'DELETE FROM t'")).toBeUndefined();
    expect(client.query('EXECUTE r')).toBe('writes');
    expect(client.query("EXECUTE IMMEDIATE 'KILL 5'")).toBe('writes');
    expect(client.query('PREPARE v FROM @a')).toBeUndefined();
    for (const text of ['EXECUTE v', 'EXECUTE IMMEDIATE @a']) expect(client.query(text)).toBe('may write');
    expect(client.query('DEALLOCATE PREPARE w')).toBeUndefined();
    // A connection that begins anew has nothing prepared.
    expect(client.send(packet(0, 0x1f))).toBeUndefined();
    expect(client.query('EXECUTE r')).toBe('may write');
  });

  it('reads quotes as the session has them', async () => {
    const client = await start();
    const sql = 'SELECT "\\"; DELETE FROM t -- "';
    expect(client.query(sql)).toBeUndefined();
    client.query("SET sql_mode = 'ANSI_QUOTES'");
    expect(client.query(sql)).toBe('writes');
  });

  it('knows commands that are no statements', async () => {
    const client = await start('mysql,admin=pass');
    for (const code of [0x05, 0x06, 0x0c, 0x08]) expect(client.send(packet(0, code, 'x'))).toBe('writes');
    for (const code of [0x02, 0x0e, 0x09]) expect(client.send(packet(0, code, 'x'))).toBeUndefined();
  });

  it('is told which routines only read', async () => {
    const client = await start('mysql,reads=price_of,reports.*');
    expect(client.query('SELECT Price_Of(1), shop.price_of(2)')).toBeUndefined();
    expect(client.query('CALL reports.daily()')).toBeUndefined();
    expect(client.query('CALL shop.daily()')).toBe('writes');
  });

  it('is not sure of a text whose end it does not see', async () => {
    const client = await start('mysql,commandLimit=1k');
    expect(client.queryInParts(`SELECT '${'x'.repeat(2_000)}'`)).toBe('may write');
    expect(client.queryInParts(`INSERT INTO t VALUES ('${'x'.repeat(2_000)}')`)).toBe('writes');
  });

  it('drops what is not read as MySQL', async () => {
    const rig = (await start()).rig;
    expect(rig.connect().send('GET / HTTP/1.1\r\n')).toBe('');
  });
});
