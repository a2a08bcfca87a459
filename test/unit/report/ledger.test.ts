import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CONNECTION_BUCKETS, Ledger, UNIT_BUCKETS } from '../../../src/report/ledger.ts';
import { ledgerOf } from './ledger-fixture.ts';

describe('balance', () => {
  it('holds for nothing', () => expect(new Ledger().balance().balanced).toBe(true));

  it('holds when each unit and connection is settled once, and fails when one is not', () => {
    const buckets = fc.array(fc.constantFrom(...UNIT_BUCKETS), { maxLength: 50 });
    const ends = fc.array(fc.constantFrom(...CONNECTION_BUCKETS), { maxLength: 20 });
    fc.assert(
      fc.property(buckets, ends, (units, connections) => {
        const ledger = new Ledger();
        for (const bucket of units) {
          ledger.unitsOpened++;
          ledger.settleUnit(bucket);
        }
        for (const bucket of connections) {
          ledger.connectionsOpened++;
          ledger.settleConnection(bucket);
        }
        expect(ledger.balance().balanced).toBe(true);
        expect(ledger.delivered() + ledger.excluded() + ledger.lost()).toBe(ledger.unitsOpened);
        ledger.unitsOpened++;
        expect(ledger.balance()).toMatchObject({ balanced: false, units: { opened: units.length + 1 } });
        ledger.settleUnit('shutdown');
        ledger.settleConnection('shutdown');
        expect(ledger.balance().balanced).toBe(false);
      }),
    );
  });

  it('covers frames', () => {
    const ledger = new Ledger();
    ledger.framesSeen = 10;
    ledger.segments = 7;
    ledger.frames.add(1, 2);
    expect(ledger.balance()).toMatchObject({ balanced: false, frames: { seen: 10, segments: 7, dropped: 2 } });
    ledger.frames.add(14);
    expect(ledger.balance().balanced).toBe(true);
  });
});

describe('fidelity', () => {
  it('counts what reached the application against what was wanted', () => {
    expect(ledgerOf({ answered: 6, unanswered: 2, reset: 1, 'kernel-drop': 1 }).fidelity()).toBe(80);
  });

  it('leaves out what nobody asked for', () => {
    expect(ledgerOf({ answered: 1, 'sampled-out': 90, filtered: 9 }).fidelity()).toBe(100);
  });

  it('is 100 for nothing', () => {
    expect(new Ledger().fidelity()).toBe(100);
    expect(ledgerOf({ 'sampled-out': 5 }).fidelity()).toBe(100);
  });

  it('counts what is under way as not delivered', () => {
    const ledger = ledgerOf({ answered: 1 });
    ledger.unitsOpened++;
    expect(ledger.fidelity()).toBe(50);
    expect(ledger.lost()).toBe(0);
  });
});
