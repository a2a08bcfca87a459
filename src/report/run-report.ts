/**
 * What one process of a run has counted, as plain data that can be sent to another, and the sum of several: with
 * `--workers` there is one ledger and one summary for all of them.
 */
import type { Counters } from '../core/counters.ts';
import { micros, type Duration } from '../core/time.ts';
import { Histogram } from './histogram.ts';
import { CONNECTION_BUCKETS, Ledger, UNIT_BUCKETS, type ConnectionBucket, type UnitBucket } from './ledger.ts';
import type {
  GovernorFacts,
  InterceptFacts,
  PluginFacts,
  Quantiles,
  RunEnd,
  RunFacts,
  SentFacts,
  SourceFacts,
} from './run-facts.ts';

export interface RunReport {
  readonly ledger: LedgerFigures;
  readonly facts: RunFacts;
  /** Buckets of the histograms of delays, and of the times to responses. */
  readonly lag: Float64Array;
  readonly targetTimes: Float64Array;
  readonly onlineTimes: Float64Array;
}

/** Every number of a ledger by its name; counters by position. */
export type LedgerFigures = { readonly [K in NumberField]: number } & {
  readonly [K in CounterField]: Float64Array;
};

type NumberField = (typeof NUMBERS)[number];
type CounterField = (typeof COUNTERS)[number];
const COUNTERS = ['units', 'connections', 'frames', 'shed', 'sessionsUnread', 'onlineUnread'] as const;
const NUMBERS = [
  'framesSeen',
  'segments',
  'kernelDropped',
  'unitsOpened',
  'connectionsOpened',
  'bytesCaptured',
  'bytesDelivered',
  'bytesMissing',
  'sessionsOpened',
  'retransmissions',
  'responses',
  'responsesRead',
  'responsesFailed',
  'onlineRead',
] as const;

export function ledgerFigures(ledger: Ledger): LedgerFigures {
  return Object.fromEntries([
    ...NUMBERS.map((name) => [name, ledger[name]]),
    ...COUNTERS.map((name) => [name, (ledger[name] as Counters<string>).values.slice()]),
  ]) as LedgerFigures;
}

function addToLedger(ledger: Ledger, figures: LedgerFigures): void {
  for (const name of NUMBERS) ledger[name] += figures[name];
  for (const name of COUNTERS) figures[name].forEach((n, i) => (ledger[name] as Counters<string>).add(i, n));
}

/** Settles what a process that is gone had not: it can tell nothing of it any more. */
export function settleRest(
  figures: LedgerFigures,
  bucket: UnitBucket & ConnectionBucket,
): { readonly figures: LedgerFigures; readonly connections: number } {
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  const settled = { units: figures.units.slice(), connections: figures.connections.slice() };
  const units = figures.unitsOpened - sum(figures.units);
  const connections = figures.connectionsOpened - sum(figures.connections);
  settled.units[UNIT_BUCKETS.indexOf(bucket)]! += units;
  settled.connections[CONNECTION_BUCKETS.indexOf(bucket)]! += connections;
  return { figures: { ...figures, ...settled }, connections };
}

/** The run as a whole. `live`: each process had frames of its own; else all of them have read the same recording. */
export function mergeReports(reports: readonly RunReport[]): {
  readonly ledger: Ledger;
  readonly facts: RunFacts;
} {
  const [first] = reports;
  if (first === undefined) throw new Error('no report to merge');
  const ledger = new Ledger();
  const lag = new Histogram();
  const [targetTimes, onlineTimes] = [new Histogram(), new Histogram()];
  for (const report of reports) {
    addToLedger(ledger, report.ledger);
    lag.add(report.lag);
    targetTimes.add(report.targetTimes);
    onlineTimes.add(report.onlineTimes);
  }
  const all = reports.map(({ facts }) => facts);
  const total = (value: (facts: RunFacts) => number): number => all.reduce((n, facts) => n + value(facts), 0);
  return {
    ledger,
    facts: {
      ...first.facts,
      elapsed: longest(all.map(({ elapsed }) => elapsed)),
      endedBy: worstEnd(all.map(({ endedBy }) => endedBy)),
      sources: mergeSources(
        all.map(({ sources }) => sources),
        first.facts.live,
      ),
      connectionsOpen: total(({ connectionsOpen }) => connectionsOpen),
      sessionsOpen: total(({ sessionsOpen }) => sessionsOpen),
      governor: mergeGovernors(all.flatMap(({ governor }) => governor ?? [])),
      intercepts: mergeIntercepts(all.map(({ intercepts }) => intercepts)),
      lag: quantilesOf(lag),
      responseTimes: { target: quantilesOf(targetTimes), online: quantilesOf(onlineTimes) },
      sent: mergeSent(all.flatMap(({ sent }) => sent ?? [])),
      plugins: mergePlugins(all.flatMap(({ plugins }) => plugins)),
      cpu: micros(total(({ cpu }) => cpu)),
      cpuWait: longestKnown(all.map(({ cpuWait }) => cpuWait)),
      rss: total(({ rss }) => rss),
    },
  };
}

export function quantilesOf(times: Histogram): Quantiles | undefined {
  const quantile = (share: number): Duration => micros(times.quantile(share) ?? 0);
  return times.count === 0 ? undefined : { p50: quantile(0.5), p99: quantile(0.99) };
}

function longest(times: readonly Duration[]): Duration {
  return times.reduce((a, b) => (b > a ? b : a));
}

function longestKnown(times: readonly (Duration | undefined)[]): Duration | undefined {
  const known = times.flatMap((time) => time ?? []);
  return known.length === 0 ? undefined : longest(known);
}

function worstEnd(ends: readonly (RunEnd | undefined)[]): RunEnd | undefined {
  if (ends.includes('failed')) return 'failed';
  // Some may have ended already; the run has when all of them have.
  return ends.includes(undefined) ? undefined : ends.includes('stopped') ? 'stopped' : 'input-ended';
}

/** Sources are the same, in the same order, in every process; but one that has just been started may have none yet. */
function mergeSources(all: readonly (readonly SourceFacts[])[], live: boolean): readonly SourceFacts[] {
  const most = all.reduce((a, b) => (b.length > a.length ? b : a));
  return most.map((source, i) => {
    const same = all.flatMap((sources) => sources[i] ?? []);
    const frames = same.map((each) => each.frames);
    const drops = same.flatMap(({ kernelDropped }) => kernelDropped ?? []);
    return {
      ...source,
      frames: live ? frames.reduce((a, b) => a + b, 0) : Math.max(...frames),
      kernelDropped: drops.length === 0 ? undefined : drops.reduce((a, b) => a + b, 0),
    };
  });
}

/** Each pass over a recording (`-T`) has a source of its own: they are told of as one. */
export function passesAsOne(sources: readonly SourceFacts[]): readonly SourceFacts[] {
  return grouped(sources, ({ name }) => name).map((passes) => ({
    ...passes[0]!,
    frames: passes.reduce((n, { frames }) => n + frames, 0),
    kernelDropped: passes.every(({ kernelDropped }) => kernelDropped === undefined)
      ? undefined
      : passes.reduce((n, { kernelDropped = 0 }) => n + kernelDropped, 0),
  }));
}

function mergeIntercepts(all: readonly (readonly InterceptFacts[])[]): readonly InterceptFacts[] {
  return grouped(all.flat(), ({ address }) => address).map((same) => ({
    address: same[0]!.address,
    connected: same.every(({ connected }) => connected),
    outages: mergeOutages(same.flatMap(({ outages }) => outages)),
  }));
}

/** Away is away for whomever: outages that overlap are one. */
function mergeOutages(outages: InterceptFacts['outages']): InterceptFacts['outages'] {
  const merged: { from: Duration; to: Duration | undefined }[] = [];
  for (const { from, to } of outages.toSorted((a, b) => a.from - b.from)) {
    const last = merged.at(-1);
    if (last === undefined || (last.to !== undefined && last.to < from)) merged.push({ from, to });
    else if (last.to !== undefined && (to === undefined || to > last.to)) last.to = to;
  }
  return merged;
}

/** Each leaves out of its own: of all connections it is what they do on average, for as long as the longest did. */
function mergeGovernors(all: readonly GovernorFacts[]): GovernorFacts | undefined {
  if (all.length === 0) return undefined;
  return {
    share: all.reduce((n, { share }) => n + share, 0) / all.length,
    reason: all.find(({ reason }) => reason !== undefined)?.reason,
    reasons: [...new Set(all.toSorted((a, b) => b.time - a.time).flatMap(({ reasons }) => reasons))],
    spells: Math.max(...all.map(({ spells }) => spells)),
    time: longest(all.map(({ time }) => time)),
  };
}

function mergeSent(all: readonly SentFacts[]): SentFacts | undefined {
  return all.length === 0
    ? undefined
    : all.reduce((a, b) => ({
        packets: a.packets + b.packets,
        bytes: a.bytes + b.bytes,
        failed: addCounts(a.failed, b.failed),
      }));
}

function mergePlugins(all: readonly PluginFacts[]): readonly PluginFacts[] {
  return grouped(all, ({ name }) => name).map((same) =>
    same.reduce((a, b) => ({
      name: a.name,
      calls: a.calls + b.calls,
      drops: addCounts(a.drops, b.drops),
      failures: a.failures + b.failures,
      disabled: a.disabled || b.disabled,
      mean: meanOf(a, b, 'mean'),
      meanWait: meanOf(a, b, 'meanWait'),
      heldUp: {
        times: a.heldUp.times + b.heldUp.times,
        longest: a.heldUp.longest > b.heldUp.longest ? a.heldUp.longest : b.heldUp.longest,
      },
      figures: mergeFigures([...a.figures, ...b.figures]),
    })),
  );
}

function meanOf(a: PluginFacts, b: PluginFacts, of: 'mean' | 'meanWait'): Duration | undefined {
  const [first, second] = [a[of], b[of]];
  if (first === undefined || second === undefined) return first ?? second;
  return micros((first * a.calls + second * b.calls) / (a.calls + b.calls));
}

function mergeFigures(figures: PluginFacts['figures']): PluginFacts['figures'] {
  return grouped(figures, ({ name }) => name).map((same) => ({
    ...same[0]!,
    value: same.reduce((n, { value }) => n + value, 0),
  }));
}

function addCounts(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Readonly<Record<string, number>> {
  const sum = { ...a };
  for (const [name, n] of Object.entries(b)) sum[name] = (sum[name] ?? 0) + n;
  return sum;
}

/** Those of the same key together, in the order in which keys come up. */
function grouped<T>(items: readonly T[], key: (item: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(key(item));
    if (group === undefined) groups.set(key(item), [item]);
    else group.push(item);
  }
  return [...groups.values()];
}
