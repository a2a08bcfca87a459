/**
 * One trouble, measured: a lab whose online host has the first processor to itself, with nginx and the copier on it, while load,
 * target and intercept have the second. The trouble begins, turns with the copier and without are taken, and it ends.
 */
import type { SummaryObject } from '../../src/report/summary-json.ts';
import type { AilingServerOptions } from '../../test/e2e/lab/ailing-server.ts';
import { Lab } from '../../test/e2e/lab/lab.ts';
import { STANDARD_ARGS } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { startIntercept, startTcpcopy, stopTcpcopy } from '../../test/e2e/lab/programs.ts';
import { AilingServer } from '../../test/e2e/lab/servers.ts';
import { bash, sleep, type Child } from '../../test/e2e/lab/shell.ts';
import { usageOf } from '../../test/e2e/lab/usage.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import { alternate, inPairs, TURN, turnAt, type Turn } from './alternating-load.ts';
import { startPeer, type PeerCommands } from './contender.ts';
import type { Service } from './services.ts';
import { WireLatency } from './wire-latency.ts';

export interface Trouble {
  readonly name: string;
  readonly illness?: AilingServerOptions['illness'];
  readonly args?: readonly string[];
  /** Another process takes all it can get of the online host's processor. */
  readonly pinned?: boolean;
  /** Both kinds of turns are without: what the bench makes of nothing. */
  readonly absent?: boolean;
}

export interface Conditions {
  readonly service: Service;
  /** Of the turns in all. */
  readonly seconds: number;
  /** For tcpcopy. */
  readonly args: readonly string[];
  /** Instead of tcpcopy and intercept. */
  readonly peer: PeerCommands | undefined;
}

export interface Outcome {
  /** Pairs of turns that lie next to each other: how long requests were in the online host. */
  readonly alone: readonly Turn[];
  readonly copied: readonly Turn[];
  /** The same as clients see it. */
  readonly seen: { readonly alone: readonly Turn[]; readonly copied: readonly Turn[] };
  /** Resident memory of the copier before the trouble, and at most. */
  readonly rssBefore: number;
  readonly peakRss: number;
  /** Connections that the target had open at once. */
  readonly most: number;
  /** CPU time of the copier in the turns in which it copies, of one processor. */
  readonly cpu: number;
  /** What tcpcopy says of itself; a peer says nothing. */
  readonly own: OwnAccount | undefined;
}

interface OwnAccount {
  readonly summary: SummaryObject;
  /** From the end of the trouble until all connections are copied, s. */
  readonly recovery: number;
}

interface Copier {
  readonly child: Child;
  /** Once the trouble is over. */
  end(): Promise<OwnAccount | undefined>;
}

export const OTHER_CPU = 1;
const ONLINE_CPU = 0;
/** nginx serves all; only the first is copied. */
const COPIED_PORT = 80;
const OTHER_PORT = 81;
const THIRD_PORT = 82;
const METRICS = 9464;
/** Clients that share a processor with the target and with intercept would wait for those, and call it latency. */
const AT_ONCE = ['chrt', '-f', '1'];
/** How far into the turn without it the copier may finish what it has begun, ms: stopped before, it would find itself late. */
const FINISHES = 20;
/** Until code is compiled, at twice the rate, and until the governor has seen what there is to see. */
const WARM_SECONDS = 14;
const WARM_RATE = 2;
const SEEN_SECONDS = 4;
const RECOVERY_SECONDS = 9;
const BUSY = ['bash', '-c', 'while :; do :; done'];
/**
 * Takes what nobody else wants of a processor. The two may be threads of one core: then the online host's would be slower in those
 * turns in which the other has a target and an intercept to run, by up to a third, and so would everything that is measured.
 */
const FILLING = ['chrt', '-i', '0', ...BUSY];

export async function measure(trouble: Trouble, conditions: Conditions): Promise<Outcome> {
  const { illness, pinned = false, absent = false } = trouble;
  const { service } = conditions;
  const lab = await Lab.create({ name: 'governor' });
  try {
    steer(lab);
    const online = lab.host('online');
    const nginx = await Nginx.start(online, { ports: [COPIED_PORT, OTHER_PORT, THIRD_PORT] });
    pin(nginx.child.pid, ONLINE_CPU);
    const target = await AilingServer.start(lab.host('test'), illness ?? 'hang');
    const copier = await startCopier(lab, trouble, conditions);
    const { pid } = copier.child;
    pin(pid, ONLINE_CPU);
    await load(lab, { ...service, rate: service.rate * WARM_RATE }, WARM_SECONDS);
    lab.host('client').spawn('filling', FILLING);
    const rssBefore = usageOf(pid).peakRss;
    const busy = pinned ? [online, lab.host('client')].map((host) => host.spawn('busy', BUSY)) : [];
    if (pinned) pin(busy[0]!.pid, ONLINE_CPU);
    if (illness !== undefined) target.fallIll();
    await load(lab, service, SEEN_SECONDS);
    const turns = await takeTurns(lab, copier.child, absent ? THIRD_PORT : COPIED_PORT, conditions);
    if (illness !== undefined) target.getWell();
    for (const child of busy) await child.stop('SIGKILL');
    const own = await copier.end();
    const { peakRss } = copier.child.exit === undefined ? usageOf(pid) : turns;
    const { most } = await target.stop();
    return { ...turns, most, rssBefore, peakRss, own };
  } finally {
    await lab.destroy();
  }
}

async function startCopier(lab: Lab, { args = [] }: Trouble, { service, peer, ...given }: Conditions): Promise<Copier> {
  if (peer !== undefined) {
    const { tcpcopy } = await startPeer(lab, peer);
    return { child: tcpcopy, end: () => Promise.resolve(undefined) };
  }
  await startIntercept(lab.host('assistant'));
  const quiet = ['--summary-interval', '0', '--metrics', String(METRICS)];
  const program = await startTcpcopy(lab.host('online'), [...STANDARD_ARGS, ...quiet, ...args, ...given.args]);
  return {
    child: program.child,
    async end() {
      const recovery = await recovered(lab, service);
      const { summary } = await stopTcpcopy(program);
      return { summary, recovery };
    },
  };
}

/** In even turns the copier is stopped once it is done, and the load goes to a port that it does not look at; in odd ones to `port`. */
async function takeTurns(
  lab: Lab,
  copier: Child,
  port: number,
  { service, seconds }: Conditions,
): Promise<Pick<Outcome, 'alone' | 'copied' | 'seen' | 'cpu' | 'peakRss'>> {
  const wire = await WireLatency.start(lab, 'online', [COPIED_PORT, OTHER_PORT, THIRD_PORT]);
  const before = usageOf(copier.pid).cpu;
  let over = false;
  const switching = (async () => {
    while (!over) {
      const now = Number(process.hrtime.bigint()) / 1e6;
      const copies = turnAt(now) % 2 === 1 && port === COPIED_PORT;
      if (!copies) await sleep(FINISHES);
      copier.kill(copies ? 'SIGCONT' : 'SIGSTOP');
      await sleep(Math.ceil((turnAt(now) + 1) * TURN - now));
    }
  })();
  const [seenAlone, seenCopied] = await alternate(lab.host('client'), {
    address: lab.host('online').on('front').v4,
    ports: [OTHER_PORT, port],
    service,
    seconds,
    through: AT_ONCE,
  });
  over = true;
  await switching;
  copier.kill('SIGCONT');
  if (copier.exit !== undefined) throw new Error(`the copier has ended; its output is in ${copier.outputFile}`);
  const { cpu, peakRss } = usageOf(copier.pid);
  const [alone, copied] = inPairs(await wire.stop());
  const seen = { alone: seenAlone, copied: seenCopied };
  return { alone, copied, seen, cpu: (cpu - before) / ((seconds * 1e6) / 2), peakRss };
}

async function recovered(lab: Lab, service: Service): Promise<number> {
  const begin = performance.now();
  let seen = Infinity;
  const loaded = load(lab, service, RECOVERY_SECONDS);
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
async function load(lab: Lab, service: Service, duration: number): Promise<void> {
  const address = lab.host('online').on('front').v4;
  const rate = service.rate / 2;
  const options = { ...service.load, address, port: COPIED_PORT, seconds: duration, rate, through: AT_ONCE };
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
export function pin(pid: number, processor: number): void {
  bash(`for p in ${pid} $(pgrep -P ${pid}); do taskset -a -c -p ${processor} $p > /dev/null; done`);
}
