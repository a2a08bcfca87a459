import { describe, expect, it } from 'vitest';
import filter from '../../plugins/mysql-filter/index.ts';
import { MysqlClient, type ClientOptions } from './mysql/client.ts';
import { packet } from './mysql/transcript.ts';
import { PluginRig, refusal } from './plugin-rig.ts';

const start = (options: string, client?: ClientOptions) =>
  MysqlClient.start([[filter, `mysql-filter${options}`]], client);

describe('mysql-filter', () => {
  it.each([
    ['=shop', 'SELECT * FROM shop.t', undefined],
    ['=shop', 'SELECT * FROM other.t', 'schema not allowed'],
    ['=shop', 'SELECT * FROM shop.a JOIN other.b', 'schema not allowed'],
    ['=shop,app_*', 'SELECT * FROM shop.a JOIN app_1.b', undefined],
    ['=shop', 'SELECT * FROM t', undefined],
    ['=other', 'SELECT * FROM t', 'schema not allowed'],
    ['=other', 'SELECT 1', undefined],
    ['=other', 'BEGIN', undefined],
    ['=other', 'USE shop', undefined],
    ['=other', 'CREATE DATABASE shop', 'schema not allowed'],
    [',denySchema=mysql', 'SELECT * FROM mysql.user', 'denySchema'],
    [',denySchema=mysql', "SELECT 'mysql.user'", undefined],
    [',denySchema=mysql', 'SELECT * FROM t', undefined],
    [',verb=SELECT', 'SELECT 1', undefined],
    [',verb=SELECT', 'WITH a AS (SELECT 1) DELETE FROM t', 'verb not allowed'],
    [',verb=SELECT', 'COMMIT', undefined],
    [',verb=create', 'CREATE TABLE t (a INT)', undefined],
    [',verb=CREATE TABLE', 'CREATE VIEW v AS SELECT 1', 'verb not allowed'],
    [',verb=SHOW *', 'SHOW FULL TABLES', undefined],
    [',verb=@read', 'SELECT 1; SELECT 2', undefined],
    [',verb=@read', 'SELECT 1; DELETE FROM t', 'verb not allowed'],
    [',verb=@write', 'SELECT 1', 'verb not allowed'],
    [',denyVerb=LOCK', 'LOCK TABLES t WRITE', 'denyVerb'],
    [',denyVerb=@admin', 'FLUSH TABLES', 'denyVerb'],
    [',denyVerb=BEGIN', 'BEGIN', 'denyVerb'],
    [',denyVerb=DELETE', 'SELECT 1; DELETE FROM t', 'denyVerb'],
    [',sql=*orders*', 'SELECT * FROM orders', undefined],
    [',sql=/^SELECT .* FROM users$/', 'SELECT * FROM orders', 'sql not allowed'],
    [',denySql=*/* report */*', 'SELECT /* report */ 1', 'denySql'],
    [',digest=66cbb3a40d4bbd15', "select  'x'", undefined],
    [',digest=66cbb3a40d4bbd15', 'SELECT 1, 2', 'digest not allowed'],
    [',denyDigest=66cbb3a40d4bbd15', 'SELECT 5', 'denyDigest'],
  ])('%s: %s', async (options, sql, reason) => {
    const client = await start(options, { database: 'shop' });
    expect(client.query(sql)).toBe(reason);
  });

  it('goes by the current schema, as the client last chose it', async () => {
    const client = await start('=shop');
    expect(client.query('SELECT * FROM t')).toBe('schema not known');
    expect(client.send(packet(0, 2, 'shop'))).toBeUndefined();
    expect(client.query('SELECT * FROM t')).toBeUndefined();
    client.query('USE other');
    expect(client.query('SELECT * FROM t')).toBe('schema not allowed');
    expect(client.send(packet(0, 5, 'shop'))).toBeUndefined();
    expect(client.send(packet(0, 6, 'other'))).toBe('schema not allowed');
  });

  it('judges all about a prepared statement alike', async () => {
    const client = await start(',verb=SELECT', { database: 'shop' });
    expect(client.prepare('SELECT 1', 1)).toBeUndefined();
    expect(client.prepare('DELETE FROM t', 2)).toBe('verb not allowed');
    for (const code of [0x17, 0x18, 0x1a, 0x1c, 0x19]) expect(client.about(code, 1)).toBeUndefined();
    for (const code of [0x17, 0x18, 0x1a, 0x1c, 0x19]) expect(client.about(code, 2)).toBe('verb not allowed');
    expect(client.about(0x17, 9)).toBe('statement not known');
  });

  it('takes a prepared statement for what it was where it was prepared', async () => {
    const client = await start('=shop', { database: 'shop' });
    client.prepare('SELECT * FROM t', 1);
    client.query('USE other');
    expect(client.about(0x17, 1)).toBeUndefined();
  });

  it('goes by users, and does not log in for others', async () => {
    const allowed = await start(',user=app*', { user: 'app_1' });
    expect(allowed.connection.dropped).toEqual([]);
    expect(allowed.query('SELECT 1')).toBeUndefined();
    for (const [options, reason] of [
      [',user=app', 'user not allowed'],
      [',denyUser=root', 'denyUser'],
    ] as const) {
      const client = await start(options, { user: 'root' });
      expect(client.connection.dropped).toEqual([reason]);
      client.connection.send(packet(0, 3, 'SELECT 1'));
      expect(client.connection.sent()).toHaveLength(0);
    }
  });

  it('passes what has no statement', async () => {
    const client = await start('=x,verb=SELECT,sql=none');
    for (const code of [0x0e, 0x1f, 0x09]) expect(client.send(packet(0, code))).toBeUndefined();
  });

  it('drops on demand what is no MySQL', async () => {
    const rig = await PluginRig.start([[filter, 'mysql-filter,others=drop']], { opaque: true });
    expect(rig.connect().send('hello\r\n')).toBe('');
    const passing = await PluginRig.start([[filter, 'mysql-filter=shop']], { opaque: true });
    expect(passing.connect().send('hello\r\n')).toBe('hello\r\n');
  });

  it('refuses to do nothing, and what it cannot read', () => {
    expect(refusal(filter, 'mysql-filter')).toContain('nothing is allowed or denied');
    expect(refusal(filter, 'mysql-filter,verb=@nosuch')).toContain("'@nosuch' is no kind of statements");
    expect(refusal(filter, 'mysql-filter=/(/')).toContain('no regular expression');
  });
});
