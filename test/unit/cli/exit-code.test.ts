import { expect, it } from 'vitest';
import { errorLine, exitCodeOf } from '../../../src/cli/exit-code.ts';
import { ERROR_CODES, TcpcopyError, type ErrorCode } from '../../../src/core/errors.ts';

const codes = Object.keys(ERROR_CODES) as ErrorCode[];

it('before the start everything that a person can mend is bad use', () => {
  for (const code of codes) {
    const judged = code === 'E_LEDGER' || code === 'E_FIDELITY';
    expect(exitCodeOf(new TcpcopyError(code, 'x'), false), code).toBe(judged ? 1 : 2);
  }
});

it('after it, only what was wrong all along', () => {
  const badUse = codes.filter((code) => exitCodeOf(new TcpcopyError(code, 'x'), true) === 2);
  expect(badUse.toSorted()).toEqual([
    'E_ALREADY_RUNNING',
    'E_CLIENT_ADDRESS',
    'E_FILTER',
    'E_MAPPING',
    'E_OPTION',
    'E_USAGE',
  ]);
});

it('what nobody foresaw is a failure at any time', () => {
  expect(exitCodeOf(new Error('x'), false)).toBe(1);
  expect(exitCodeOf('x', true)).toBe(1);
});

it('whatever is thrown becomes one line', () => {
  expect(errorLine(new TcpcopyError('E_FILE', 'a\n  b', { where: 'c' }))).toBe('c: a b [E_FILE]');
  expect(errorLine(new Error('a\nb'))).toMatch(/^internal error: a b; run again with --debug .*, and report it$/);
  expect(errorLine(new RangeError(), true)).toBe('internal error: RangeError; report it');
  expect(errorLine(undefined)).toContain('internal error: undefined');
});
