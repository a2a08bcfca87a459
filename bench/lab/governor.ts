/**
 * What a copier costs the online service while its target, or the host itself, is in trouble: rate and latency of the requests of
 * a service with tcpcopy beside them, and without, in turns of a fraction of a second (root). Exit code 1 when a cap did not hold, or
 * all was not copied again in time.
 *
 *     npm run bench:governor -- [--seconds 40] [--only TEXT] [--service 1k|page] [--args '…'] [--json FILE]
 *                               [--peer 'CMD …' --peer-intercept 'CMD …']
 *
 * See README.md beside this file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { labObstacle } from '../../test/e2e/lab/lab.ts';
import type { Turn } from './alternating-load.ts';
import { peerCommands } from './contender.ts';
import { measure, OTHER_CPU, pin, type Outcome, type Trouble } from './governor-measure.ts';
import { pooledRatio, quantile } from './ratio.ts';
import { SERVICES } from './services.ts';

type Lists = readonly (readonly number[])[];

const TROUBLES: readonly Trouble[] = [
  { name: 'no copier', absent: true },
  { name: 'well' },
  { name: 'hung', illness: 'hang' },
  { name: 'slow', illness: 'slow' },
  { name: '5xx', illness: 'error', args: ['--plugin', 'log,responses,file=/dev/null'] },
  { name: 'resetting', illness: 'reset' },
  { name: 'busy host', pinned: true, args: ['--max-host-cpu', '90'] },
];

/** What must hold in each trouble: memory beyond that before, bytes; sessions at once; s until all is copied. */
const MOST_MEMORY = 100e6;
const MOST_SESSIONS = 4_000;
const WELL_AGAIN = 5;

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '40' },
    only: { type: 'string', multiple: true, default: [''] },
    service: { type: 'string', multiple: true, default: [''] },
    args: { type: 'string', default: '' },
    json: { type: 'string' },
    peer: { type: 'string' },
    'peer-intercept': { type: 'string' },
  },
});

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}
const peer = peerCommands(values);

interface Row extends Outcome {
  readonly service: string;
  readonly trouble: string;
  readonly copier: string;
}

// What is started from here stays there, unless it is moved.
pin(process.pid, OTHER_CPU);
const rows: Row[] = [];
for (const trouble of TROUBLES.filter(({ name }) => values.only.some((text) => name.startsWith(text)))) {
  for (const service of SERVICES.filter(({ name }) => values.service.some((text) => name.startsWith(text)))) {
    for (const copier of peer === undefined || trouble.absent === true ? ['ours'] : ['ours', 'peer']) {
      console.error(`${trouble.name}, ${service.name}, ${copier} …`);
      const args = values.args.split(' ').filter((arg) => arg !== '');
      const conditions = { service, seconds: Number(values.seconds), args, peer: copier === 'peer' ? peer : undefined };
      rows.push({ service: service.name, trouble: trouble.name, copier, ...(await measure(trouble, conditions)) });
    }
  }
}

const HEAD = [
  'trouble',
  'requests',
  'mean ms',
  'p50 ms',
  'p99 ms',
  'clients:\np50 ms',
  'CPU %',
  'shed %',
  'most sessions',
  'RSS MB',
  'well again s',
];
const median = (sorted: Float64Array): number => quantile(sorted, 0.5);
const FIGURES = [
  (sorted: Float64Array) => sorted.reduce((a, b) => a + b, 0) / sorted.length,
  median,
  (sorted: Float64Array) => quantile(sorted, 0.99),
];
const table = new Table({ head: HEAD, style: { head: [], border: [] } });
const missed: string[] = [];
for (const { trouble, service, copier, alone, copied, seen, own, most, cpu, rssBefore, peakRss } of rows) {
  const name = `${trouble}, ${service}${copier === 'ours' ? '' : `, ${copier}`}`;
  const requests = own?.summary.requests;
  table.push([
    name.replaceAll(', ', '\n'),
    served(alone, copied),
    ...FIGURES.map((figure) => compared(figure, alone, copied)),
    compared(median, seen.alone, seen.copied),
    (100 * cpu).toFixed(1),
    requests === undefined ? '' : ((100 * requests.buckets.shed) / requests.captured).toFixed(0),
    most,
    `${(peakRss / 1e6).toFixed(0)}\n+${((peakRss - rssBefore) / 1e6).toFixed(0)}`,
    own?.recovery.toFixed(1) ?? '',
  ]);
  // A peer is not held to anything.
  if (own === undefined) continue;
  if (peakRss - rssBefore > MOST_MEMORY) missed.push(`${name}: ${((peakRss - rssBefore) / 1e6).toFixed(0)} MB`);
  if (most > MOST_SESSIONS) missed.push(`${name}: ${most} sessions at once`);
  if (own.recovery > WELL_AGAIN) missed.push(`${name}: all copied again after ${own.recovery.toFixed(1)} s`);
}
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(rows, null, 2)}\n`);
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
