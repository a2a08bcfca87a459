import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { statusOf } from '../../../src/replay/status.ts';
import type { RunFacts } from '../../../src/report/run-facts.ts';
import { FACTS, ledgerOf } from '../report/ledger-fixture.ts';

const status = (facts: Partial<RunFacts> = {}) =>
  statusOf(() => ({ ledger: ledgerOf({ answered: 3 }), facts: { ...FACTS, endedBy: undefined, ...facts } }));
const [INTERCEPT] = FACTS.intercepts;

describe('what is told of a run', () => {
  it('is the summary for machines, without an end', () => {
    expect(status().figures()).toMatchObject({ exitCode: null, endedBy: null, requests: { delivered: 3 } });
  });

  it('is what is so when it is asked for', () => {
    let asked = 0;
    const told = statusOf(() => ({ ledger: ledgerOf({}), facts: { ...FACTS, elapsed: seconds(++asked) } }));
    const uptime = (): number =>
      told.metrics().find(({ name }) => name === 'tcpcopy_uptime_seconds')!.samples[0]!.value;
    expect([uptime(), uptime()]).toEqual([1, 2]);
  });

  it('is trouble where no intercept is left, or the run has failed', () => {
    const away = { ...INTERCEPT!, connected: false };
    expect(status().trouble()).toBeUndefined();
    expect(status({ intercepts: [] }).trouble()).toBeUndefined();
    expect(status({ intercepts: [away, INTERCEPT!] }).trouble()).toBeUndefined();
    expect(status({ intercepts: [away, away] }).trouble()).toBe('no intercept is connected');
    expect(status({ endedBy: 'failed' }).trouble()).toContain('failed');
  });
});
