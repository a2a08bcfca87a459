/**
 * Offline replay as fast as it goes, to a sink in memory: from the frames of a recording through reassembly, pipeline and
 * the TCP client to the packets that would be sent, in one process and in two that share the connections.
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
import { KEEP_ALIVE, SHORT, writeRecording } from './recordings.ts';
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
  /** Slowest process, s. */
  readonly wall: number;
  /** Of all processes, and of the busiest, s. */
  readonly cpu: number;
  readonly busiest: number;
  readonly rss: number;
  readonly requests: number;
  readonly lost: number;
}

async function run(input: string, workers: number): Promise<Cost> {
  const begun = performance.now();
  const shares = await Promise.all(Array.from({ length: workers }, (_, index) => share(input, index, workers)));
  const sum = (pick: (cost: ShareCost) => number) => shares.reduce((total, cost) => total + pick(cost), 0);
  return {
    wall: (performance.now() - begun) / 1e3,
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

const WORKERS = [1, 2];
const folder = values.keep ?? mkdtempSync(join(tmpdir(), 'tcpcopy-bench-offline-'));
const table = new Table({
  head: ['recording', 'workers', 'requests/s', 'of CPU time', 'µs a request', 'lost', 'RSS MB', 'faster'],
  style: { head: [], border: [] },
});
try {
  mkdirSync(folder, { recursive: true });
  for (const plan of [KEEP_ALIVE, SHORT].filter(({ name }) => name.startsWith(values.only))) {
    const input = join(folder, `${plan.name}.pcap`);
    if (!existsSync(input)) writeRecording(input, plan);
    const costs = WORKERS.map((): Cost[] => []);
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const [i, workers] of WORKERS.entries()) costs[i]!.push(await run(input, workers));
    }
    for (const [i, workers] of WORKERS.entries()) {
      const middle = (pick: (cost: Cost) => number, of = costs[i]!) => median(of.map(pick));
      const requests = costs[i]![0]!.requests;
      const recorded = plan.requests * Number(values.passes);
      if (requests !== recorded) throw new Error(`${requests} requests were found of ${recorded}`);
      const busiest = middle((cost) => cost.busiest);
      table.push([
        plan.name,
        workers,
        (requests / middle((cost) => cost.wall)).toFixed(0),
        (requests / busiest).toFixed(0),
        ((middle((cost) => cost.cpu) * 1e6) / requests).toFixed(2),
        Math.max(...costs[i]!.map(({ lost }) => lost)),
        (middle((cost) => cost.rss) / 2 ** 20).toFixed(0),
        `${(middle((cost) => cost.busiest, costs[0]) / busiest).toFixed(2)}`,
      ]);
    }
  }
} finally {
  if (values.keep === undefined) rmSync(folder, { recursive: true });
}
console.log(table.toString());
