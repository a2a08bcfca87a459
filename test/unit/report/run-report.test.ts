import { describe, expect, it } from 'vitest';
import { micros, seconds } from '../../../src/core/time.ts';
import { Histogram } from '../../../src/report/histogram.ts';
import type { Ledger } from '../../../src/report/ledger.ts';
import type { RunFacts } from '../../../src/report/run-facts.ts';
import {
  ledgerFigures,
  mergeReports,
  passesAsOne,
  settleRest,
  type RunReport,
} from '../../../src/report/run-report.ts';
import { summaryObject } from '../../../src/report/summary-json.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

function reportOf(ledger: Ledger, facts: Partial<RunFacts> = {}, lags: readonly number[] = []): RunReport {
  const lag = new Histogram();
  for (const value of lags) lag.record(value);
  return {
    ledger: ledgerFigures(ledger),
    facts: { ...FACTS, ...facts },
    lag: lag.buckets,
    targetTimes: new Histogram().buckets,
    onlineTimes: new Histogram().buckets,
  };
}

describe('the reports of several processes', () => {
  it('add up to one that balances', () => {
    const a = ledgerOf({ answered: 8, reset: 2 }, { replayed: 2 });
    const b = ledgerOf({ answered: 4, filtered: 1 }, { 'no-data': 1 });
    a.framesSeen = a.segments = 100;
    b.framesSeen = 51;
    b.segments = 50;
    b.frames.add(1);
    const { ledger, facts } = mergeReports([
      reportOf(a, {}, [100]),
      reportOf(b, { elapsed: seconds(11) }, [100, 9_000]),
    ]);
    expect(summaryObject(ledger, facts, 0)).toMatchObject({
      balanced: true,
      elapsedSeconds: 11,
      requests: { captured: 15, delivered: 12, buckets: { answered: 12, reset: 2, filtered: 1 } },
      connections: { captured: 3 },
      frames: { seen: 151, segments: 150 },
      target: { packets: 2_200 },
      sources: [{ name: 'eth0', frames: 2_400, kernelDropped: 0 }],
    });
    expect(facts.lag!.p50).toBeCloseTo(100, -1);
    expect(facts.lag!.p99).toBeGreaterThan(9_000);
  });

  it('name why connections were left out, what lasted longest first', () => {
    const governor = { share: 1, reason: undefined, spells: 1 };
    const { facts } = mergeReports([
      reportOf(ledgerOf({}), { governor: { ...governor, reasons: ['cpu', 'memory'], time: seconds(1) } }),
      reportOf(ledgerOf({}), { governor: { ...governor, reasons: ['target-full', 'cpu'], time: seconds(2) } }),
    ]);
    expect(facts.governor?.reasons).toEqual(['target-full', 'cpu', 'memory']);
  });

  it('of one process is that process', () => {
    const ledger = ledgerOf({ answered: 8, reset: 2 }, { replayed: 2 });
    const merged = mergeReports([reportOf(ledger, { lag: undefined })]);
    expect(summaryObject(merged.ledger, merged.facts, 0)).toEqual(
      summaryObject(ledger, { ...FACTS, lag: undefined }, 0),
    );
  });

  it('count the frames of a recording once, since all have read it', () => {
    const sources = [{ name: 'a.pcap', frames: 500, kernelDropped: 0, unreadable: [] }];
    const { facts } = mergeReports([
      reportOf(ledgerOf({}), { live: false, sources }),
      reportOf(ledgerOf({}), { live: false, sources: [{ ...sources[0]!, frames: 480 }] }),
    ]);
    expect(facts.sources).toEqual(sources);
  });

  it('tell one outage where several noticed it', () => {
    const outage = (from: number, to: number | undefined) => ({
      from: seconds(from),
      to: to === undefined ? undefined : seconds(to),
    });
    const intercept = (connected: boolean, ...outages: ReturnType<typeof outage>[]) => ({
      intercepts: [{ address: 'a:1', connected, outages }],
    });
    const { facts } = mergeReports([
      reportOf(ledgerOf({}), intercept(true, outage(1, 3), outage(8, 9))),
      reportOf(ledgerOf({}), intercept(false, outage(2, 4), outage(8, undefined))),
    ]);
    expect(facts.intercepts).toEqual([
      { address: 'a:1', connected: false, outages: [outage(1, 4), outage(8, undefined)] },
    ]);
  });

  it('join what plugins tell', () => {
    const plugin = {
      name: 'p',
      calls: 10,
      drops: { a: 1 },
      failures: 0,
      disabled: false,
      mean: micros(2),
      meanWait: undefined,
      heldUp: { times: 1, longest: micros(300) },
      figures: [],
    };
    const figures = [{ name: 'seen', value: 3, unit: undefined }];
    const { facts } = mergeReports([
      reportOf(ledgerOf({}), { plugins: [{ ...plugin, figures }] }),
      reportOf(ledgerOf({}), {
        plugins: [{ ...plugin, calls: 30, drops: { a: 1, b: 2 }, mean: micros(6), meanWait: micros(9), figures }],
      }),
    ]);
    expect(facts.plugins).toEqual([
      {
        ...{ ...plugin, calls: 40, drops: { a: 2, b: 2 }, mean: 5, meanWait: 9, heldUp: { times: 2, longest: 300 } },
        figures: [{ name: 'seen', value: 6, unit: undefined }],
      },
    ]);
  });

  it('has not ended while one of them runs', () => {
    const ends = (...endedBy: RunFacts['endedBy'][]) =>
      mergeReports(endedBy.map((end) => reportOf(ledgerOf({}), { endedBy: end }))).facts.endedBy;
    expect(ends('input-ended', undefined)).toBe(undefined);
    expect(ends('input-ended', 'input-ended')).toBe('input-ended');
    expect(ends('stopped', 'input-ended')).toBe('stopped');
    expect(ends(undefined, 'failed')).toBe('failed');
  });
});

it('what a process that is gone had under way is settled', () => {
  const ledger = ledgerOf({ answered: 3 }, { replayed: 1 });
  ledger.unitsOpened += 2;
  ledger.connectionsOpened += 1;
  const { figures, connections } = settleRest(ledgerFigures(ledger), 'shutdown');
  expect(connections).toBe(1);
  const merged = mergeReports([{ ...reportOf(ledger), ledger: figures }]).ledger;
  expect(merged.balance().balanced).toBe(true);
  expect(merged.units.get('shutdown')).toBe(2);
});

it('passes over one recording are told of as one, devices each for itself', () => {
  const unreadable = [{ bytes: 7, reason: 'cut off' }];
  const pass = (name: string, frames: number, kernelDropped: number | undefined) => ({
    name,
    frames,
    kernelDropped,
    unreadable,
  });
  expect(passesAsOne([pass('a.pcap', 100, undefined), pass('a.pcap', 40, undefined)])).toEqual([
    pass('a.pcap', 140, undefined),
  ]);
  const devices = [pass('eth0', 5, 1), pass('eth1', 6, 0)];
  expect(passesAsOne(devices)).toEqual(devices);
});
