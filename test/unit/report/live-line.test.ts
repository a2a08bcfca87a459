import { describe, expect, it } from 'vitest';
import { instant, seconds } from '../../../src/core/time.ts';
import { LiveLine } from '../../../src/report/live-line.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

function setUp(options: { columns?: number; interval?: number } = {}) {
  const shown: string[] = [];
  const live = options.columns === undefined ? undefined : (text: string) => void shown.push(text);
  const env = { stdout: (line: string) => void shown.push(`line: ${line}`), liveLine: live, columns: options.columns };
  return { shown, line: new LiveLine(env, seconds(options.interval ?? 10)) };
}

describe('on a terminal', () => {
  it('shows rates since the last line, shares of what is settled, and losses', () => {
    const { shown, line } = setUp({ columns: 120 });
    const ledger = ledgerOf({ answered: 3000, reset: 1000 });
    line.show(instant(0), ledger, { ...FACTS, elapsed: seconds(2) });
    ledger.unitsOpened += 30;
    line.show(instant(0), ledger, { ...FACTS, elapsed: seconds(5) });
    expect(shown).toEqual([
      '00:00:02  2,000 requests/s  75.00 % copied  1,000 lost  3 sessions  3,000 sent  delay 400 µs',
      '00:00:05  10 requests/s  75.00 % copied  1,000 lost  30 under way  3 sessions  3,000 sent  delay 400 µs',
    ]);
  });

  it('shows what goes wrong before what goes well', () => {
    const { shown, line } = setUp({ columns: 120 });
    const ledger = ledgerOf({ answered: 1 });
    ledger.kernelDropped = 5;
    const down = { address: 'b:1', connected: false, outages: [] };
    line.show(instant(0), ledger, { ...FACTS, intercepts: [...FACTS.intercepts, down] });
    line.show(instant(0), ledger, { ...FACTS, intercepts: [down] });
    expect(shown[0]).toContain('copied  1 intercept down  5 frames dropped by the kernel  0 lost');
    expect(shown[1]).toContain('NO INTERCEPT');
  });

  it('shows what is the matter on 80 columns', () => {
    const { shown, line } = setUp({ columns: 80 });
    const ledger = ledgerOf({ answered: 4_000, shed: 3_000 });
    const governor = { share: 0.01, reason: 'target-failing', reasons: [], spells: 1, time: seconds(1) } as const;
    line.show(instant(0), ledger, { ...FACTS, governor });
    expect(shown[0]).toBe('00:00:10  700 requests/s  57.14 % copied  SHEDDING 99.00 % (target-failing)');
  });

  it('leaves pieces out rather than break the line', () => {
    for (let columns = 10; columns < 120; columns++) {
      const { shown, line } = setUp({ columns });
      line.show(instant(0), ledgerOf({ answered: 3000, reset: 1000 }), FACTS);
      expect(shown[0]!.length).toBeLessThan(Math.max(40, columns));
      expect(shown[0]).toMatch(/^00:00:10 {2}400 requests\/s/);
    }
  });

  it('is due each second, whatever the interval of plain lines', () => {
    const { line } = setUp({ columns: 80, interval: 30 });
    expect(line.due(instant(5e6))).toBe(false);
    expect(line.due(instant(5.9e6))).toBe(false);
    expect(line.due(instant(6e6))).toBe(true);
    line.show(instant(6.2e6), ledgerOf({}), FACTS);
    expect(line.due(instant(7.1e6))).toBe(false);
    expect(line.due(instant(7.2e6))).toBe(true);
  });
});

describe('without a terminal', () => {
  it('is a plain line at the interval', () => {
    const { shown, line } = setUp({ interval: 30 });
    expect(line.due(instant(0))).toBe(false);
    expect(line.due(instant(29.9e6))).toBe(false);
    expect(line.due(instant(30e6))).toBe(true);
    line.show(instant(30e6), ledgerOf({}), { ...FACTS, intercepts: [], lag: undefined });
    expect(shown).toEqual(['line: 00:00:10  0.0 requests/s  – copied  0 lost  3 sessions  0 sent']);
  });

  it('with an interval of 0 there is none', () => {
    const { line } = setUp({ interval: 0 });
    expect(line.due(instant(0))).toBe(false);
    expect(line.due(instant(1e12))).toBe(false);
  });
});
