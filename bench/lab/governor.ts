/**
 * What a copier costs the online service while its target, or the host itself, is in trouble: rate and latency of 2,000 requests
 * a second with tcpcopy beside them, and without, turn by turn (root).
 *
 *     npm run bench:governor -- [--pairs 16] [--seconds 2] [--only TEXT] [--args '…'] [--json FILE]
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
/** nginx serves both; only the first is copied. */
const COPIED_PORT = 80;
const OTHER_PORT = 81;
const METRICS = 9464;
/** Clients that share a processor with the target and with intercept would wait for those, and call it latency. */
const AT_ONCE = ['chrt', '-f', '1'];
/** Until code is compiled, and until the governor has seen what there is to see. */
const WARM_SECONDS = 3;
const SEEN_SECONDS = 4;
const RECOVERY_SECONDS = 7;
const BUSY = ['bash', '-c', 'while :; do :; done'];

const { values } = parseArgs({
  options: {
    pairs: { type: 'string', default: '16' },
    seconds: { type: 'string', default: '2' },
    only: { type: 'string', multiple: true, default: [''] },
    args: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});
const seconds = Number(values.seconds);

interface Online {
  readonly perSecond: number;
  readonly mean: number;
  readonly p50: number;
  readonly p99: number;
}

interface Outcome {
  /** Turns in the order they were taken: without, with, with, without, and so on. */
  readonly alone: readonly Online[];
  readonly copied: readonly Online[];
  readonly summary: SummaryObject;
  readonly peakRss: number;
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

async function measure({ illness, args = [], pinned = false }: Case): Promise<Outcome> {
  const lab = await Lab.create({ name: 'governor' });
  try {
    steer(lab);
    const online = lab.host('online');
    const nginx = await Nginx.start(online, { ports: [COPIED_PORT, OTHER_PORT] });
    pin(nginx.child.pid, ONLINE_CPU);
    const target = await AilingServer.start(lab.host('test'), illness ?? 'hang');
    await startIntercept(lab.host('assistant'));
    const more = values.args.split(' ').filter((arg) => arg !== '');
    const quiet = ['--summary-interval', '0', '--metrics', String(METRICS)];
    const tcpcopy = await startTcpcopy(online, [...STANDARD_ARGS, ...quiet, ...args, ...more]);
    pin(tcpcopy.child.pid, ONLINE_CPU);
    await load(lab, COPIED_PORT, WARM_SECONDS);
    const busy = pinned ? [online, lab.host('client')].map((host) => host.spawn('busy', BUSY)) : [];
    if (pinned) pin(busy[0]!.pid, ONLINE_CPU);
    if (illness !== undefined) target.fallIll();
    await load(lab, COPIED_PORT, SEEN_SECONDS);
    const turns = await takeTurns(lab, tcpcopy);
    if (illness !== undefined) target.getWell();
    for (const child of busy) await child.stop('SIGKILL');
    const recovery = await recovered(lab);
    const { summary, stopped } = await stopTcpcopy(tcpcopy);
    return { ...turns, summary, peakRss: stopped.usage.peakRss, recovery };
  } finally {
    await lab.destroy();
  }
}

/** Without copying, tcpcopy is stopped, and the load goes to a port that it does not look at. */
async function takeTurns(lab: Lab, tcpcopy: RunningProgram): Promise<Pick<Outcome, 'alone' | 'copied' | 'cpu'>> {
  const alone: Online[] = [];
  const copied: Online[] = [];
  let cpu = 0;
  for (let turn = 0; turn < 2 * Number(values.pairs); turn++) {
    const copying = turn % 4 === 1 || turn % 4 === 2;
    tcpcopy.child.kill(copying ? 'SIGCONT' : 'SIGSTOP');
    await sleep(100);
    if (tcpcopy.child.exit !== undefined) throw new Error(`tcpcopy has ended:\n${tcpcopy.output}`);
    const before = tcpcopy.usage().cpu;
    (copying ? copied : alone).push(await load(lab, copying ? COPIED_PORT : OTHER_PORT, seconds));
    if (copying) cpu += tcpcopy.usage().cpu - before;
  }
  tcpcopy.child.kill('SIGCONT');
  return { alone, copied, cpu: cpu / (copied.length * seconds * 1e6) };
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
    await sleep(100);
  }
  await loaded;
  return seen;
}

/** Half of it in short connections. */
async function load(lab: Lab, port: number, duration: number): Promise<Online> {
  const address = lab.host('online').on('front').v4;
  const options = { address, port, seconds: duration, rate: 1_000, through: AT_ONCE };
  const [long, short] = await Promise.all([
    runWrk(lab.host('client'), { ...options, tag: 'long' }),
    runWrk(lab.host('client'), { ...options, short: true, tag: 'short' }),
  ]);
  const both = (pick: (of: typeof long) => number): number => (pick(long) + pick(short)) / 2;
  return {
    perSecond: long.perSecond + short.perSecond,
    mean: both(({ latency }) => latency.mean),
    p50: both(({ latency }) => latency.p50),
    p99: both(({ latency }) => latency.p99),
  };
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
  'requests/s',
  'mean ms',
  'p50 ms',
  'p99 ms',
  'CPU %',
  'shed %',
  'sessions',
  'RSS MB',
  'well again s',
];
const table = new Table({ head: HEAD, style: { head: [], border: [] } });
for (const [name, { alone, copied, summary, cpu, peakRss, recovery }] of outcomes) {
  const { requests } = summary;
  table.push([
    name,
    ...(['perSecond', 'mean', 'p50', 'p99'] as const).map((figure) => compared(figure, alone, copied)),
    (100 * cpu).toFixed(1),
    ((100 * requests.buckets.shed) / requests.captured).toFixed(0),
    summary.target.sessions,
    (peakRss / 2 ** 20).toFixed(0),
    recovery.toFixed(1),
  ]);
}
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify([...outcomes], null, 2)}\n`);

/** With tcpcopy: the median; its ratio to that without, turn by turn; in brackets that of turns without to each other. */
function compared(figure: keyof Online, alone: readonly Online[], copied: readonly Online[]): string {
  const [without, with_] = [alone, copied].map((turns) => turns.map((turn) => turn[figure])) as [number[], number[]];
  // Without, with, with, without: the turns without that lie next to each other are the second and third, and so on.
  const [odd, even] = [1, 2].map((from) => without.filter((_, i) => i >= from && (i - from) % 2 === 0));
  const floor = even!.map((value, i) => Math.abs(Math.log(value / odd![i]!)));
  return `${median(with_).toFixed(figure === 'perSecond' ? 0 : 3)}\n${medianRatio(with_, without).toFixed(3)} (±${(100 * median(floor)).toFixed(0)} %)`;
}
