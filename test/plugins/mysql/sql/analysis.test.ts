import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODE, SqlAnalyzer } from '../../../../plugins/mysql/sql/index.ts';
import { sqlText } from './sql-texts.ts';
import { OTHERS, READS, WRITES } from './statements.ts';

const analyzer = new SqlAnalyzer({
  capacity: 100,
  readsOnly: (schema, name) => `${schema ?? ''}.${name}` === 'shop.price_of' || name === 'harmless',
});

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
    const known = { effect: 'read', verbs: ['SELECT'] } as const;
    const context = { mode: DEFAULT_MODE, prepared: (name: string) => (name === 's' ? known : undefined) };
    expect(analyzer.analyze('EXECUTE S USING @a', context).effect).toBe('read');
    expect(analyzer.analyze('EXECUTE t', context).effect).toBe('unknown');
    expect(analyzer.analyze('SET @a = 1; EXECUTE s', context).effect).toBe('session');
    expect(analyzer.analyze('SET @a = 1; EXECUTE s').effect).toBe('unknown');
    expect(analyzer.analyze('EXECUTE s', context).preparedVerbs).toEqual(['SELECT']);
  });

  it.each<[string, string[] | undefined]>([
    ['SELECT 1', []],
    ["PREPARE s FROM 'KILL 5'", ['KILL']],
    ["PREPARE s FROM 'SELECT 1'; EXECUTE s", ['SELECT']],
    ["EXECUTE IMMEDIATE 'SET GLOBAL a = ?' USING 1", ['SET GLOBAL']],
    ["EXECUTE IMMEDIATE 'EXECUTE IMMEDIATE ''SHUTDOWN'''", ['EXECUTE', 'SHUTDOWN']],
    ["SET STATEMENT max_statement_time = 1 FOR EXECUTE IMMEDIATE 'KILL 5'", ['KILL']],
    ["SET STATEMENT max_statement_time = 1 FOR PREPARE s FROM 'KILL 5'; EXECUTE s", ['KILL']],
    ["EXECUTE IMMEDIATE 'KI' 'LL 5'", undefined],
    ["EXECUTE IMMEDIATE CONCAT('KILL ', 5)", undefined],
    ['EXECUTE IMMEDIATE @a', undefined],
    ["EXECUTE IMMEDIATE 'EXECUTE s'", undefined],
    ["PREPARE s FROM @a; EXECUTE IMMEDIATE 'KILL 5'", undefined],
    ['EXECUTE s', undefined],
    ['DEALLOCATE PREPARE s', []],
    ['DROP PREPARE s', []],
  ])('knows what is prepared and carried out by %s', (text, verbs) => {
    expect(analyzer.analyze(text).preparedVerbs).toEqual(verbs);
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
