import { micros, millis, seconds } from '../../../src/core/time.ts';
import { Ledger, type ConnectionBucket, type UnitBucket } from '../../../src/report/ledger.ts';
import type { RunFacts } from '../../../src/report/run-facts.ts';

/** A ledger of finished units and connections, each opened and settled. */
export function ledgerOf(
  units: Partial<Record<UnitBucket, number>>,
  connections: Partial<Record<ConnectionBucket, number>> = {},
): Ledger {
  const ledger = new Ledger();
  for (const [bucket, n] of Object.entries(units)) {
    ledger.unitsOpened += n;
    ledger.settleUnit(bucket as UnitBucket, n);
  }
  for (const [bucket, n] of Object.entries(connections)) {
    ledger.connectionsOpened += n;
    for (let i = 0; i < n; i++) ledger.settleConnection(bucket as ConnectionBucket);
  }
  return ledger;
}

export const FACTS: RunFacts = {
  elapsed: seconds(10),
  live: true,
  mappings: ['80 → 192.0.2.10:8080'],
  copies: 1,
  writeFile: undefined,
  dryRun: false,
  recording: undefined,
  endedBy: 'stopped',
  sources: [{ name: 'eth0', frames: 1200, kernelDropped: 0, unreadable: [] }],
  connectionsOpen: 0,
  sessionsOpen: 3,
  governor: { share: 1, reason: undefined, reasons: [], spells: 0, time: seconds(0) },
  intercepts: [{ address: '192.0.2.20:36524', connected: true, outages: [] }],
  lag: { p50: micros(400), p99: millis(2.1) },
  responseTimes: { target: undefined, online: undefined },
  sent: { packets: 1100, bytes: 250_000, failed: {} },
  plugins: [],
  cpu: seconds(1.5),
  cpuWait: seconds(0.25),
  rss: 82_000_000,
};
