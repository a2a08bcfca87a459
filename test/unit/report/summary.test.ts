import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { micros, seconds } from '../../../src/core/time.ts';
import { UNIT_TEXTS } from '../../../src/report/bucket-texts.ts';
import {
  CONNECTION_BUCKETS,
  SHED_REASONS,
  UNIT_BUCKETS,
  type ConnectionBucket,
  type UnitBucket,
} from '../../../src/report/ledger.ts';
import { summaryLines } from '../../../src/report/summary.ts';
import type { PluginFacts } from '../../../src/report/run-facts.ts';
import { FACTS, ledgerOf } from './ledger-fixture.ts';

const text = (...args: Parameters<typeof summaryLines>) => summaryLines(...args).join('\n');

it('of a run that went well', () => {
  const ledger = ledgerOf({ answered: 5000 }, { replayed: 32 });
  ledger.bytesCaptured = 1_820_000;
  ledger.sessionsOpened = 32;
  ledger.framesSeen = 1200;
  ledger.segments = 1190;
  ledger.frames.add(2, 10);
  expect(text(ledger, FACTS)).toBe(
    `
10.0 s, stopped: live from eth0, 80 → 192.0.2.10:8080

  Captured      5,000 requests in 32 connections, 1.82 MB of client data
  Arrived       5,000 requests, 100 % of those to be copied; 5,000 answered
  Lost          nothing

  Requests
  answered      5,000    100 %  reached the target, which responded

  Connections
  replayed         32    100 %  every request of them reached the target

  Frames not used
  not-tcp          10    100 %  IP, but not TCP

  Run
  Capture       eth0: 1,200 frames, 0 dropped by the kernel
  Intercept     192.0.2.20:36524: connected all the time
  Sent          1,100 packets, 250.0 kB, 32 sessions
  Delay         400 µs median, 2.1 ms p99, from capture to sending
  Resources     CPU 1.5 s (300 µs a request), memory 82.0 MB
  Ledger        balances: everything above is accounted for exactly once`,
  );
});

describe('of a run that did not', () => {
  const everyUnit = Object.fromEntries(UNIT_BUCKETS.map((b) => [b, 1])) as Record<UnitBucket, number>;
  const everyConnection = Object.fromEntries(CONNECTION_BUCKETS.map((b) => [b, 1])) as Record<ConnectionBucket, number>;

  it('names every bucket that is not empty, with what to do, each advice once', () => {
    const lines = summaryLines(ledgerOf(everyUnit, everyConnection), FACTS, { columns: 400 });
    for (const bucket of UNIT_BUCKETS) {
      expect(lines.filter((line) => line.trimStart().startsWith(`${bucket} `)).length).toBeGreaterThan(0);
      const { hint } = UNIT_TEXTS[bucket];
      if (hint !== undefined) expect(lines.filter((line) => line.includes(`→ ${hint}`))).toHaveLength(1);
    }
  });

  it.each([64, 80, 100, 140])('keeps to %d columns, with colours and without', (columns) => {
    const ledger = ledgerOf(everyUnit, everyConnection);
    const plain = summaryLines(ledger, FACTS, { columns });
    for (const line of plain) expect(line.length).toBeLessThanOrEqual(columns);
    const coloured = summaryLines(ledger, FACTS, { columns, colors: true });
    expect(coloured.map(stripVTControlCharacters)).toEqual(plain);
    expect(coloured).not.toEqual(plain);
  });

  it('tells of outages, drops, damage and refused packets', () => {
    const shown = text(ledgerOf({ answered: 1 }), {
      ...FACTS,
      sources: [{ name: 'eth0', frames: 5, kernelDropped: 7, unreadable: [{ bytes: 12, reason: 'cut off' }] }],
      intercepts: [
        {
          address: 'a:1',
          connected: true,
          outages: [
            { from: seconds(1), to: seconds(2) },
            { from: seconds(4), to: seconds(4.5) },
          ],
        },
        { address: 'b:1', connected: false, outages: [{ from: seconds(3), to: undefined }] },
      ],
      sent: { packets: 1, bytes: 40, failed: { EPERM: 2 } },
    });
    expect(shown).toContain('eth0: 5 frames, 7 dropped by the kernel; 12 bytes unreadable: cut off');
    expect(shown).toContain('a:1: away 2 times, 1.5 s in all');
    expect(shown).toContain('b:1: away now, since 3.0 s after the start');
    expect(shown).toContain('refused by the kernel: EPERM 2 times');
  });

  it('says so when the ledger does not balance', () => {
    const ledger = ledgerOf({ answered: 1 });
    ledger.unitsOpened++;
    expect(text(ledger, FACTS)).toContain('DOES NOT BALANCE');
    expect(text(ledger, FACTS)).toContain('Lost          nothing; 1 under way');
  });
});

it('of a dry run, of copies, of a recording', () => {
  const facts = {
    ...FACTS,
    live: false,
    writeFile: 'out.pcap',
    copies: 3,
    endedBy: 'input-ended',
    intercepts: [],
  } as const;
  const shown = text(ledgerOf({ unanswered: 3, 'sampled-out': 3 }), facts, { columns: 120 });
  expect(shown).toContain('10.0 s, to its end: recording eth0, 80 → 192.0.2.10:8080, written to out.pcap');
  expect(shown).toContain('requests are counted in each of the 3 copies');
  expect(shown).toContain('Written       3 requests, 100 % of those to be copied\n');
  expect(shown).toContain('written to the file; nothing was sent');
  expect(shown).toContain('Left out      3 requests, as asked for');
  expect(shown).not.toContain('dropped by the kernel');
});

it('says where to look when nothing was there', () => {
  const none = (live: boolean): string => text(ledgerOf({}), { ...FACTS, live }, { columns: 120 });
  expect(none(true)).toContain('nothing: no client data of what -x selects was seen on this input (-i, -F)');
  expect(none(false)).toContain('nothing: no client data of what -x selects is in it; tcpcopy inspect lists what is');
});

it('says how much was left out, and whether it still is', () => {
  const reasons = ['target-slow', 'cpu'] as const;
  const governor = { share: 0.25, reason: 'target-slow', reasons, spells: 1, time: seconds(2) } as const;
  expect(text(ledgerOf({ shed: 1 }), { ...FACTS, governor }, { columns: 120 })).toContain(
    'Shedding      once, for 2.0 s (target-slow, cpu); 25.00 % of the connections were copied at the end',
  );
  const meanwhile = { ...FACTS, governor: { ...governor, spells: 2 }, endedBy: undefined };
  expect(text(ledgerOf({ shed: 1 }), meanwhile, { columns: 120 })).toContain(
    'Shedding      2 times, for 2.0 s in all (target-slow, cpu); 25.00 % of the connections are copied now',
  );
});

it('names plugins, what they dropped, and which of them failed', () => {
  const plugin = { name: 'sample', calls: 1200, drops: { 'not in the sample': 1080 }, failures: 0, disabled: false };
  const [longest, time] = [
    micros(320_000),
    { mean: micros(2), meanWait: undefined, heldUp: { times: 0, longest: micros(0) } },
  ];
  const broken = { ...plugin, name: './mine.ts', drops: {}, failures: 3, disabled: true };
  const lines = text(ledgerOf({ answered: 5000 }, { replayed: 32 }), {
    ...FACTS,
    plugins: [
      { ...plugin, ...time, figures: [{ name: 'cache', value: 7, unit: 'entries' }] },
      {
        ...plugin,
        ...time,
        name: 'http',
        calls: 0,
        drops: {},
        figures: [{ name: 'requests', value: 7, unit: undefined }],
      },
      { ...broken, ...time, mean: undefined, figures: [] },
      {
        ...plugin,
        ...time,
        name: 'waits',
        drops: {},
        meanWait: micros(3_100),
        heldUp: { times: 2, longest },
        figures: [],
      },
    ],
  }).replace(/\s+/g, ' ');
  expect(lines).toContain('sample: 1,200 calls, 2 µs each; 1,080 dropped (not in the sample); cache 7 entries');
  expect(lines).toContain('http: requests 7');
  expect(lines).toContain('./mine.ts: 1,200 calls; failed 3 times, and was switched off');
  expect(lines).toContain(
    'waits: 1,200 calls, 2 µs each, answers after 3.1 ms; held everything up 2 times, for 320.0 ms at most',
  );
});

it('leaves figures of 0 out, and protocols of which nothing was seen where there was another', () => {
  const quiet = { heldUp: { times: 0, longest: micros(0) }, drops: {}, failures: 0, disabled: false };
  const figure = (name: string, value: number) => ({ name, value, unit: undefined });
  const protocol = (name: string, ...values: number[]): PluginFacts => ({
    ...{ ...quiet, name, calls: 0, mean: undefined, meanWait: undefined },
    figures: values.map((value, i) => figure(['messages', 'resynchronised'][i]!, value)),
  });
  const tapping = { ...protocol('log', 0), calls: 5, figures: [figure('lines lost', 0)] };
  const linesOf = (...plugins: PluginFacts[]): string[] =>
    summaryLines(ledgerOf({ answered: 5 }, { replayed: 1 }), { ...FACTS, plugins })
      .map((line) => line.trim())
      .filter((line) => line.startsWith('Plugin'))
      .map((line) => line.replace(/^Plugin\s+/, ''));
  expect(linesOf(protocol('http', 0, 0), protocol('redis', 7, 0), tapping)).toEqual([
    'redis: messages 7',
    'log: 5 calls',
  ]);
  expect(linesOf(protocol('http', 0, 0), protocol('redis', 0, 0))).toEqual(['http: messages 0', 'redis: messages 0']);
  expect(linesOf({ ...protocol('http', 0, 0), failures: 1 }, protocol('redis', 7, 2))).toEqual([
    'http: failed 1 time',
    'redis: messages 7; resynchronised 2',
  ]);
});

it('tells a busy host from a slow target by how long it waited for a processor', () => {
  const lines = (waited: number | undefined): string => {
    const ledger = ledgerOf({ answered: 50, 'queue-cap': 5, shed: 1 });
    ledger.shed.add(SHED_REASONS.indexOf('target-slow'));
    const cpuWait = waited === undefined ? undefined : seconds(waited);
    return text(ledger, { ...FACTS, elapsed: seconds(10), cpuWait }, { columns: 300 });
  };
  for (const quiet of [lines(undefined), lines(0.9)]) {
    expect(quiet).toContain('is slower than the traffic');
    expect(quiet).toContain('CPU 1.5 s, memory 82.0 MB');
  }
  const busy = lines(4);
  expect(busy).not.toContain('is slower than the traffic');
  expect(busy).toContain('this host is busy');
  expect(busy).toContain('CPU 1.5 s, 4.0 s of waiting for a processor, memory 82.0 MB');
});
