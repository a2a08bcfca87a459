/**
 * The lab benchmark: fixed loads in network namespaces (root), real nginx on both sides, 1 KB responses unless said.
 *
 *     npm run bench:lab -- [--seconds 10] [--only TEXT] [--json FILE]
 *
 * CPU is user and system time from /proc/PID/stat per request that reached the online server. Everything shares this
 * machine's cores: absolute figures drift with them, ratios hold.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { labObstacle } from '../../test/e2e/lab/lab.ts';
import { CASES } from './cases.ts';
import { measure, type Measurement } from './measure.ts';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '10' },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
  },
});

const obstacle = labObstacle();
if (obstacle !== undefined) {
  console.error(`bench: no lab can be built here: ${obstacle}`);
  process.exit(2);
}

const megabytes = (bytes: number) => (bytes / 2 ** 20).toFixed(0);
const results: (Measurement & { readonly name: string })[] = [];
for (const loadCase of CASES.filter(({ name }) => name.includes(values.only))) {
  console.error(`${loadCase.name} …`);
  results.push({ name: loadCase.name, ...(await measure(loadCase, Number(values.seconds))) });
}

const table = new Table({
  head: ['load', 'requests/s', 'copied %', 'wrong', 'CPU µs/request tcpcopy + intercept', 'peak RSS MB'],
  style: { head: [], border: [] },
  colAligns: ['left', 'right', 'right', 'right', 'right', 'right'],
});
for (const r of results)
  table.push([
    r.name,
    r.requestsPerSecond.toFixed(0),
    r.copiedPercent.toFixed(2),
    r.wrong,
    `${r.tcpcopy.cpuPerRequest.toFixed(1)} + ${r.intercept.cpuPerRequest.toFixed(1)}`,
    `${megabytes(r.tcpcopy.peakRss)} + ${megabytes(r.intercept.peakRss)}`,
  ]);
console.log(table.toString());
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(results, null, 2)}\n`);
