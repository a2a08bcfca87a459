/** One load in a fresh lab: what share of it was copied, how long after, and what that cost. */
import { Lab } from '../../test/e2e/lab/lab.ts';
import { arrived } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import type { RequestRecord } from '../../test/e2e/lab/request-record.ts';
import type { Child } from '../../test/e2e/lab/shell.ts';
import { compareTraffic } from '../../test/e2e/lab/traffic-check.ts';
import { usageOf } from '../../test/e2e/lab/usage.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import type { LoadCase } from './cases.ts';
import type { Contender } from './contender.ts';
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
 * grown, and what was only needed to start has been given back and collected, ten to seventeen seconds after the start.
 * Part of a load of few requests, which would take minutes to that, is replaced by one of small requests.
 */
const WARM = 'warm';
const WARM_SECONDS = 17;
const FEW = 1_000;
const SMALL = { path: '/1k', connections: 32, rate: 5_000, seconds: 6, tag: `${WARM}-small` };
/** Longest wait for copies that are late, ms. */
const PATIENCE = 20_000;
const isMeasured = ({ id }: RequestRecord) => !id.startsWith(WARM);

export async function measure(loadCase: LoadCase, contender: Contender, seconds: number): Promise<Measurement> {
  const lab = await Lab.create({ name: 'bench' });
  try {
    const measurement = await inLab(lab, loadCase, contender, seconds);
    const { violations } = await lab.guard.finish();
    if (contender.guarded && violations.length > 0) throw new Error(`stray packets:\n${violations.join('\n')}`);
    return measurement;
  } finally {
    await lab.destroy();
  }
}

async function inLab(lab: Lab, loadCase: LoadCase, contender: Contender, seconds: number): Promise<Measurement> {
  const online = await Nginx.start(lab.host('online'));
  const test = await Nginx.start(lab.host('test'));
  const address = lab.host('online').on('front').v4;
  const running = await contender.start(lab, loadCase);
  const { rate = 0 } = loadCase.load;
  const load = (tag: string, duration: number, offered: number) =>
    runWrk(lab.host('client'), { ...loadCase.load, address, tag, seconds: duration, rate: offered });
  const few = rate > 0 && rate < FEW;
  if (few) await runWrk(lab.host('client'), { ...SMALL, address });
  await load(WARM, few ? WARM_SECONDS - SMALL.seconds : WARM_SECONDS, rate * 2);
  if (running === undefined) {
    const { perSecond, requests } = await load('', seconds, rate);
    return { requests, requestsPerSecond: perSecond, copied: undefined };
  }
  await arrived(online, test, { patience: PATIENCE });
  const packetsBefore = packetsOut(lab);
  const costs = [running.tcpcopy, running.intercept].map(costOf);
  const { perSecond } = await load('', seconds, rate);
  await arrived(online, test, { patience: PATIENCE });
  const packets = packetsOut(lab) - packetsBefore;
  const sent = online.records().filter(isMeasured);
  const got = test.records().filter(isMeasured);
  const expectedHost = loadCase.plugins === undefined;
  const d = compareTraffic(expectedHost ? sent : sent.map(withoutHost), expectedHost ? got : got.map(withoutHost));
  const copies = d.online - d.missing.length;
  const [tcpcopy, intercept] = costs.map((cost) => cost(copies)) as [ProgramCost, ProgramCost];
  const lags = lagsOf(sent, got);
  return {
    requests: d.online,
    requestsPerSecond: perSecond,
    copied: {
      copiedPercent: (100 * copies) / d.online,
      wrong: d.duplicate.length + d.altered.length + d.outOfOrder.length + d.mixed.length + d.foreign.length,
      lagP50: quantile(lags, 0.5),
      lagP99: quantile(lags, 0.99),
      packetsPerCopy: packets / copies,
      tcpcopy,
      intercept,
      lost: (await running.lost?.()) ?? {},
    },
  };
}

function packetsOut(lab: Lab): number {
  return Number(
    lab
      .host('online')
      .sh(
        "ip -s -j link show back | python3 -c \"import json,sys; print(json.load(sys.stdin)[0]['stats64']['tx']['packets'])\"",
      ),
  );
}

/** From now on: gives the cost per copy when asked. */
function costOf({ pid }: Child): (copies: number) => ProgramCost {
  const before = usageOf(pid).cpu;
  return (copies) => {
    const { cpu, peakRss } = usageOf(pid);
    return { cpuPerRequest: (cpu - before) / copies, peakRss };
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
