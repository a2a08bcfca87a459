// Invariant: whatever the text, and wherever it is cut off: its tokens are the text; strings, names in quotes and comments are
// where a dull reader finds them; what it says it does is never less than what a part of it does; renaming nothing changes
// nothing, and a name that nobody else has can be taken back.
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODE, mapSchemas, SqlAnalyzer, SqlSession } from '../../plugins/mysql/sql/index.ts';
import { QUOTED, COMMENT, SqlScanner, STRING, VARIABLE } from '../../plugins/mysql/sql/scanner.ts';
import { SQL_PIECES } from '../plugins/mysql/sql/sql-texts.ts';
import { pick, repeat, type Random } from '../support/codec-fuzzing.ts';
import { fuzzRuns } from '../support/fuzzing.ts';

/** Inputs in all, in an ordinary run. */
const RUNS = 30_000;

const STATEMENTS = [
  'SELECT a, shop.t.b FROM shop.t JOIN `x y`.u AS v ON t.a = v.a WHERE c IN (1, 2) AND d = "e"',
  "INSERT INTO shop.t (a, b) VALUES (1, 'it''s'), (2, 'x\\'y') ON DUPLICATE KEY UPDATE a = VALUES(a)",
  'UPDATE shop.t, u SET a = a + 1 WHERE b = (SELECT MAX(c) FROM shop.v)',
  'DELETE a, b.* FROM shop.a JOIN b USING (id)',
  'WITH RECURSIVE c (n) AS (SELECT 1 UNION SELECT n + 1 FROM c), d AS (SELECT * FROM c) SELECT * FROM d',
  'CREATE PROCEDURE shop.p (IN a INT) BEGIN IF a THEN UPDATE t SET b = 1; END IF; SELECT 2; END',
  "PREPARE s FROM 'SELECT * FROM shop.t WHERE a = ?'",
  'EXECUTE s USING @a',
  "SET NAMES gbk, sql_mode = CONCAT(@@sql_mode, ',ANSI_QUOTES'), @x := 1",
  'SHOW FULL COLUMNS FROM t FROM shop',
  'EXPLAIN ANALYZE FORMAT = TREE DELETE FROM shop.t',
  'GRANT SELECT, EXECUTE ON PROCEDURE shop.p TO "u"@"h"',
  '/*!40101 SET @OLD = @@SQL_MODE */; /*M!100100 DROP TABLE t */ -- end\n# more',
  'USE shop',
];

function makeText(random: Random): string {
  let text = Array.from({ length: 1 + random() * 3 }, () => pick(random, STATEMENTS)).join(
    pick(random, ['; ', ';', '\n', ' ']),
  );
  const damages = random() < 0.2 ? 0 : random() * 6;
  for (let n = 0; n < damages; n++) {
    const at = Math.floor(random() * text.length);
    const piece = random() < 0.2 ? String.fromCharCode(random() * 256) : pick(random, SQL_PIECES);
    text = text.slice(0, at) + piece + text.slice(at + Math.floor(random() * 8));
  }
  return random() < 0.3 ? text.slice(0, random() * text.length) : text;
}

/** Strings, names in quotes, comments; what else there is, a character each. */
const DULL =
  /'(?:[^'\\]|\\[^]|'')*(?:'|\\?$)|"(?:[^"\\]|\\[^]|"")*(?:"|\\?$)|`(?:[^`]|``)*(?:`|$)|(?:#|--(?=[\0-\x20\x7f]|$))[^\n]*\n?|\/\*(?!M?!)[^]*?(?:\*\/|$)|[^]/g;
/** What it does not know: literals whose end is found in another way, and the end of a comment that is run. */
const BEYOND_DULL = /[xXbB]'|\*\/\*/;

function dullSpans(text: string): string[] {
  return [...text.matchAll(DULL)]
    .filter(([found]) => found.length > 1 || /['"`#]/.test(found))
    .map(({ 0: found, index }) => `${index}-${index + found.length}`);
}

function spans(text: string): string[] {
  const scanner = new SqlScanner(text, DEFAULT_MODE);
  const found: string[] = [];
  let end = 0;
  while (scanner.next()) {
    if (scanner.start !== end || scanner.end <= end) throw new Error(`not the text at ${end}`);
    end = scanner.end;
    const { kind, start } = scanner;
    // N'…' and @'…' begin before their quotes.
    const from = start + text.slice(start).search(/['"`]|$/);
    const quoted = kind === STRING || kind === QUOTED || (kind === VARIABLE && from < end);
    if (quoted) found.push(`${from}-${end}`);
    else if (kind === COMMENT) found.push(`${start}-${end}`);
  }
  expect(end).toBe(text.length);
  return found;
}

describe('SQL', { timeout: 3_600_000 }, () => {
  it('has strings and comments where a dull reader finds them', () => {
    let compared = 0;
    repeat(RUNS * 0.4, (random) => {
      const text = makeText(random);
      const found = spans(text);
      if (BEYOND_DULL.test(text)) return;
      expect({ text, found }).toEqual({ text, found: dullSpans(text) });
      compared += found.length;
    });
    expect(compared).toBeGreaterThan(fuzzRuns(RUNS * 0.3));
  });

  it('is never said to do less than a part of it does', () => {
    const analyzer = new SqlAnalyzer({ capacity: 100 });
    let writes = 0;
    repeat(RUNS * 0.3, (random) => {
      const text = makeText(random);
      const session = new SqlSession();
      const found = analyzer.analyze(text, session);
      session.follow(text, found);
      expect(new SqlAnalyzer({ capacity: 1 }).analyze(text)).toEqual(found);
      // Only a comment, a string or a routine that is not closed takes what follows into itself.
      if (found.effect !== 'write') return;
      writes++;
      expect(analyzer.analyze(`SELECT 1; ${text}`).effect).toBe('write');
      expect(analyzer.analyze(text, undefined, false).effect).toBe('write');
    });
    expect(writes).toBeGreaterThan(fuzzRuns(RUNS * 0.05));
  });

  it('keeps everything but the names that change', () => {
    let changed = 0;
    repeat(RUNS * 0.3, (random) => {
      const text = makeText(random);
      expect(mapSchemas(text, DEFAULT_MODE, (name) => name)).toBe(text);
      const there = mapSchemas(text, DEFAULT_MODE, (name) => (name === 'shop' ? 'nobodys' : undefined));
      if (there !== text) changed++;
      const back = mapSchemas(there, DEFAULT_MODE, (name) => (name === 'nobodys' ? 'shop' : undefined));
      // What PREPARE is given is written anew.
      if (!/PREPARE|IMMEDIATE/i.test(text)) expect(back).toBe(text);
    });
    expect(changed).toBeGreaterThan(fuzzRuns(RUNS * 0.05));
  });
});
