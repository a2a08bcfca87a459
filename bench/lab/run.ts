/**
 * The lab benchmark: fixed loads in network namespaces (root), real nginx on both sides, 1 KB responses unless said.
 *
 *     npm run bench:lab -- [--seconds 10] [--rounds 1] [--only TEXT] [--args '…'] [--json FILE] [--alone]
 *                          [--peer 'CMD …' --peer-intercept 'CMD …' [--beside]]
 *
 * See README.md beside this file.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { labObstacle } from '../../test/e2e/lab/lab.ts';
import { CASES } from './cases.ts';
import { NOBODY, ours, peer, peerCommands, type Contender } from './contender.ts';
import { measure, type Measurement } from './measure.ts';
import { median, medianRatio } from './ratio.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    rounds: { type: 'string', default: '1' },
    only: { type: 'string', multiple: true, default: [''] },
    args: { type: 'string', default: '' },
    json: { type: 'string' },
    alone: { type: 'boolean', default: false },
    peer: { type: 'string' },
    'peer-intercept': { type: 'string' },
    beside: { type: 'boolean', default: false },
  },
});

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}
const commands = peerCommands(values);
if (values.beside && values.peer === undefined) {
  console.error('bench: --beside needs a --peer to be beside');
  process.exit(2);
}

const cases = CASES.filter(({ name }) => values.only.some((text) => name.startsWith(text)));
const unknown = values.only.find((text) => !CASES.some(({ name }) => name.startsWith(text)));
if (unknown !== undefined) {
  const names = CASES.map(({ name }) => `  ${name}`).join('\n');
  console.error(`bench: no load begins with '${unknown}'; there are:\n${names}`);
  process.exit(2);
}

const contenders: Contender[] = [ours(values.args.split(' ').filter((arg) => arg !== ''))];
if (commands !== undefined) contenders.push(peer(commands));
/** Who copies in the same lab at the same time. */
const labs: Contender[][] = values.beside ? [contenders] : contenders.map((contender) => [contender]);
if (values.alone) labs.push([NOBODY]);

interface Result {
  readonly load: string;
  readonly contender: string;
  readonly runs: readonly Measurement[];
}

const results: Result[] = [];
for (const loadCase of cases) {
  const runs = labs.flat().map((): Measurement[] => []);
  for (let round = 0; round < Number(values.rounds); round++) {
    console.error(`${loadCase.name} ${round + 1}/${values.rounds} …`);
    let next = 0;
    for (const together of labs)
      for (const one of await measure(loadCase, together, Number(values.seconds))) runs[next++]!.push(one);
  }
  labs.flat().forEach(({ name }, i) => results.push({ load: loadCase.name, contender: name, runs: runs[i]! }));
}

const HEAD = [
  'load',
  'copier',
  'requests/s',
  'copied %',
  'wrong',
  'CPU µs a copy',
  'packets',
  'RSS MB',
  'lag ms p50/p99',
];
const table = new Table({
  head: HEAD,
  style: { head: [], border: [] },
  colAligns: ['left', 'left', ...HEAD.slice(2).map(() => 'right' as const)],
});

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
const perSecond = ({ requestsPerSecond }: Measurement) => requestsPerSecond;
const copiedOf = ({ runs }: Result) => runs.flatMap(({ copied }) => copied ?? []);

for (const result of results) {
  const copied = copiedOf(result);
  const middle = (pick: (c: (typeof copied)[number]) => number) => median(copied.map(pick));
  const row = [result.load, result.contender, median(result.runs.map(perSecond)).toFixed(0)];
  if (copied.length > 0) {
    row.push(
      middle((c) => c.copiedPercent).toFixed(2),
      `${Math.max(...copied.map((c) => c.wrong))}`,
      `${middle((c) => c.tcpcopy.cpuPerRequest).toFixed(1)} + ${middle((c) => c.intercept.cpuPerRequest).toFixed(1)}`,
      middle((c) => c.packetsPerCopy).toFixed(2),
      `${megabytes(middle((c) => c.tcpcopy.peakRss))} + ${megabytes(middle((c) => c.intercept.peakRss))}`,
      `${middle((c) => c.lagP50)} / ${middle((c) => c.lagP99)}`,
    );
  }
  table.push([...row, ...Array.from({ length: HEAD.length - row.length }, () => '')]);
  if (result.contender === 'peer') table.push(ratioRow(result));
}

/** Ours over the peer's. */
function ratioRow(theirs: Result): string[] {
  const ownResult = results.find(({ load, contender }) => load === theirs.load && contender === 'ours')!;
  const own = copiedOf(ownResult);
  const other = copiedOf(theirs);
  const ratio = (program: 'tcpcopy' | 'intercept') =>
    medianRatio(
      own.map((c) => c[program].cpuPerRequest),
      other.map((c) => c[program].cpuPerRequest),
    ).toFixed(2);
  const rate = medianRatio(ownResult.runs.map(perSecond), theirs.runs.map(perSecond)).toFixed(2);
  return ['', 'ours / peer', rate, '', '', `${ratio('tcpcopy')} + ${ratio('intercept')}`, '', '', ''];
}

console.log(table.toString());
for (const result of results) {
  const lost: Record<string, number> = {};
  for (const [reason, n] of copiedOf(result).flatMap((copied) => Object.entries(copied.lost)))
    lost[reason] = (lost[reason] ?? 0) + n;
  const reasons = Object.entries(lost).map(([reason, n]) => `${reason} ${n}`);
  if (reasons.length > 0) console.log(`not copied, warm-ups included: ${result.load}: ${reasons.join(', ')}`);
}
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
