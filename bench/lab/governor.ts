/**
 * What a copier costs the online service while its target, or the host itself, is in trouble: rate and latency of 2,000 requests
 * a second with tcpcopy beside them, and without, in turns of a fraction of a second (root). Exit code 1 when a cap did not hold, or
 * all was not copied again in time.
 *
 *     npm run bench:governor -- [--seconds 40] [--only TEXT] [--args '…'] [--json FILE]
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
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from '../../test/e2e/lab/programs.ts';
import { AilingServer } from '../../test/e2e/lab/servers.ts';
import { bash, sleep } from '../../test/e2e/lab/shell.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import { alternate, TURN, turnAt, type Turn } from './alternating-load.ts';
import { pooledRatio, quantile } from './ratio.ts';

type Lists = readonly (readonly number[])[];

interface Case {
  readonly name: string;
  readonly illness?: AilingServerOptions['illness'];
  readonly args?: readonly string[];
  /** Another process takes all it can get of the online host's processor. */
  readonly pinned?: boolean;
  /** Both kinds of turns are without: what the bench makes of nothing. */
  readonly absent?: boolean;
}

const CASES: readonly Case[] = [
  { name: 'no copier', absent: true },
  { name: 'well' },
  { name: 'hung', illness: 'hang' },
  { name: 'slow', illness: 'slow' },
  { name: '5xx', illness: 'error', args: ['--plugin', 'log,responses,file=/dev/null'] },
  { name: 'resetting', illness: 'reset' },
  { name: 'busy host', pinned: true, args: ['--max-host-cpu', '90'] },
];

const ONLINE_CPU = 0;
const OTHER_CPU = 1;
/** nginx serves all; only the first is copied. */
const COPIED_PORT = 80;
const OTHER_PORT = 81;
const THIRD_PORT = 82;
const METRICS = 9464;
/** Clients that share a processor with the target and with intercept would wait for those, and call it latency. */
const AT_ONCE = ['chrt', '-f', '1'];
/** Until code is compiled, and until the governor has seen what there is to see. */
const WARM_SECONDS = 3;
const SEEN_SECONDS = 4;
const RECOVERY_SECONDS = 9;
/** What must hold in each trouble: memory beyond that before, bytes; sessions at once, of 2,000 requests a second; s until all is copied. */
const MOST_MEMORY = 100e6;
const MOST_SESSIONS = 4_000;
const WELL_AGAIN = 5;
const BUSY = ['bash', '-c', 'while :; do :; done'];

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    only: { type: 'string', multiple: true, default: [''] },
    args: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

interface Outcome {
  /** Pairs of turns that lie next to each other. */
  readonly alone: readonly Turn[];
  readonly copied: readonly Turn[];
  readonly summary: SummaryObject;
  /** Resident memory of tcpcopy before the trouble, and at most. */
  readonly rssBefore: number;
  readonly peakRss: number;
  /** Connections that the target had open at once. */
  readonly most: number;
  /** CPU time of tcpcopy while its copying was measured, of one processor. */
  readonly cpu: number;
  /** From the end of the trouble until all connections are copied, s. */
  readonly recovery: number;
}

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}

// What is started from here stays there, unless it is moved.
pin(process.pid, OTHER_CPU);
const outcomes = new Map<string, Outcome>();
for (const trouble of CASES.filter(({ name }) => values.only.some((text) => name.startsWith(text)))) {
  console.error(`${trouble.name} …`);
  outcomes.set(trouble.name, await measure(trouble));
}

async function measure({ illness, args = [], pinned = false, absent = false }: Case): Promise<Outcome> {
  const lab = await Lab.create({ name: 'governor' });
  try {
    steer(lab);
    const online = lab.host('online');
    const nginx = await Nginx.start(online, { ports: [COPIED_PORT, OTHER_PORT, THIRD_PORT] });
    pin(nginx.child.pid, ONLINE_CPU);
    const target = await AilingServer.start(lab.host('test'), illness ?? 'hang');
    await startIntercept(lab.host('assistant'));
    const more = values.args.split(' ').filter((arg) => arg !== '');
    const quiet = ['--summary-interval', '0', '--metrics', String(METRICS)];
    const tcpcopy = await startTcpcopy(online, [...STANDARD_ARGS, ...quiet, ...args, ...more]);
    pin(tcpcopy.child.pid, ONLINE_CPU);
    await load(lab, COPIED_PORT, WARM_SECONDS);
    const rssBefore = tcpcopy.usage().peakRss;
    const busy = pinned ? [online, lab.host('client')].map((host) => host.spawn('busy', BUSY)) : [];
    if (pinned) pin(busy[0]!.pid, ONLINE_CPU);
    if (illness !== undefined) target.fallIll();
    await load(lab, COPIED_PORT, SEEN_SECONDS);
    const turns = await takeTurns(lab, tcpcopy, absent ? THIRD_PORT : COPIED_PORT);
    if (illness !== undefined) target.getWell();
    for (const child of busy) await child.stop('SIGKILL');
    const recovery = await recovered(lab);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);
    const { most } = await target.stop();
    return { ...turns, summary, most, rssBefore, peakRss: stopped.usage.peakRss, recovery };
  } finally {
    await lab.destroy();
  }
}

/** In even turns tcpcopy is stopped, and the load goes to a port that it does not look at; in odd ones to `port`. */
async function takeTurns(
  lab: Lab,
  tcpcopy: RunningProgram,
  port: number,
): Promise<Pick<Outcome, 'alone' | 'copied' | 'cpu'>> {
  const before = tcpcopy.usage().cpu;
  let over = false;
  const switching = (async () => {
    while (!over) {
      const now = Number(process.hrtime.bigint()) / 1e6;
      tcpcopy.child.kill(turnAt(now) % 2 === 1 && port === COPIED_PORT ? 'SIGCONT' : 'SIGSTOP');
      await sleep(Math.ceil((turnAt(now) + 1) * TURN - now));
    }
  })();
  const [alone, copied] = await alternate(lab.host('client'), {
    address: lab.host('online').on('front').v4,
    ports: [OTHER_PORT, port],
    seconds,
    through: AT_ONCE,
  });
  over = true;
  await switching;
  tcpcopy.child.kill('SIGCONT');
  if (tcpcopy.child.exit !== undefined) throw new Error(`tcpcopy has ended:\n${tcpcopy.output}`);
  return { alone, copied, cpu: (tcpcopy.usage().cpu - before) / (seconds * 1e6) / 2 };
}

async function recovered(lab: Lab): Promise<number> {
  const begin = performance.now();
  let seen = Infinity;
  const loaded = load(lab, COPIED_PORT, RECOVERY_SECONDS);
  while (seen === Infinity && performance.now() < begin + RECOVERY_SECONDS * 1_000) {
    const { governor } = JSON.parse(
      lab.host('online').sh(`curl -sS http://127.0.0.1:${METRICS}/status`),
    ) as SummaryObject;
    if (governor === null || governor.share === 1) seen = (performance.now() - begin) / 1_000;
    // Asking takes a part of the processors that are looked at.
    await sleep(250);
  }
  await loaded;
  return seen;
}

/** Half of it in short connections. */
async function load(lab: Lab, port: number, duration: number): Promise<void> {
  const address = lab.host('online').on('front').v4;
  const options = { address, port, seconds: duration, rate: 1_000, through: AT_ONCE };
  await Promise.all([
    runWrk(lab.host('client'), { ...options, tag: 'long' }),
    runWrk(lab.host('client'), { ...options, short: true, tag: 'short' }),
  ]);
}

/** A host handles what it receives on its own processor; in a lab the sender's would do it. */
function steer(lab: Lab): void {
  const script = (cpu: number): string =>
    `for f in /sys/class/net/*/queues/rx-*/rps_cpus; do echo ${1 << cpu} > $f; done`;
  for (const name of ['client', 'test', 'assistant'] as const) lab.host(name).sh(script(OTHER_CPU));
  lab.host('online').sh(script(ONLINE_CPU));
  bash(`ip netns exec ${lab.prefix}-switch bash -c '${script(OTHER_CPU)}'`);
}

/** With all its threads, and the processes it has started. */
function pin(pid: number, processor: number): void {
  bash(`for p in ${pid} $(pgrep -P ${pid}); do taskset -a -c -p ${processor} $p > /dev/null; done`);
}

const HEAD = [
  'trouble',
  'requests',
  'mean ms',
  'p50 ms',
  'p99 ms',
  'CPU %',
  'shed %',
  'most sessions',
  'RSS MB',
  'well again s',
];
const FIGURES = [
  (sorted: Float64Array) => sorted.reduce((a, b) => a + b, 0) / sorted.length,
  (sorted: Float64Array) => quantile(sorted, 0.5),
  (sorted: Float64Array) => quantile(sorted, 0.99),
];
const table = new Table({ head: HEAD, style: { head: [], border: [] } });
const missed: string[] = [];
for (const [name, { alone, copied, summary, most, cpu, rssBefore, peakRss, recovery }] of outcomes) {
  const { requests } = summary;
  table.push([
    name,
    served(alone, copied),
    ...FIGURES.map((figure) => compared(figure, alone, copied)),
    (100 * cpu).toFixed(1),
    ((100 * requests.buckets.shed) / requests.captured).toFixed(0),
    most,
    `${(peakRss / 1e6).toFixed(0)}\n+${((peakRss - rssBefore) / 1e6).toFixed(0)}`,
    recovery.toFixed(1),
  ]);
  if (peakRss - rssBefore > MOST_MEMORY) missed.push(`${name}: ${((peakRss - rssBefore) / 1e6).toFixed(0)} MB`);
  if (most > MOST_SESSIONS) missed.push(`${name}: ${most} sessions at once`);
  if (recovery > WELL_AGAIN) missed.push(`${name}: all copied again after ${recovery.toFixed(1)} s`);
}
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify([...outcomes], null, 2)}\n`);
for (const line of missed) console.log(`missed: ${line}`);
process.exitCode = missed.length === 0 ? 0 : 1;

/** Requests served in the turns with tcpcopy, and their number over that in those without. */
function served(alone: readonly Turn[], copied: readonly Turn[]): string {
  const [without, with_] = [alone, copied].map((turns) => turns.reduce((n, { latencies }) => n + latencies.length, 0));
  return `${with_}\n${(with_! / without!).toFixed(3)}`;
}

/** With tcpcopy; its ratio to that without, and between what that lies with a certainty of 95 %. */
function compared(figure: (sorted: Float64Array) => number, alone: readonly Turn[], copied: readonly Turn[]): string {
  const [without, with_]: Lists[] = [alone, copied].map((turns) => turns.map(({ latencies }) => latencies));
  const { ratio, low, high } = pooledRatio(with_!, without!, figure);
  const value = figure(Float64Array.from(with_!.flat()).sort());
  return `${value.toFixed(3)}\n${ratio.toFixed(2)} (${low.toFixed(2)}–${high.toFixed(2)})`;
}
