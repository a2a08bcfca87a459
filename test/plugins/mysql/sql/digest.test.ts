import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { digestOf, digestText, LONGEST_DIGEST } from '../../../../plugins/mysql/sql/digest.ts';
import { DEFAULT_MODE } from '../../../../plugins/mysql/sql/mode.ts';
import { SqlTokens } from '../../../../plugins/mysql/sql/tokens.ts';
import { sqlText } from './sql-texts.ts';

function digest(text: string): string {
  const tokens = new SqlTokens(text, DEFAULT_MODE);
  return digestText(tokens, 0, tokens.count).text;
}

describe('digestText', () => {
  it.each([
    ['select  1', 'SELECT ?'],
    ["SELECT 'a', N'b', x'00', 0x1F, 1.5e3, ?, NULL", 'SELECT ?, ?, ?, ?, ?, ?, ?'],
    ['SELECT -1, a - 1, a-(-2), +3', 'SELECT ?, a - ?, a - (?), ?'],
    [
      'SELECT a FROM t WHERE b IS NULL AND c IS NOT NULL AND d = NULL',
      'SELECT a FROM t WHERE b IS NULL AND c IS NOT NULL AND d = ?',
    ],
    ['select /* x */ `a` -- y\n from `b c`.`select` # z', 'SELECT a FROM `b c`.`select`'],
    ['select a from t where b in (1) and c IN (1, 2,3)', 'SELECT a FROM t WHERE b IN (...) AND c IN (...)'],
    ['select a from t where (b, c) in ((1,2),(3,4))', 'SELECT a FROM t WHERE (b, c) IN (...)'],
    ['select a from t where b in (select c from d)', 'SELECT a FROM t WHERE b IN (SELECT c FROM d)'],
    ['insert into t (a,b) values (1,2),(3,4)', 'INSERT INTO t(a, b) VALUES (...)'],
    ['insert into t values (1,now()),(2, NOW() ), (3,default)', 'INSERT INTO t VALUES (?, NOW()), (?, DEFAULT)'],
    [
      'insert into t values () on duplicate key update a=values(a)+1',
      'INSERT INTO t VALUES () ON DUPLICATE KEY UPDATE a = VALUES (a) + ?',
    ],
    ['select count(*), f(1) from t;', 'SELECT COUNT(*), f(?) FROM t;'],
    ["grant select on *.* to 'a'@'b'", 'GRANT SELECT ON *.* TO ?@?'],
    ['set @a := 1, @@session.b=2', 'SET @a := ?, @@session.b = ?'],
    ['/*!40101 set names utf8 */', 'SET names utf8'.replace('names', 'NAMES')],
    ['', ''],
  ])('%s', (text, wanted) => {
    expect(digest(text)).toBe(wanted);
  });

  it('is read as what it stands for', () => {
    fc.assert(
      fc.property(sqlText, (text) => {
        const once = digest(text);
        // Names with odd characters are quoted, so that they read back; the dots of a list do not.
        if (!once.includes('...') && !/[^\x20-\x7e]/.test(once)) expect(digest(once)).toBe(digest(digest(once)));
      }),
    );
  });

  it('is of modest size, whatever the text', () => {
    const text = `SELECT ${Array.from({ length: 10_000 }, (_, i) => `a${i}`).join(', ')}`;
    const tokens = new SqlTokens(text, DEFAULT_MODE);
    const { text: cut, cut: isCut } = digestText(tokens, 0, tokens.count);
    expect(isCut).toBe(true);
    expect(cut.length).toBeLessThan(LONGEST_DIGEST * 2);
  });

  it('has a short hash that stays the same', () => {
    expect(digestOf('SELECT ?')).toBe('66cbb3a40d4bbd15');
  });
});
