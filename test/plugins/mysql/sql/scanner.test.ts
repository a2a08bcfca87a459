import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_MODE, everybodyRuns, multiByteOf, multiByteOfCollation } from '../../../../plugins/mysql/sql/mode.ts';
import { SqlScanner } from '../../../../plugins/mysql/sql/scanner.ts';
import { SqlTokens } from '../../../../plugins/mysql/sql/tokens.ts';
import { sqlText } from './sql-texts.ts';

const KINDS = [
  'blank',
  'comment',
  'open',
  'close',
  'word',
  'quoted',
  'string',
  'number',
  'variable',
  'parameter',
  'sign',
];
const ANSI = { ...DEFAULT_MODE, ansiQuotes: true };
const NO_ESCAPES = { ...DEFAULT_MODE, noBackslashEscapes: true };

/** What is no blank, each with its kind. */
function scan(text: string, mode = DEFAULT_MODE, runs?: typeof everybodyRuns): string[] {
  const scanner = new SqlScanner(text, mode, runs);
  const found: string[] = [];
  while (scanner.next()) {
    if (scanner.kind > 0) found.push(`${KINDS[scanner.kind]} ${text.slice(scanner.start, scanner.end)}`);
  }
  return found;
}

describe('SqlScanner', () => {
  it.each([
    ['a1 _b $c 1a', ['word a1', 'word _b', 'word $c', 'word 1a']],
    ['tä.x', ['word tä', 'sign .', 'word x']],
    ['`a``b` ` c', ['quoted `a``b`', 'quoted ` c']],
    [`'a''b' 'a\\'b' '\\\\' 'x`, ["string 'a''b'", "string 'a\\'b'", "string '\\\\'", "string 'x"]],
    ['"a""b" "c\\"d"', ['string "a""b"', 'string "c\\"d"']],
    ['`a\\`', ['quoted `a\\`']],
    [
      `N'x' n'y' x'1F' X'' b'01' _utf8'z'`,
      ["string N'x'", "string n'y'", "number x'1F'", "number X''", "number b'01'", 'word _utf8', "string 'z'"],
    ],
    [
      '0x1F 0b01 0xg 0b2 1 1.5 .5 1. 1e5 1E-5 1e 1e5x',
      [
        'number 0x1F',
        'number 0b01',
        'word 0xg',
        'word 0b2',
        'number 1',
        'number 1.5',
        'number .5',
        'number 1.',
        'number 1e5',
        'number 1E-5',
        'word 1e',
        'word 1e5x',
      ],
    ],
    // Behind a name and a full stop everything is a name.
    [
      't.1a t.2 t .5 t.select',
      [
        'word t',
        'sign .',
        'word 1a',
        'word t',
        'sign .',
        'word 2',
        'word t',
        'number .5',
        'word t',
        'sign .',
        'word select',
      ],
    ],
    [
      "@a @`b c` @'d' @@global.e @a.b @",
      [
        'variable @a',
        'variable @`b c`',
        "variable @'d'",
        'variable @@global',
        'sign .',
        'word e',
        'variable @a.b',
        'variable @',
      ],
    ],
    ["'root'@'localhost' root@10.0.0.1", ["string 'root'", "variable @'localhost'", 'word root', 'variable @10.0.0.1']],
    [
      'a<=>b->>c:=d!=e||f?',
      [
        'word a',
        'sign <=>',
        'word b',
        'sign ->>',
        'word c',
        'sign :=',
        'word d',
        'sign !=',
        'word e',
        'sign ||',
        'word f',
        'parameter ?',
      ],
    ],
    ['a # b\nc', ['word a', 'comment # b\n', 'word c']],
    ['a -- b\nc --', ['word a', 'comment -- b\n', 'word c', 'comment --']],
    ['a--b --\tc', ['word a', 'sign -', 'sign -', 'word b', 'comment --\tc']],
    ["/* a'b */ /**/ /*+ c */ /* d", ["comment /* a'b */", 'comment /**/', 'comment /*+ c */', 'comment /* d']],
    ['/*! a */ b', ['open /*!', 'word a', 'close */', 'word b']],
    [
      '/*!50000 a*/ /*!050000a*/ /*!500 a*/',
      [
        'open /*!50000',
        'word a',
        'close */',
        'open /*!050000',
        'word a',
        'close */',
        'open /*!',
        'number 500',
        'word a',
        'close */',
      ],
    ],
    ['/*M!100100 a */ a */ b', ['open /*M!100100', 'word a', 'close */', 'word a', 'sign *', 'sign /', 'word b']],
    ['/*! a /* b */ c */ d', ['open /*!', 'word a', 'comment /* b */', 'word c', 'close */', 'word d']],
    ['\0a\x01', ['sign \0', 'word a', 'sign \x01']],
  ])('%j', (text, tokens) => {
    expect(scan(text)).toEqual(tokens);
  });

  it('reads quotes as the session has them', () => {
    expect(scan('"a\\" b', ANSI)).toEqual(['quoted "a\\"', 'word b']);
    expect(scan(`'a\\' b`, NO_ESCAPES)).toEqual(["string 'a\\'", 'word b']);
  });

  it('skips comments that a server does not run, with those in them', () => {
    expect(scan('/*!80000 a /* b */ c */ d', DEFAULT_MODE, everybodyRuns)).toEqual([
      'comment /*!80000 a /* b */ c */',
      'word d',
    ]);
    expect(scan('/*M! a */ /*!40101 b */', DEFAULT_MODE, everybodyRuns)).toEqual([
      'comment /*M! a */',
      'open /*!40101',
      'word b',
      'close */',
    ]);
  });

  it.each([
    ['gbk', "'\x95\x5c' OR"],
    ['gbk', '`\x95\x60` OR'],
    ['sjis', "'\x83\x5c' OR"],
    ['big5', "'\xa5\x5c' OR"],
  ])('knows characters of %s that end like a quote or a backslash', (charset, text) => {
    const mode = { ...DEFAULT_MODE, multiByte: multiByteOf(charset) };
    expect(scan(text, mode).at(-1)).toBe('word OR');
    expect(scan(text)).not.toContain('word OR');
    expect(scan('\x95\x5c OR', mode)).toHaveLength(charset === 'big5' ? 3 : 2);
  });

  it('knows them by the collation of a login, too', () => {
    expect(multiByteOfCollation(28)).toBe(multiByteOf('gbk'));
    expect(multiByteOfCollation(45)).toBeUndefined();
  });

  it('gives tokens that are the text, whatever it is', () => {
    fc.assert(
      fc.property(sqlText, fc.boolean(), fc.boolean(), (text, ansiQuotes, noBackslashEscapes) => {
        const mode = { ansiQuotes, noBackslashEscapes, multiByte: undefined };
        const scanner = new SqlScanner(text, mode, everybodyRuns);
        let end = 0;
        while (scanner.next()) {
          expect(scanner.start).toBe(end);
          expect(scanner.end).toBeGreaterThan(end);
          end = scanner.end;
        }
        expect(end).toBe(text.length);
      }),
    );
  });
});

describe('SqlTokens', () => {
  it('gives names and strings without quotes', () => {
    const tokens = new SqlTokens("`a``b` 'it''s\\n\\'x\\'' N'\\%' @`v` \"q\"\"r\"", DEFAULT_MODE);
    expect(tokens.name(0)).toBe('a`b');
    expect(tokens.string(1)).toBe("it's\n'x'");
    expect(tokens.string(2)).toBe('%');
    expect(tokens.name(3)).toBe('v');
    expect(tokens.string(4)).toBe('q"r');
  });

  it('knows keywords, but not behind a full stop', () => {
    expect(new SqlTokens('Select t.select', DEFAULT_MODE).words).toEqual(['SELECT', '', '.', '']);
  });
});
