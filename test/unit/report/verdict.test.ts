import { expect, it } from 'vitest';
import { judge } from '../../../src/report/verdict.ts';
import { ledgerOf } from './ledger-fixture.ts';

it('has nothing to say of a balanced ledger', () => {
  expect(judge(ledgerOf({ answered: 1, reset: 9 }), undefined)).toBeUndefined();
  expect(judge(ledgerOf({ answered: 999, reset: 1 }), 99.9)).toBeUndefined();
  expect(judge(ledgerOf({}), 100)).toBeUndefined();
});

it('a ledger that does not balance comes first', () => {
  const ledger = ledgerOf({ reset: 3 });
  ledger.unitsOpened++;
  const error = judge(ledger, 100)!;
  expect(error.code).toBe('E_LEDGER');
  expect(error.message).toContain('requests 4 opened, 3 settled');
});

it('too little delivered, never rounded up to what was asked for', () => {
  const error = judge(ledgerOf({ answered: 9_999_999, reset: 1, filtered: 7 }), 100)!;
  expect(error.oneLine()).toBe(
    '--min-fidelity 100: 99.999 % of the requests reached the target (1 of 10,000,000 did not); ' +
      'the summary names the reasons [E_FIDELITY]',
  );
});
