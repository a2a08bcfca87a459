/**
 * Offline replay as fast as it goes, to a sink in memory: from the frames of a recording through reassembly, pipeline and
 * the TCP client to the packets that would be sent, in one process, in two that share the connections, and in two that share
 * nothing but the machine: with half a recording each, which is the most that two can be.
 *
 *     npm run bench:offline -- [--rounds 3] [--only short] [--passes 4] [--plugin http] [--keep FOLDER]
 */
import { fork } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { median } from '../lab/ratio.ts';
import { KEEP_ALIVE, SHORT, writeRecording, type RecordingPlan } from './recordings.ts';
import type { ShareCost } from './share.ts';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    passes: { type: 'string', default: '1' },
    plugin: { type: 'string', multiple: true, default: [] },
    keep: { type: 'string' },
  },
});

interface Cost {
  /** Of the slowest process, s: from its start, and from when everything is loaded. */
  readonly wall: number;
  readonly time: number;
  /** Of all processes, and of the busiest, s. */
  readonly cpu: number;
  readonly busiest: number;
  readonly rss: number;
  readonly requests: number;
  readonly lost: number;
}

interface Way {
  readonly name: string;
  readonly processes: number;
  /** Part of the recording that each of them is given to read. */
  readonly part: number;
}

async function run(input: string, { processes, part }: Way): Promise<Cost> {
  const begun = performance.now();
  const shares = await Promise.all(
    Array.from({ length: processes }, (_, index) => (part < 1 ? share(input, 0, 1) : share(input, index, processes))),
  );
  const sum = (pick: (cost: ShareCost) => number) => shares.reduce((total, cost) => total + pick(cost), 0);
  return {
    wall: (performance.now() - begun) / 1e3,
    time: Math.max(...shares.map(({ time }) => time)) / 1e6,
    cpu: sum(({ cpu }) => cpu) / 1e6,
    busiest: Math.max(...shares.map(({ cpu }) => cpu)) / 1e6,
    rss: Math.max(...shares.map(({ peakRss }) => peakRss)),
    requests: sum(({ requests }) => requests),
    lost: sum(({ requests, delivered }) => requests - delivered),
  };
}

function share(input: string, index: number, count: number): Promise<ShareCost> {
  const file = fileURLToPath(new URL('share.ts', import.meta.url));
  const plugins = values.plugin.flatMap((plugin) => ['--plugin', plugin]);
  const args = ['--input', input, '--index', `${index}`, '--count', `${count}`, '--passes', values.passes, ...plugins];
  const child = fork(file, args, { execArgv: ['--import', 'tsx'] });
  return new Promise((resolve, reject) => {
    child.once('message', (cost) => resolve(cost as ShareCost));
    child.once('exit', (code) => reject(new Error(`a process of the replay ended with ${code}`)));
  });
}

const WAYS: readonly Way[] = [
  { name: '1', processes: 1, part: 1 },
  { name: '2', processes: 2, part: 1 },
  { name: '2 with half each', processes: 2, part: 1 / 2 },
];

function recordingFor(plan: RecordingPlan, part: number): string {
  const input = join(folder, `${plan.name}${part < 1 ? '-half' : ''}.pcap`);
  const { requests, connections } = plan;
  if (!existsSync(input))
    writeRecording(input, { ...plan, requests: requests * part, connections: connections * part });
  return input;
}

/** The median of the rounds, in brackets the least and the most. */
function spread(ratios: readonly number[]): string {
  const [least, most] = [Math.min(...ratios), Math.max(...ratios)];
  return `${median(ratios).toFixed(2)} (${least.toFixed(2)}–${most.toFixed(2)})`;
}

const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'tcpcopy-bench-offline-'));
const table = new Table({
  head: ['recording', 'workers', 'requests/s', 'of CPU time', 'µs a request', 'lost', 'RSS MB', 'faster', 'by time'],
  style: { head: [], border: [] },
});
try {
  mkdirSync(folder, { recursive: true });
  for (const plan of [KEEP_ALIVE, SHORT].filter(({ name }) => name.startsWith(values.only))) {
    const inputs = WAYS.map(({ part }) => recordingFor(plan, part));
    const costs = WAYS.map((): Cost[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [i, way] of WAYS.entries()) costs[i]!.push(await run(inputs[i]!, way));
    }
    for (const [i, { name }] of WAYS.entries()) {
      const own = costs[i]!;
      const middle = (pick: (cost: Cost) => number) => median(own.map(pick));
      const faster = (pick: (cost: Cost) => number) => spread(own.map((cost, n) => pick(costs[0]![n]!) / pick(cost)));
      const requests = own[0]!.requests;
      const recorded = plan.requests * Number(values.passes);
      if (requests !== recorded) throw new Error(`${requests} requests were found of ${recorded}`);
      table.push([
        plan.name,
        name,
        (requests / middle((cost) => cost.wall)).toFixed(0),
        (requests / middle((cost) => cost.busiest)).toFixed(0),
        ((middle((cost) => cost.cpu) * 1e6) / requests).toFixed(2),
        Math.max(...own.map(({ lost }) => lost)),
        (middle((cost) => cost.rss) / 2 ** 20).toFixed(0),
        faster((cost) => cost.busiest),
        faster((cost) => cost.time),
      ]);
    }
  }
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true });
}
console.log(table.toString());
