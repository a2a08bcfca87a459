import { describe, expect, it } from 'vitest';
import rewrite from '../../plugins/mysql-rewrite/index.ts';
import mysql from '../../plugins/mysql/index.ts';
import { MysqlClient, type ClientOptions } from './mysql/client.ts';
import { packet } from './mysql/transcript.ts';
import { refusal } from './plugin-rig.ts';

const start = (options: string, client?: ClientOptions) =>
  MysqlClient.start([[rewrite, `mysql-rewrite${options}`]], client);

describe('mysql-rewrite', () => {
  it.each([
    [',schemas.shop=copy', 'SELECT * FROM shop.t, `shop`.u -- shop.t', 'SELECT * FROM copy.t, `copy`.u -- shop.t'],
    [',schemas.shop=copy', "INSERT INTO shop.t VALUES ('shop.t')", "INSERT INTO copy.t VALUES ('shop.t')"],
    [',schemas.shop=copy', 'USE shop', 'USE copy'],
    [',schemas.shop=copy,schemas.copy=shop', 'SELECT * FROM shop.a JOIN copy.b', 'SELECT * FROM copy.a JOIN shop.b'],
    [',schemas.a=b', 'SELECT  * FROM t', 'SELECT  * FROM t'],
    [',sql.old=new', 'SELECT old FROM old', 'SELECT new FROM new'],
    [',sql./LIMIT ([0-9]+)$/=LIMIT 1 OFFSET $1', 'SELECT 1 LIMIT 7', 'SELECT 1 LIMIT 1 OFFSET 7'],
    [',sql.t1=shop.t1,schemas.shop=copy', 'SELECT * FROM t1', 'SELECT * FROM copy.t1'],
  ])('%s: %s', async (options, sql, wanted) => {
    const client = await start(options);
    expect(client.query(sql)).toBeUndefined();
    expect(client.sent).toBe(wanted);
    // What was prepared is changed alike.
    expect(client.prepare(sql, 1)).toBeUndefined();
    expect(client.sent).toBe(wanted);
  });

  it('names another database in what chooses, creates and drops one', async () => {
    const client = await start(',schemas.shop=copy', { database: 'shop' });
    expect(client.last.database).toBe('copy');
    for (const code of [2, 5, 6]) {
      client.send(packet(0, code, 'shop'));
      expect(client.sent).toBe('copy');
    }
    expect(client.known.schema).toBe('shop');
  });

  it('names it in logins that no client sent', async () => {
    const client = await start(',schemas.shop=copy');
    expect(['shop', 'other'].map((schema) => client.known.nameOnTarget(schema))).toEqual(['copy', 'other']);
  });

  it('leaves bytes alone where nothing changes', async () => {
    const client = await start(',schemas.shop=copy');
    const bytes = packet(0, 3, 'SELECT ', [0xff, 0x00, 0x27, 0x27], ' FROM t');
    client.send(bytes);
    expect(client.last.serialize()).toEqual(bytes);
  });

  it('changes texts that are no UTF-8 byte by byte', async () => {
    const client = await start(',schemas.shop=copy');
    client.send(packet(0, 3, "SELECT '", [0xff], "' FROM shop.t"));
    expect(client.sent).toBe("SELECT '\xff' FROM copy.t");
    client.send(packet(0, 3, "SELECT 'ü' FROM shop.t"));
    expect(Buffer.from(client.sent, 'latin1').toString()).toBe("SELECT 'ü' FROM copy.t");
  });

  it('reads characters as the client’s character set has them', async () => {
    const sql = ["SELECT '", [0x95, 0x5c], "' FROM shop.t, '", [0x95, 0x5c], "'"] as const;
    const client = await start(',schemas.shop=copy', { charset: 28 });
    client.send(packet(0, 3, ...sql));
    expect(client.sent).toBe("SELECT '\x95\x5c' FROM copy.t, '\x95\x5c'");
    // As Latin-1 the string has no end before FROM.
    const other = await start(',schemas.shop=copy', { charset: 8 });
    other.send(packet(0, 3, ...sql));
    expect(other.sent).toBe("SELECT '\x95\x5c' FROM shop.t, '\x95\x5c'");
  });

  it('does not send what it cannot read to its end', async () => {
    const client = await MysqlClient.start([
      [mysql, 'mysql,commandLimit=1k'],
      [rewrite, 'mysql-rewrite,schemas.shop=copy'],
    ]);
    expect(client.queryInParts(`SELECT '${'x'.repeat(2_000)}' FROM shop.t`)).toBe('longer than commandLimit');
    expect(client.query('SELECT 1')).toBeUndefined();
  });

  it('refuses to do nothing', () => {
    expect(refusal(rewrite, 'mysql-rewrite')).toContain('give schemas or sql');
    expect(refusal(rewrite, 'mysql-rewrite,sql./(/=x')).toContain('no regular expression');
  });
});
