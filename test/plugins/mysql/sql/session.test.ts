import { describe, expect, it } from 'vitest';
import { SqlAnalyzer, SqlSession } from '../../../../plugins/mysql/sql/index.ts';
import { multiByteOf } from '../../../../plugins/mysql/sql/mode.ts';

const analyzer = new SqlAnalyzer({ capacity: 100 });

/** A session that has seen `texts`, and the schema chosen last. */
function after(...texts: readonly string[]): { session: SqlSession; schema: string | undefined } {
  const session = new SqlSession();
  let schema: string | undefined;
  for (const text of texts) {
    expect(SqlSession.concerns(text)).toBe(true);
    schema = session.follow(text, analyzer.analyze(text, session)) ?? schema;
  }
  return { session, schema };
}

describe('SqlSession', () => {
  it.each([
    ['USE shop', 'shop'],
    ['/* x */ use `a b` ;', 'a b'],
    ['SELECT 1; USE shop; SELECT 2', 'shop'],
    ["SET @a = 'USE shop'", undefined],
  ])('%s chooses %s', (text, schema) => {
    expect(after(text).schema).toBe(schema);
  });

  it.each([
    ["SET sql_mode = 'ANSI_QUOTES'", true, false],
    ["SET NAMES utf8, SESSION sql_mode = 'STRICT_ALL_TABLES,ANSI'", true, false],
    ["SET @@sql_mode := 'no_backslash_escapes'", false, true],
    ["SET @@session.sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES')", true, false],
    ['SET sql_mode = ANSI_QUOTES', true, false],
    ['SET sql_mode = 1048580', true, true],
    ["SET GLOBAL sql_mode = 'ANSI_QUOTES'", false, false],
    ["SET @@global.sql_mode = 'ANSI_QUOTES'", false, false],
    ["SET @sql_mode = 'ANSI_QUOTES'", false, false],
    ["SET other = 'ANSI_QUOTES'", false, false],
    ["/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='ANSI' */", true, false],
  ])('%s', (text, ansiQuotes, noBackslashEscapes) => {
    expect(after(text).session.mode).toMatchObject({ ansiQuotes, noBackslashEscapes });
  });

  it('goes back to what it began with', () => {
    expect(after("SET sql_mode = 'ANSI'", "SET sql_mode = ''").session.mode.ansiQuotes).toBe(false);
    expect(after("SET sql_mode = 'ANSI'", 'SET SQL_MODE=@OLD_SQL_MODE').session.mode.ansiQuotes).toBe(false);
    expect(after("SET sql_mode = 'ANSI'", 'SET NAMES gbk').session.mode.ansiQuotes).toBe(true);
  });

  it.each([
    'SET NAMES gbk',
    "SET NAMES 'gbk'",
    'SET CHARACTER SET GBK',
    'SET character_set_client = gbk',
    'SET CHARSET gbk',
  ])('%s', (text) => {
    expect(after(text).session.mode.multiByte).toBe(multiByteOf('gbk'));
    expect(after(text, 'SET NAMES utf8mb4').session.mode.multiByte).toBeUndefined();
  });

  it('begins with the character set of the login', () => {
    expect(new SqlSession(28).mode.multiByte).toBe(multiByteOf('gbk'));
  });

  it('remembers what was prepared', () => {
    const { session } = after(
      "PREPARE S FROM 'DELETE FROM t'",
      "PREPARE r FROM 'SELECT 1'",
      'PREPARE u FROM @x',
      "SET @a = 1; PREPARE v FROM 'CALL p()'",
    );
    expect(['s', 'r', 'u', 'v', 'w'].map((name) => session.prepared(name)?.effect)).toEqual([
      'write',
      'read',
      'unknown',
      'write',
      undefined,
    ]);
  });

  it('need not look at what is ordinary', () => {
    expect(SqlSession.concerns('SELECT * FROM t WHERE a = 1 ;\n')).toBe(false);
    expect(SqlSession.concerns(' insert into t values (1)')).toBe(false);
    expect(SqlSession.concerns('SELECT 1; USE x')).toBe(true);
    expect(SqlSession.concerns('/* a */ SELECT 1')).toBe(true);
  });
});
