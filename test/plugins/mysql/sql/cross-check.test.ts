/** Where strings, quoted names and comments are: as CodeMirror's reader of SQL sees it, set to this dialect. */
import { SQLDialect } from '@codemirror/lang-sql';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { DEFAULT_MODE } from '../../../../plugins/mysql/sql/mode.ts';
import { BLANK, COMMENT, QUOTED, SqlScanner, STRING } from '../../../../plugins/mysql/sql/scanner.ts';
import { SQL_PIECES } from './sql-texts.ts';

const dialect = SQLDialect.define({
  backslashEscapes: true,
  hashComments: true,
  spaceAfterDashes: true,
  doubleQuotedStrings: true,
  identifierQuotes: '`',
  operatorChars: '*+-%<>!=&|^/',
});

/**
 * What it does not read as MySQL does: comments that are run, `x'1F'`, `@'v'` and `?'` otherwise, bytes that are no characters, `--` in
 * front of a newline, and comments right behind an operator.
 */
const BEYOND = /[\w$@?ä\xff]['"`]|\/\*[!M]|\0|--(?! |[^\n-])|[*+\-%<>!=&|^/](?:\/\*|--)/;

const text = fc
  .array(fc.tuple(fc.constantFrom(...SQL_PIECES), fc.constantFrom(' ', '\n', '')), { maxLength: 40 })
  .map((pieces) => pieces.flat().join(''));

function ours(of: string): string {
  const scanner = new SqlScanner(of, DEFAULT_MODE);
  let marks = '';
  while (scanner.next()) {
    const { kind } = scanner;
    const mark = kind === STRING ? 's' : kind === QUOTED ? 'q' : kind === COMMENT ? 'c' : kind === BLANK ? ' ' : '.';
    marks += mark.repeat(scanner.end - scanner.start);
  }
  return withoutNewlines(of, marks);
}

function theirs(of: string): string {
  const marks: string[] = [...of].map((c) => (/[ \n]/.test(c) ? ' ' : '.'));
  dialect.language.parser.parse(of).iterate({
    enter({ name, from, to }) {
      const mark =
        name === 'String' ? 's' : name === 'QuotedIdentifier' ? 'q' : /Comment$/.test(name) ? 'c' : undefined;
      if (mark !== undefined) marks.fill(mark, from, to);
    },
  });
  return withoutNewlines(of, marks.join(''));
}

/** Whether the end of a line is part of the comment in it is a matter of taste. */
function withoutNewlines(of: string, marks: string): string {
  return [...marks].map((mark, i) => (of[i] === '\n' && mark === 'c' ? ' ' : mark)).join('');
}

it('finds strings, quoted names and comments where another reader does', () => {
  fc.assert(
    fc.property(text, (of) => {
      fc.pre(!BEYOND.test(of));
      expect(ours(of)).toBe(theirs(of));
    }),
    { numRuns: 2_000 },
  );
});
