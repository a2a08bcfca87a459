/**
 * Offline replay as fast as it goes to a real server, through our own TCP and intercept, in the lab (root):
 *
 *     npm run build && tsx bench/offline/lab.ts [--only short] [--args '--pace asap'] [--requests 20000] [--rounds 3]
 *         [--peer 'CMD … FILE …' --peer-intercept 'CMD …']
 *
 * Rates are of the requests that arrived, from the start of the program until the last of their bytes had reached the test
 * host, and until the last was answered: a server that is sent requests without pause still works them off when the copier is
 * done. CPU is of tcpcopy and intercept. A peer's two programs run in the online host and the assistant, in alternation with
 * ours; FILE is the recording.
 */
import { statSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Lab, labObstacle } from '../../test/e2e/lab/lab.ts';
import { ASSISTANT } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { CONTROL_PORT, COPY_NET, HOSTS } from '../../test/e2e/lab/plan.ts';
import { RunningProgram, startIntercept } from '../../test/e2e/lab/programs.ts';
import { outputOf } from '../../test/e2e/lab/host.ts';
import { sleep } from '../../test/e2e/lab/shell.ts';
import { usageOf } from '../../test/e2e/lab/usage.ts';
import { KEEP_ALIVE, SHORT, writeRecording, type RecordingPlan } from './recordings.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    args: { type: 'string', default: '--pace asap' },
    requests: { type: 'string' },
    rounds: { type: 'string', default: '1' },
    peer: { type: 'string' },
    'peer-intercept': { type: 'string', default: 'intercept' },
  },
});

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}

const table = new Table({
  head: [
    'recording',
    'by',
    'requests',
    'arrived',
    'twice',
    'reached it/s',
    'answered/s',
    'CPU µs a request',
    'RSS MB',
    'buckets',
  ],
  style: { head: [], border: [] },
});

/** Puts down, a line each, when (ns) how many packets with data had come for the service. */
const ARRIVALS = `
  iptables -A INPUT -p tcp --dport 80 -m length --length 80:65535
  while sleep 0.1; do
    echo $(date +%s%N) $(iptables -nvxL INPUT | tail -1)
  done`;

/** Without an answer for so long, ms, a peer is taken to be done. */
const PEER_SILENCE = 5_000;

interface Replayed {
  /** µs. */
  readonly cpu: number;
  readonly rss: number;
  readonly buckets: Readonly<Record<string, number>>;
}

async function byUs(lab: Lab, input: string): Promise<Replayed> {
  const args = ['-i', input, '-x', `80-${HOSTS.test.back.v4}:80`, '-s', ASSISTANT, '-c', COPY_NET.pattern];
  const tcpcopy = new RunningProgram('tcpcopy', lab.host('online'), [...args, ...values.args.split(' ')]);
  let rss = 0;
  const watch = setInterval(() => {
    if (tcpcopy.child.exit === undefined) rss = Math.max(rss, usageOf(tcpcopy.child.pid).peakRss);
  }, 100);
  const { code } = await tcpcopy.child.exited;
  clearInterval(watch);
  if (code !== 0) throw new Error(`tcpcopy ended with ${code}:\n${tcpcopy.output}`);
  const { cpuSeconds, requests } = tcpcopy.summary();
  return { cpu: cpuSeconds * 1e6, rss, buckets: requests.buckets };
}

/** A peer may stay when it is done: it is, when nothing more arrives. */
async function byPeer(lab: Lab, command: string, input: string, lastAnswer: () => number): Promise<Replayed> {
  const child = lab.host('online').spawn('peer-tcpcopy', ['bash', '-c', `exec ${command.replaceAll('FILE', input)}`]);
  let used = { cpu: 0, rss: 0 };
  let seen = 0;
  while (Date.now() - lastAnswer() < PEER_SILENCE && child.exit === undefined) {
    if (lastAnswer() !== seen) {
      const { cpu, peakRss: rss } = usageOf(child.pid);
      used = { cpu, rss };
    }
    seen = lastAnswer();
    await sleep(100);
  }
  await child.stop();
  return { ...used, buckets: {} };
}
async function replay(lab: Lab, plan: RecordingPlan, peer: string | undefined): Promise<void> {
  const test = await Nginx.start(lab.host('test'));
  const arrivals = lab.host('test').spawn('arrivals', ['bash', '-c', ARRIVALS]);
  const assistant = lab.host('assistant');
  const intercept =
    peer === undefined
      ? (await startIntercept(assistant)).child
      : assistant.spawn('peer-intercept', ['bash', '-c', `exec ${values['peer-intercept']}`]);
  await assistant.listening(CONTROL_PORT);
  const input = lab.host('online').file(`${plan.name}.pcap`);
  writeRecording(input, plan);
  const begun = usageOf(intercept.pid).cpu;
  const started = Date.now();
  const answers = watchGrowth(lab.host('test').file('access.log'));
  const { cpu, rss, buckets } = await (peer === undefined ? byUs(lab, input) : byPeer(lab, peer, input, answers.last));
  await test.settled();
  answers.stop();
  await arrivals.stop();
  const records = test.records();
  const arrived = new Set(records.map(({ id }) => id)).size;
  const rate = (until: number) => ((arrived * 1e3) / (until - started)).toFixed(0);
  const perRequest = (micros: number) => (micros / arrived).toFixed(1);
  table.push([
    plan.name,
    peer === undefined ? 'tcpcopy' : 'peer',
    plan.requests,
    arrived,
    records.length - arrived,
    rate(lastArrival(outputOf(arrivals))),
    rate(answers.last()),
    `${perRequest(cpu)} + ${perRequest(usageOf(intercept.pid).cpu - begun)}`,
    (rss / 2 ** 20).toFixed(0),
    Object.entries(buckets)
      .flatMap(([name, n]) => (n > 0 ? [`${name} ${n}`] : []))
      .join('\n'),
  ]);
}

/** When a file grew last, ms: nginx's own clock stands still while requests wait for it. */
function watchGrowth(file: string): { last(this: void): number; stop(this: void): void } {
  let [seen, at] = [0, Date.now()];
  const timer = setInterval(() => {
    const now = statSync(file).size;
    if (now !== seen) at = Date.now();
    seen = now;
  }, 50);
  return { last: () => at, stop: () => clearInterval(timer) };
}

/** Of the output of `ARRIVALS`: when the count grew last, ms. */
function lastArrival(output: string): number {
  const lines = output
    .trim()
    .split('\n')
    .map((line) => line.split(' '));
  return Number(lines.find(([, packets]) => packets === lines.at(-1)![1])![0]) / 1e6;
}

for (const plan of [KEEP_ALIVE, SHORT].filter(({ name }) => name.startsWith(values.only))) {
  for (let round = 0; round < Number(values.rounds); round++) {
    for (const peer of values.peer === undefined ? [undefined] : [undefined, values.peer]) {
      const lab = await Lab.create({ name: 'offline' });
      try {
        await replay(lab, { ...plan, requests: Number(values.requests ?? plan.requests) }, peer);
      } finally {
        await lab.destroy();
      }
    }
  }
}
console.log(table.toString());
