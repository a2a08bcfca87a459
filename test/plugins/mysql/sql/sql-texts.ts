/** Texts made of what means something in SQL, whole and broken. */
import fc from 'fast-check';

export const SQL_PIECES = [
  ...'SELECT FROM WHERE INSERT INTO VALUES UPDATE SET DELETE WITH AS JOIN ON CREATE TABLE PROCEDURE BEGIN END CALL USE'.split(
    ' ',
  ),
  ...'EXPLAIN ANALYZE SHOW COLUMNS PREPARE EXECUTE IMMEDIATE FOR OUTFILE GLOBAL NULL IN NOT DROP GRANT DATABASE'.split(
    ' ',
  ),
  ...[
    'a',
    'b',
    'shop',
    't1',
    '1a',
    'ä',
    '\xff',
    '`c d`',
    '`',
    '``',
    "'x'",
    "'",
    "''",
    "\\'",
    '"y"',
    '"',
    '\\',
    '1',
    '1.5',
    '0x1F',
    '.5',
    '.',
  ],
  ...[
    '(',
    ')',
    ',',
    ';',
    '*',
    '=',
    '?',
    '@v',
    '@@global',
    '@',
    '-',
    '--',
    '-- ',
    '#',
    '\n',
    ' ',
    '/*',
    '*/',
    '/*!',
    '/*!80000 ',
    '/*M!',
    '/',
    '\0',
    '{',
    '}',
  ],
];

export const sqlText = fc
  .array(fc.tuple(fc.constantFrom(...SQL_PIECES), fc.constantFrom(' ', ' ', '')), { maxLength: 40 })
  .map((pieces) => pieces.flat().join(''));
