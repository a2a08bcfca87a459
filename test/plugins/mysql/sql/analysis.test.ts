import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODE, SqlAnalyzer, type SqlEffect } from '../../../../plugins/mysql/sql/index.ts';
import { sqlText } from './sql-texts.ts';

const analyzer = new SqlAnalyzer({
  capacity: 100,
  readsOnly: (schema, name) => `${schema ?? ''}.${name}` === 'shop.price_of' || name === 'harmless',
});

type Row = readonly [text: string, effect: SqlEffect, verbs: string, tables?: string];

const READS: Row[] = [
  ['SELECT 1', 'read', 'SELECT', ''],
  ['select * from t', 'read', 'SELECT', 't'],
  ['SELECT a.*, b.c FROM shop.orders AS a, `Users` b WHERE a.x = b.y', 'read', 'SELECT', 'shop.orders Users'],
  ['SELECT * FROM a JOIN b ON a.x = b.x LEFT OUTER JOIN c.d USING (x) NATURAL JOIN e', 'read', 'SELECT', 'a b c.d e'],
  ['SELECT STRAIGHT_JOIN * FROM a STRAIGHT_JOIN b', 'read', 'SELECT', 'a b'],
  ['SELECT * FROM (a, b) CROSS JOIN (c JOIN d ON 1)', 'read', 'SELECT', 'a b c d'],
  ['SELECT * FROM (SELECT x FROM a) AS d (p, q), e', 'read', 'SELECT', 'a e'],
  ['SELECT * FROM (SELECT x FROM a) d (p), e', 'read', 'SELECT', 'a e'],
  ['SELECT * FROM a PARTITION (p0, p1) AS x, b FORCE INDEX FOR ORDER BY (i), c', 'read', 'SELECT', 'a b c'],
  ['SELECT * FROM a FOR SYSTEM_TIME AS OF NOW(), b', 'read', 'SELECT', 'a b'],
  ['SELECT * FROM {OJ a LEFT OUTER JOIN b ON 1}', 'read', 'SELECT', 'a b'],
  ['(SELECT x FROM a) UNION ALL (SELECT y FROM b) ORDER BY z LIMIT 3', 'read', 'SELECT', 'a b'],
  ['SELECT x FROM a WHERE y IN (SELECT z FROM b WHERE EXISTS (SELECT 1 FROM c.d))', 'read', 'SELECT', 'a b c.d'],
  ['SELECT EXTRACT(YEAR FROM d), TRIM(BOTH x FROM y), SUBSTRING(a FROM 2) FROM t', 'read', 'SELECT', 't'],
  ['SELECT a.b.c, d.e.* FROM t', 'read', 'SELECT', 't'],
  ['SELECT * FROM JSON_TABLE(@j, "$[*]" COLUMNS (a INT PATH "$.a")) AS x, t', 'read', 'SELECT', 't'],
  ['SELECT * FROM a, LATERAL (SELECT * FROM b) AS c', 'read', 'SELECT', 'a b'],
  ['SELECT * FROM a LIMIT 1 FOR UPDATE', 'read', 'SELECT', 'a'],
  ['SELECT * FROM a FOR SHARE OF a SKIP LOCKED', 'read', 'SELECT', 'a'],
  ['SELECT * FROM a LOCK IN SHARE MODE', 'read', 'SELECT', 'a'],
  [
    'SELECT RANK() OVER (PARTITION BY a ORDER BY b), ROW_NUMBER() OVER w FROM t WINDOW w AS (ORDER BY c)',
    'read',
    'SELECT',
    't',
  ],
  ['SELECT * FROM status, offset', 'read', 'SELECT', 'status offset'],
  [
    'SELECT COUNT(*), CONVERT(a USING utf8mb4), CAST(b AS DATETIME(6)), IF(a, b, c), ST_Distance(p, q) FROM t',
    'read',
    'SELECT',
    't',
  ],
  ['SELECT MATCH (a, b) AGAINST (? IN BOOLEAN MODE) FROM t', 'read', 'SELECT', 't'],
  ['WITH a AS (SELECT * FROM t) SELECT * FROM a, b', 'read', 'SELECT', 't b'],
  // A common table expression does not see itself.
  ['WITH a (x) AS (SELECT * FROM a), c AS (SELECT * FROM a) SELECT * FROM a JOIN c', 'read', 'SELECT', 'a'],
  ['WITH RECURSIVE a AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT * FROM a', 'read', 'SELECT', ''],
  ['SELECT a FROM t GROUP BY a WITH ROLLUP', 'read', 'SELECT', 't'],
  ['VALUES ROW(1, 2), ROW(3, 4)', 'read', 'VALUES', ''],
  ['TABLE shop.t', 'read', 'TABLE', 'shop.t'],
  ['SHOW TABLES FROM shop', 'read', 'SHOW TABLES', ''],
  ['SHOW FULL COLUMNS FROM t FROM shop', 'read', 'SHOW COLUMNS', 'shop.t'],
  ['SHOW INDEX IN shop.t', 'read', 'SHOW INDEX', 'shop.t'],
  ['SHOW CREATE TABLE `a b`.t', 'read', 'SHOW CREATE', 'a b.t'],
  ['SHOW GLOBAL STATUS LIKE "x"', 'read', 'SHOW STATUS', ''],
  ['EXPLAIN SELECT * FROM t', 'read', 'EXPLAIN', 't'],
  ['EXPLAIN FORMAT=JSON UPDATE t SET a = f(1)', 'read', 'EXPLAIN', 't'],
  ['EXPLAIN ANALYZE FORMAT=TREE SELECT * FROM t', 'read', 'EXPLAIN', 't'],
  ['DESC shop.t', 'read', 'EXPLAIN', 'shop.t'],
  ['EXPLAIN FOR CONNECTION 5', 'read', 'EXPLAIN'],
  ['ANALYZE FORMAT=JSON SELECT * FROM t', 'read', 'ANALYZE', 't'],
  ['HANDLER t READ FIRST', 'read', 'HANDLER', 't'],
  ['DO SLEEP(1)', 'read', 'DO', ''],
  ['HELP "x"', 'read', 'HELP', ''],
  ['CHECKSUM TABLE a, b', 'read', 'CHECKSUM TABLE', 'a b'],
  ['SELECT shop.price_of(1), harmless()', 'read', 'SELECT', ''],
  ['CALL shop.price_of(1)', 'read', 'CALL', ''],
  ['SET STATEMENT max_statement_time = 1 FOR SELECT * FROM t', 'read', 'SELECT', 't'],
  ['SELECT "INSERT INTO t", `DELETE`.x /* UPDATE t */ FROM s -- DROP TABLE t', 'read', 'SELECT', 's'],
  ['', 'read', '', ''],
  [' ; ;', 'read', '', ''],
  ['-- nothing', 'read', '', ''],
];

const WRITES: Row[] = [
  ['INSERT t VALUES (1)', 'write', 'INSERT', 't'],
  [
    'INSERT IGNORE INTO shop.t (a, b) VALUES (1, f(2)) ON DUPLICATE KEY UPDATE a = VALUES(a)',
    'write',
    'INSERT',
    'shop.t',
  ],
  ['INSERT INTO a SELECT * FROM b JOIN c', 'write', 'INSERT', 'a b c'],
  ['INSERT INTO a (x) WITH b AS (SELECT * FROM c) SELECT * FROM b', 'write', 'INSERT', 'a c'],
  ['REPLACE LOW_PRIORITY INTO t SET a = 1', 'write', 'REPLACE', 't'],
  ['UPDATE LOW_PRIORITY a, b.c SET a.x = 1 WHERE a.y IN (SELECT z FROM d)', 'write', 'UPDATE', 'a b.c d'],
  ['UPDATE a JOIN b ON a.x = b.x SET y = 1', 'write', 'UPDATE', 'a b'],
  ['DELETE FROM shop.t WHERE a = 1', 'write', 'DELETE', 'shop.t'],
  ['DELETE QUICK a, b.* FROM t1 AS a JOIN t2 b', 'write', 'DELETE', 't1 t2'],
  ['DELETE shop.a FROM shop.a JOIN c', 'write', 'DELETE', 'shop.a c'],
  ['DELETE FROM a USING a JOIN b USING (x)', 'write', 'DELETE', 'a b'],
  ['WITH x AS (SELECT 1) UPDATE t SET a = 1', 'write', 'UPDATE', 't'],
  ['WITH x AS (SELECT 1) DELETE FROM t', 'write', 'DELETE', 't'],
  ['TRUNCATE TABLE t', 'write', 'TRUNCATE', 't'],
  ['LOAD DATA LOCAL INFILE "x" REPLACE INTO TABLE shop.t FIELDS TERMINATED BY ","', 'write', 'LOAD DATA', 'shop.t'],
  [
    'CREATE TABLE IF NOT EXISTS a (id INT, KEY k (id), FOREIGN KEY (x) REFERENCES b.c (y))',
    'write',
    'CREATE TABLE',
    'a b.c',
  ],
  ['CREATE TEMPORARY TABLE a LIKE b.c', 'write', 'CREATE TABLE', 'a b.c'],
  ['CREATE TABLE a AS SELECT * FROM b', 'write', 'CREATE TABLE', 'a b'],
  ['CREATE OR REPLACE DEFINER = `a`@`b` SQL SECURITY INVOKER VIEW v AS SELECT * FROM t', 'write', 'CREATE VIEW', 'v t'],
  ['CREATE UNIQUE INDEX i ON shop.t (a)', 'write', 'CREATE INDEX', 'shop.t'],
  ['ALTER TABLE a ADD COLUMN b INT, RENAME COLUMN c TO d, RENAME TO e.f', 'write', 'ALTER TABLE', 'a e.f'],
  ['ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b', 'write', 'ALTER TABLE', 'a b'],
  ['DROP TABLE IF EXISTS a, b.c', 'write', 'DROP TABLE', 'a b.c'],
  ['DROP TABLES a', 'write', 'DROP TABLE', 'a'],
  ['RENAME TABLE a TO b, c.d TO e.f', 'write', 'RENAME TABLE', 'a b c.d e.f'],
  ['CREATE DATABASE shop', 'write', 'CREATE DATABASE', ''],
  ['CREATE TRIGGER x BEFORE INSERT ON t FOR EACH ROW INSERT INTO u VALUES (NEW.a)', 'write', 'CREATE TRIGGER', 't u'],
  ['CREATE PROCEDURE p() BEGIN UPDATE a SET x = 1; DELETE FROM b; END; SELECT 1', 'write', 'CREATE PROCEDURE', 'a b'],
  ['CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO DELETE FROM t', 'write', 'CREATE EVENT', 't'],
  ['BEGIN NOT ATOMIC INSERT INTO t VALUES (1); END', 'write', 'BEGIN', 't'],
  ['SELECT * FROM t INTO OUTFILE "/tmp/x"', 'write', 'SELECT', 't'],
  ['SELECT a INTO DUMPFILE "/tmp/x" FROM t', 'write', 'SELECT', 't'],
  ['SELECT f(1)', 'write', 'SELECT', ''],
  ['SELECT shop.f(1)', 'write', 'SELECT', ''],
  ['SELECT `f` (1)', 'write', 'SELECT', ''],
  ['DO f()', 'write', 'DO', ''],
  ['SET @a = f()', 'write', 'SET', ''],
  ['CALL p(1)', 'write', 'CALL', ''],
  ['SELECT NEXTVAL(shop.s)', 'write', 'SELECT', 'shop.s'],
  ['SELECT NEXT VALUE FOR s', 'write', 'SELECT', 's'],
  ['SELECT s.nextval', 'write', 'SELECT'],
  ['EXPLAIN ANALYZE DELETE FROM t', 'write', 'EXPLAIN', 't'],
  ['ANALYZE FORMAT=JSON UPDATE t SET a = 1', 'write', 'ANALYZE', 't'],
  ['SET STATEMENT max_statement_time = 1 FOR DELETE FROM t', 'write', 'DELETE', 't'],
  ['SELECT 1; DELETE FROM t', 'write', 'SELECT DELETE', 't'],
  ['BEGIN; INSERT INTO t VALUES (";"); COMMIT', 'write', 'BEGIN INSERT COMMIT', 't'],
  ['/*! DELETE */ FROM t', 'write', 'DELETE', 't'],
  ['/*!40000 DELETE FROM t */', 'write', 'DELETE', 't'],
  ['/*M!100100 DELETE FROM t */', 'write', 'DELETE', 't'],
  // What is not run may hide what is.
  ['/*!80000 EXPLAIN */ DELETE FROM t', 'write', 'EXPLAIN DELETE', 't'],
  ["PREPARE s FROM 'DELETE FROM t'; EXECUTE s", 'write', 'PREPARE EXECUTE'],
  ["EXECUTE IMMEDIATE 'DELETE FROM t'", 'write', 'EXECUTE'],
  ["BINLOG 'x'", 'write', 'BINLOG'],
];

const OTHERS: Row[] = [
  ['SET NAMES utf8mb4', 'session', 'SET', ''],
  ['SET @a = 1, @@session.b = @@global.c', 'session', 'SET', ''],
  ['SET SESSION sql_mode = "", autocommit = 0', 'session', 'SET'],
  ['SET ROLE x', 'session', 'SET'],
  ['SELECT a INTO @x FROM t', 'session', 'SELECT', 't'],
  ['SELECT GET_LOCK("x", 1)', 'session', 'SELECT', ''],
  ['USE shop', 'session', 'USE', ''],
  ["PREPARE s FROM 'DELETE FROM t'", 'session', 'PREPARE'],
  ['DEALLOCATE PREPARE s', 'session', 'DEALLOCATE'],
  ['DROP PREPARE s', 'session', 'DEALLOCATE'],
  ['BEGIN', 'transaction', 'BEGIN'],
  ['BEGIN WORK;', 'transaction', 'BEGIN'],
  ['START TRANSACTION READ ONLY', 'transaction', 'START TRANSACTION'],
  ['COMMIT AND CHAIN', 'transaction', 'COMMIT'],
  ['ROLLBACK TO SAVEPOINT a', 'transaction', 'ROLLBACK'],
  ['RELEASE SAVEPOINT a', 'transaction', 'RELEASE'],
  ['XA START "x"', 'transaction', 'XA'],
  ['SET TRANSACTION ISOLATION LEVEL READ COMMITTED', 'transaction', 'SET TRANSACTION'],
  ['SET SESSION TRANSACTION READ ONLY', 'transaction', 'SET TRANSACTION'],
  ['LOCK TABLES a READ LOCAL, b.c AS d WRITE', 'transaction', 'LOCK TABLES', 'a b.c'],
  ['UNLOCK TABLES', 'transaction', 'UNLOCK TABLES'],
  ['SELECT 1; COMMIT', 'transaction', 'SELECT COMMIT'],
  ['SET GLOBAL a = 1', 'admin', 'SET GLOBAL'],
  ['SET @x = 1, @@GLOBAL.a = 2', 'admin', 'SET GLOBAL'],
  ['SET PERSIST a = 1', 'admin', 'SET GLOBAL'],
  ['SET PASSWORD FOR a = "x"', 'admin', 'SET PASSWORD'],
  ['SET GLOBAL TRANSACTION READ ONLY', 'admin', 'SET GLOBAL'],
  ['CREATE USER a IDENTIFIED BY "x"', 'admin', 'CREATE USER', ''],
  ['GRANT SELECT ON shop.* TO a', 'admin', 'GRANT', ''],
  ['GRANT EXECUTE ON PROCEDURE shop.p TO a', 'admin', 'GRANT', 'shop.p'],
  ['ANALYZE TABLE a, b.c', 'admin', 'ANALYZE TABLE', 'a b.c'],
  ['OPTIMIZE LOCAL TABLE a', 'admin', 'OPTIMIZE LOCAL', 'a'],
  ['FLUSH TABLES a, b WITH READ LOCK', 'admin', 'FLUSH TABLES', 'a b'],
  ['LOAD INDEX INTO CACHE a, b', 'admin', 'LOAD INDEX', 'a b'],
  ['KILL 5', 'admin', 'KILL'],
  ['START REPLICA', 'admin', 'START REPLICA'],
  ['SHUTDOWN', 'admin', 'SHUTDOWN'],
  ['EXECUTE s', 'unknown', 'EXECUTE'],
  ["EXECUTE IMMEDIATE CONCAT('SEL', 'ECT 1')", 'unknown', 'EXECUTE'],
  ['PREPARE s FROM @x; EXECUTE s', 'unknown', 'PREPARE EXECUTE'],
  ['FROBNICATE t', 'unknown', 'FROBNICATE'],
  ['`SELECT` 1', 'unknown', 'UNKNOWN'],
  ['SELECT 1; FROBNICATE', 'unknown', 'SELECT FROBNICATE'],
  ['SELECT 1 /*!80000 , 2 */ /*!90000 , 3 */', 'unknown', 'SELECT'],
];

describe('SqlAnalyzer', () => {
  const rows = [...READS, ...WRITES, ...OTHERS].map((row) => ({ row, text: row[0], effect: row[1] }));
  it.each(rows)('$text: $effect', ({ row: [text, effect, verbs, tables] }) => {
    const found = analyzer.analyze(text);
    expect(found.effect).toBe(effect);
    expect(found.verbs.join(' ')).toBe(verbs);
    if (tables === undefined) return;
    expect(found.tables.map(({ schema, name }) => (schema === undefined ? name : `${schema}.${name}`)).join(' ')).toBe(
      tables,
    );
  });

  it.each([
    ['SELECT * FROM a.b, c', 'a', true],
    ['SELECT x.y.z FROM x.y', 'x', false],
    ['SELECT shop.f(a.b)', 'shop', false],
    ['SELECT f()', '', true],
    ['SELECT NOW()', '', false],
    ['CALL shop.p()', 'shop', false],
    ['USE `a b`', 'a b', false],
    ['DROP SCHEMA IF EXISTS shop', 'shop', false],
    ['SHOW TABLES IN shop', 'shop', false],
    ['SHOW CREATE DATABASE shop', 'shop', false],
    ['SHOW COLUMNS FROM t IN shop', 'shop', false],
    ['GRANT ALL ON shop.* TO a', 'shop', false],
    ['GRANT ALL ON *.* TO a', '', false],
    ['CREATE TRIGGER a.x AFTER UPDATE ON b.t FOR EACH ROW SET @x = 1', 'a,b', false],
  ])('%s names %j', (text, schemas, usesCurrentSchema) => {
    expect(analyzer.analyze(text)).toMatchObject({ usesCurrentSchema });
    expect(analyzer.analyze(text).schemas.join()).toBe(schemas);
  });

  it('takes " for quotes of names where the session does', () => {
    const context = { mode: { ...DEFAULT_MODE, ansiQuotes: true }, prepared: () => undefined };
    expect(analyzer.analyze('SELECT * FROM "a"."b"', context).tables).toEqual([{ schema: 'a', name: 'b' }]);
    expect(analyzer.analyze('SELECT "; DELETE FROM t', context).effect).toBe('read');
    expect(analyzer.analyze('SELECT "\\"; DELETE FROM t', context).effect).toBe('write');
    expect(analyzer.analyze('SELECT "\\"; DELETE FROM t').effect).toBe('read');
  });

  it('is not sure of a text of which it sees the beginning only', () => {
    expect(analyzer.analyze('SELECT * FROM t', undefined, false).effect).toBe('unknown');
    expect(analyzer.analyze('INSERT INTO t VALUES (1, ', undefined, false).effect).toBe('write');
    expect(analyzer.analyze('SELECT * FROM t').effect).toBe('read');
  });

  it('asks what was prepared before', () => {
    const context = { mode: DEFAULT_MODE, prepared: (name: string) => (name === 's' ? ('read' as const) : undefined) };
    expect(analyzer.analyze('EXECUTE S USING @a', context).effect).toBe('read');
    expect(analyzer.analyze('EXECUTE t', context).effect).toBe('unknown');
    expect(analyzer.analyze('SET @a = 1; EXECUTE s', context).effect).toBe('session');
    expect(analyzer.analyze('SET @a = 1; EXECUTE s').effect).toBe('unknown');
  });

  it('looks at one of a kind, once', () => {
    const first = analyzer.analyze('SELECT a FROM t WHERE b = 1');
    expect(analyzer.analyze('select  `a` FROM t where b = "x" -- y')).toBe(first);
    expect(analyzer.analyze('SELECT a FROM u WHERE b = 1')).not.toBe(first);
  });

  it('never throws, and says the same of what it knows and of what is new', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        const fresh = new SqlAnalyzer({ capacity: 1 });
        const found = fresh.analyze(text);
        expect(fresh.analyze(text)).toEqual(found);
        expect(found.tables.every(({ name }) => name.length >= 0)).toBe(true);
      }),
    );
  });

  it('calls what writes so whatever reads stands before and behind it', () => {
    const reads = READS.map(([text]) => text).filter((text) => !text.includes('--'));
    const writes = WRITES.map(([text]) => text);
    fc.assert(
      fc.property(fc.constantFrom(...reads), fc.constantFrom(...writes), fc.constantFrom(...reads), (a, write, b) => {
        expect(analyzer.analyze(`${a}; ${write} ; ${b}`).effect).toBe('write');
      }),
    );
  });
});
