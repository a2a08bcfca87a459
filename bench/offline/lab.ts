/**
 * Offline replay as fast as it goes to a real server, through our own TCP and intercept, in the lab (root):
 *
 *     npm run build && tsx bench/offline/lab.ts [--only short] [--args '--pace asap'] [--requests 20000]
 *
 * Reports the rate from the first packet to the last answer, what arrived by the server's own access log, and the cost.
 */
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { Lab, labObstacle } from '../../test/e2e/lab/lab.ts';
import { ASSISTANT } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { COPY_NET, HOSTS } from '../../test/e2e/lab/plan.ts';
import { RunningProgram, startIntercept } from '../../test/e2e/lab/programs.ts';
import { usageOf } from '../../test/e2e/lab/usage.ts';
import { KEEP_ALIVE, SHORT, writeRecording, type RecordingPlan } from './recordings.ts';

const { values } = parseArgs({
  options: {
    only: { type: 'string', default: '' },
    args: { type: 'string', default: '--pace asap' },
    requests: { type: 'string' },
  },
});

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}

const table = new Table({
  head: ['recording', 'requests', 'arrived', 'twice', 'requests/s', 'CPU µs a request', 'RSS MB', 'buckets'],
  style: { head: [], border: [] },
});

async function replay(lab: Lab, plan: RecordingPlan): Promise<void> {
  const test = await Nginx.start(lab.host('test'));
  const intercept = await startIntercept(lab.host('assistant'));
  const input = lab.host('online').file(`${plan.name}.pcap`);
  writeRecording(input, plan);
  const begun = usageOf(intercept.child.pid).cpu;
  const args = ['-i', input, '-x', `80-${HOSTS.test.back.v4}:80`, '-s', ASSISTANT, '-c', COPY_NET.pattern];
  const tcpcopy = new RunningProgram('tcpcopy', lab.host('online'), [...args, ...values.args.split(' ')]);
  let rss = 0;
  const watch = setInterval(() => {
    if (tcpcopy.child.exit === undefined) rss = Math.max(rss, usageOf(tcpcopy.child.pid).peakRss);
  }, 100);
  const { code } = await tcpcopy.child.exited;
  clearInterval(watch);
  if (code !== 0) throw new Error(`tcpcopy ended with ${code}:\n${tcpcopy.output}`);
  const summary = tcpcopy.summary();
  await test.settled();
  const ids = test.records().map(({ id }) => id);
  const arrived = new Set(ids).size;
  const perRequest = (cpu: number) => (cpu / arrived).toFixed(1);
  const cpu = `${perRequest(summary.cpuSeconds * 1e6)} + ${perRequest(usageOf(intercept.child.pid).cpu - begun)}`;
  table.push([
    plan.name,
    plan.requests,
    arrived,
    ids.length - arrived,
    (arrived / summary.elapsedSeconds).toFixed(0),
    cpu,
    (rss / 2 ** 20).toFixed(0),
    Object.entries(summary.requests.buckets)
      .map(([name, n]) => `${name} ${n}`)
      .join('\n'),
  ]);
}

for (const plan of [KEEP_ALIVE, SHORT].filter(({ name }) => name.startsWith(values.only))) {
  const lab = await Lab.create({ name: 'offline' });
  try {
    await replay(lab, { ...plan, requests: Number(values.requests ?? plan.requests) });
  } finally {
    await lab.destroy();
  }
}
console.log(table.toString());
