/** One load in a fresh lab: what share of it was copied, how long after, and what that cost. */
import { Lab } from '../../test/e2e/lab/lab.ts';
import { arrived } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import type { HostName } from '../../test/e2e/lab/plan.ts';
import type { RequestRecord } from '../../test/e2e/lab/request-record.ts';
import type { Child } from '../../test/e2e/lab/shell.ts';
import { compareTraffic } from '../../test/e2e/lab/traffic-check.ts';
import { usageOf } from '../../test/e2e/lab/usage.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import type { LoadCase } from './cases.ts';
import { FIRST_SEAT, SECOND_SEAT, type Contender, type Running, type Seat } from './contender.ts';
import { quantile } from './ratio.ts';

export interface ProgramCost {
  /** µs of CPU time per request that was copied, start-up and warm-up left out. */
  readonly cpuPerRequest: number;
  readonly peakRss: number;
}

export interface Copied {
  readonly copiedPercent: number;
  /** Arrived twice, altered (but by a plugin) or out of order. */
  readonly wrong: number;
  /** From the end of a request at the online server to that of its copy, ms; from the access logs, which tell 1 ms. */
  readonly lagP50: number;
  readonly lagP99: number;
  /** Packets that left the online host towards the test server and the assistant, per copy. */
  readonly packetsPerCopy: number;
  readonly tcpcopy: ProgramCost;
  readonly intercept: ProgramCost;
  /** Reasons of the ledger, over warm-up and load; a peer has no ledger. */
  readonly lost: Readonly<Record<string, number>>;
}

export interface Measurement {
  readonly requests: number;
  /** What the online server did, by wrk's account. */
  readonly requestsPerSecond: number;
  /** `undefined` when nothing copied. */
  readonly copied: Copied | undefined;
}

/**
 * The same load at twice the rate before the measured one, until what happens once is over: code is compiled, buffers have
 * grown, and what was only needed to start has been given back and collected, ten to seventeen seconds after the start. Its
 * connections end once before it is over: code that was optimized before it had seen one end is optimized again then. Part
 * of a load of few requests, which would take minutes to that, is replaced by one of small requests. Of a load with very many
 * connections only some are opened that first time: each leaves a port in TIME-WAIT, and a kernel that finds none free in
 * that half of its ports which it prefers (14,000 to 28,000 of them) looks at every one for each connection, for milliseconds.
 */
const WARM = 'warm';
const WARM_SECONDS = [11, 6] as const;
const FEW = 1_000;
const MANY_CONNECTIONS = 1_000;
const SMALL = { path: '/1k', connections: 32, rate: 5_000 };
/** Longest wait for copies that are late, ms. */
const PATIENCE = 20_000;
const isMeasured = ({ id }: RequestRecord) => !id.startsWith(WARM);

/** By all of them at the same time, two at most, or by one. */
export async function measure(
  loadCase: LoadCase,
  contenders: readonly Contender[],
  seconds: number,
): Promise<Measurement[]> {
  const beside = contenders.length > 1;
  const lab = await Lab.create({ name: 'bench', extraHosts: beside ? [SECOND_SEAT.test, SECOND_SEAT.assistant] : [] });
  try {
    const measurements = await inLab(lab, loadCase, contenders, seconds);
    const { violations } = await lab.guard.finish();
    const guarded = contenders.every((contender) => contender.guarded);
    if (guarded && violations.length > 0) throw new Error(`stray packets:\n${violations.join('\n')}`);
    return measurements;
  } finally {
    await lab.destroy();
  }
}

interface Copier {
  readonly running: Running;
  readonly seat: Seat;
  readonly test: Nginx;
}

async function inLab(
  lab: Lab,
  loadCase: LoadCase,
  contenders: readonly Contender[],
  seconds: number,
): Promise<Measurement[]> {
  const online = await Nginx.start(lab.host('online'));
  const address = lab.host('online').on('front').v4;
  const copiers: Copier[] = [];
  for (const contender of contenders) {
    // A peer's commands name the first seat's hosts.
    const seat = contenders.length > 1 && contender.movable ? SECOND_SEAT : FIRST_SEAT;
    const test = await Nginx.start(lab.host(seat.test));
    const running = await contender.start(lab, loadCase, seat);
    if (running !== undefined) copiers.push({ running, seat, test });
  }
  const { rate = 0, connections } = loadCase.load;
  const load = (tag: string, duration: number, offered: number, open = connections) =>
    runWrk(lab.host('client'), {
      ...loadCase.load,
      address,
      tag,
      seconds: duration,
      rate: offered,
      connections: open,
    });
  const allArrived = async () => {
    for (const { test } of copiers) await arrived(online, test, { patience: PATIENCE });
  };
  const few = rate > 0 && rate < FEW;
  const [first, second] = WARM_SECONDS;
  if (few) await runWrk(lab.host('client'), { ...SMALL, address, tag: `${WARM}-first`, seconds: second });
  else await load(`${WARM}-first`, first, rate * 2, Math.min(connections, MANY_CONNECTIONS));
  await load(WARM, few ? first : second, rate * 2);
  await allArrived();
  const results = copiers.map((copier) => costsOf(lab, copier));
  const { perSecond, requests } = await load('', seconds, rate);
  if (copiers.length === 0) return [{ requests, requestsPerSecond: perSecond, copied: undefined }];
  await allArrived();
  const sent = online.records().filter(isMeasured);
  const ended = results.map((result) => result());
  const measurements: Measurement[] = [];
  for (const [i, { running, test }] of copiers.entries()) {
    const got = test.records().filter(isMeasured);
    const rewritten = loadCase.plugins !== undefined;
    const d = compareTraffic(rewritten ? sent.map(withoutHost) : sent, rewritten ? got.map(withoutHost) : got);
    const copies = d.online - d.missing.length;
    const { packets, tcpcopy, intercept } = ended[i]!;
    const lags = lagsOf(sent, got);
    measurements.push({
      requests: d.online,
      requestsPerSecond: perSecond,
      copied: {
        copiedPercent: (100 * copies) / d.online,
        wrong: d.duplicate.length + d.altered.length + d.outOfOrder.length + d.mixed.length + d.foreign.length,
        lagP50: quantile(lags, 0.5),
        lagP99: quantile(lags, 0.99),
        packetsPerCopy: packets / copies,
        tcpcopy: { cpuPerRequest: tcpcopy.cpu / copies, peakRss: tcpcopy.peakRss },
        intercept: { cpuPerRequest: intercept.cpu / copies, peakRss: intercept.peakRss },
        lost: (await running.lost?.()) ?? {},
      },
    });
  }
  return measurements;
}

/** From now on: gives what was spent and sent when asked. */
function costsOf(lab: Lab, { running, seat }: Copier) {
  const packets = packetsTo(lab, seat);
  const [tcpcopy, intercept] = [spentBy(running.tcpcopy), spentBy(running.intercept)];
  return () => ({ packets: packetsTo(lab, seat) - packets, tcpcopy: tcpcopy(), intercept: intercept() });
}

/** Packets that the online host has sent to a seat: what its hosts received, but what the one sent to the other. */
function packetsTo(lab: Lab, { test, assistant }: Seat): number {
  const count = (host: HostName, direction: 'rx' | 'tx') =>
    Number(lab.host(host).sh(`cat /sys/class/net/back/statistics/${direction}_packets`));
  return count(test, 'rx') + count(assistant, 'rx') - count(test, 'tx');
}

function spentBy({ pid }: Child): () => { readonly cpu: number; readonly peakRss: number } {
  const before = usageOf(pid).cpu;
  return () => {
    const { cpu, peakRss } = usageOf(pid);
    return { cpu: cpu - before, peakRss };
  };
}

/** A plugin may rewrite the Host, which is the last of a fingerprint, and with it the length, which is the first. */
function withoutHost(record: RequestRecord): RequestRecord {
  return { ...record, fingerprint: record.fingerprint.split(' ').slice(1, -1).join(' ') };
}

function lagsOf(sent: readonly RequestRecord[], got: readonly RequestRecord[]): number[] {
  const at = new Map(sent.map((record) => [record.id, record.at]));
  return got.flatMap(({ id, at: arrival }) => arrival - (at.get(id) ?? NaN)).sort((a, b) => a - b);
}
