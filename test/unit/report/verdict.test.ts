import { expect, it } from 'vitest';
import { judge } from '../../../src/report/verdict.ts';
import { ledgerOf } from './ledger-fixture.ts';

it('has nothing to say of a balanced ledger', () => {
  expect(judge(ledgerOf({ answered: 1, reset: 9 }), undefined, true)).toBeUndefined();
  expect(judge(ledgerOf({ answered: 999, reset: 1 }), 99.9, true)).toBeUndefined();
  expect(judge(ledgerOf({}), 100, false)).toBeUndefined();
  expect(judge(ledgerOf({}), undefined, true)).toBeUndefined();
  expect(judge(ledgerOf({ filtered: 3 }), 100, true)).toBeUndefined();
});

it('a ledger that does not balance comes first', () => {
  const ledger = ledgerOf({ reset: 3 });
  ledger.unitsOpened++;
  const error = judge(ledger, 100, true)!;
  expect(error.code).toBe('E_LEDGER');
  expect(error.message).toContain('requests 4 opened, 3 settled');
});

it('too little delivered, never rounded up to what was asked for', () => {
  const error = judge(ledgerOf({ answered: 9_999_999, reset: 1, filtered: 7 }), 100, true)!;
  expect(error.oneLine()).toBe(
    '--min-fidelity 100: 99.999 % of the requests reached the target (1 of 10,000,000 did not); ' +
      'the summary names the reasons [E_FIDELITY]',
  );
});

it('a share asked for of a recording that has nothing to copy', () => {
  expect(judge(ledgerOf({}), 0.1, true)!.oneLine()).toBe(
    '--min-fidelity 0.1: there was no request to copy in the recording; see that -x and -F select the right server: ' +
      'tcpcopy inspect lists what is in it [E_FIDELITY]',
  );
});

it('nothing at all delivered of a recording', () => {
  const refused = ledgerOf({ refused: 12, 'sampled-out': 3, 'capture-gap': 2 });
  expect(judge(refused, undefined, true)!.oneLine()).toBe(
    'not one of 12 requests reached the target; the summary names the reasons [E_FIDELITY]',
  );
  expect(judge(refused, undefined, false)).toBeUndefined();
  expect(judge(ledgerOf({ 'sampled-out': 3, 'capture-gap': 2 }), undefined, true)).toBeUndefined();
  expect(judge(ledgerOf({ refused: 12, unanswered: 1 }), undefined, true)).toBeUndefined();
});
