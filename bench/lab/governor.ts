/**
 * What a copier costs the online service while its target, or the host itself, is in trouble: rate and latency of 2,000 requests
 * a second with tcpcopy beside them, and without, in alternation (root).
 *
 *     npm run bench:governor -- [--seconds 4] [--rounds 5] [--only TEXT] [--json FILE]
 *
 * The online host has the first processor to itself, with nginx and tcpcopy on it; load, target and intercept have the second.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import type { SummaryObject } from '../../src/report/summary-json.ts';
import type { AilingServerOptions } from '../../test/e2e/lab/ailing-server.ts';
import { Lab, labObstacle } from '../../test/e2e/lab/lab.ts';
import { STANDARD_ARGS } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from '../../test/e2e/lab/programs.ts';
import { AilingServer } from '../../test/e2e/lab/servers.ts';
import { bash, sleep, type Child } from '../../test/e2e/lab/shell.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import { median, medianRatio } from './ratio.ts';

interface Case {
  readonly name: string;
  readonly illness?: AilingServerOptions['illness'];
  readonly args?: readonly string[];
  /** Another process takes all it can get of the online host's processor. */
  readonly pinned?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'well' },
  { name: 'hung', illness: 'hang' },
  { name: 'slow', illness: 'slow' },
  { name: '5xx', illness: 'error', args: ['--plugin', 'log,responses,file=/dev/null'] },
  { name: 'resetting', illness: 'reset' },
  { name: 'busy host', pinned: true, args: ['--max-host-cpu', '90'] },
];

const ONLINE_CPU = 0;
const OTHER_CPU = 1;
/** Until code is compiled, and until the governor has seen what there is to see. */
const WARM_SECONDS = 3;
const SEEN_SECONDS = 4;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '4' },
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

interface Online {
  readonly perSecond: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

interface Round {
  readonly alone: Online;
  readonly copied: Online;
  readonly summary: SummaryObject;
  readonly peakRss: number;
  /** CPU time of tcpcopy while its copying was measured, of one processor. */
  readonly cpu: number;
}

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}

const results = new Map<string, Round[]>();
for (const trouble of CASES.filter(({ name }) => name.startsWith(values.only))) {
  const rounds: Round[] = [];
  for (let i = 0; i < Number(values.rounds); i++) {
    console.error(`${trouble.name} ${i + 1}/${values.rounds} …`);
    rounds.push(await round(trouble));
  }
  results.set(trouble.name, rounds);
}

async function round({ illness, args = [], pinned = false }: Case): Promise<Round> {
  const lab = await Lab.create({ name: 'governor' });
  try {
    const nginx = await Nginx.start(lab.host('online'));
    pin(nginx.child, ONLINE_CPU);
    const target = await AilingServer.start(lab.host('test'), illness ?? 'hang');
    pin(target.child, OTHER_CPU);
    await load(lab, WARM_SECONDS);
    const intercept = await startIntercept(lab.host('assistant'));
    pin(intercept.child, OTHER_CPU);
    const tcpcopy = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, '--summary-interval', '0', ...args]);
    pin(tcpcopy.child, ONLINE_CPU);
    await load(lab, WARM_SECONDS);
    const busy = pinned ? [lab.host('online').spawn('busy', ['bash', '-c', 'while :; do :; done'])] : [];
    for (const child of busy) pin(child, ONLINE_CPU);
    if (pinned) busy.push(lab.host('client').spawn('busy', ['nice', 'bash', '-c', 'while :; do :; done']));
    if (illness !== undefined) target.fallIll();
    await load(lab, SEEN_SECONDS);
    const before = tcpcopy.usage().cpu;
    const copied = await load(lab, Number(values.seconds));
    const cpu = (tcpcopy.usage().cpu - before) / (Number(values.seconds) * 1e6);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);
    await intercept.stop();
    await sleep(500);
    const alone = await load(lab, Number(values.seconds));
    for (const child of busy) await child.stop('SIGKILL');
    return { alone, copied, summary, peakRss: stopped.usage.peakRss, cpu };
  } finally {
    await lab.destroy();
  }
}

/** Half of it in short connections. */
async function load(lab: Lab, seconds: number): Promise<Online> {
  const client = lab.host('client');
  const address = lab.host('online').on('front').v4;
  const [long, short] = await Promise.all([
    runWrk(client, { address, seconds, rate: 1_000, tag: 'long' }),
    runWrk(client, { address, seconds, rate: 1_000, short: true, tag: 'short' }),
  ]);
  const both = (pick: (of: typeof long) => number): number => (pick(long) + pick(short)) / 2;
  return {
    perSecond: long.perSecond + short.perSecond,
    mean: both(({ latency }) => latency.mean),
    p50: both(({ latency }) => latency.p50),
    p99: both(({ latency }) => latency.p99),
  };
}

function pin({ pid }: Child, processor: number): void {
  bash(
    `taskset -a -c -p ${processor} ${pid} > /dev/null; for c in $(pgrep -P ${pid}); do taskset -a -c -p ${processor} $c > /dev/null; done`,
  );
}

const table = new Table({
  head: [
    'trouble',
    'requests/s',
    'ratio',
    'mean ms',
    'ratio',
    'p50 ratio',
    'p99 ratio',
    'CPU %',
    'shed %',
    'sessions',
    'RSS MB',
  ],
  style: { head: [], border: [] },
});
for (const [name, rounds] of results) {
  const ratio = (pick: (of: Online) => number): string =>
    medianRatio(
      rounds.map(({ copied }) => pick(copied)),
      rounds.map(({ alone }) => pick(alone)),
    ).toFixed(3);
  const middle = (pick: (of: Round) => number): number => median(rounds.map(pick));
  table.push([
    name,
    middle(({ copied }) => copied.perSecond).toFixed(0),
    ratio(({ perSecond }) => perSecond),
    middle(({ copied }) => copied.mean).toFixed(2),
    ratio(({ mean }) => mean),
    ratio(({ p50 }) => p50),
    ratio(({ p99 }) => p99),
    middle(({ cpu }) => 100 * cpu).toFixed(1),
    middle(({ summary: { requests } }) => (100 * requests.buckets.shed) / requests.captured).toFixed(0),
    middle(({ summary }) => summary.target.sessions).toFixed(0),
    middle(({ peakRss }) => peakRss / 2 ** 20).toFixed(0),
  ]);
}
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify([...results], null, 2)}\n`);
