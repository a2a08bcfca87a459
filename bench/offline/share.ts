/**
 * One process of a replay to a sink in memory: started by `run.ts`, told by its arguments which recording it reads and which
 * of how many it is, and reporting its cost over the channel to its parent. What is measured is the built program.
 */
import { parseArgs } from 'node:util';
import type * as MachineContext from '../../src/cli/machine-context.ts';
import type * as YoungGeneration from '../../src/cli/young-generation.ts';
import type * as CopyOptionsSchema from '../../src/config/copy-options-schema.ts';
import type * as Log from '../../src/core/log.ts';
import type * as RunCopy from '../../src/replay/run-copy.ts';
import type * as Ledger from '../../src/report/ledger.ts';
import type { RunReport } from '../../src/report/run-report.ts';

const built = (path: string): Promise<unknown> => import(new URL(`../../dist/src/${path}`, import.meta.url).href);

const { letYoungGenerationGrowOnce } = (await built('cli/young-generation.js')) as typeof YoungGeneration;
const { machineContext } = (await built('cli/machine-context.js')) as typeof MachineContext;
const { parseCopyOptions } = (await built('config/copy-options-schema.js')) as typeof CopyOptionsSchema;
const { SILENT_LOG } = (await built('core/log.js')) as typeof Log;
const { runShare } = (await built('replay/run-copy.js')) as typeof RunCopy;
const { UNIT_BUCKETS } = (await built('report/ledger.js')) as typeof Ledger;

export interface ShareCost {
  readonly requests: number;
  readonly delivered: number;
  /** µs of CPU, of all threads. */
  readonly cpu: number;
  /** µs from when everything is loaded to the end. */
  readonly time: number;
  readonly peakRss: number;
}

const { values } = parseArgs({
  options: {
    input: { type: 'string', default: '' },
    index: { type: 'string', default: '0' },
    count: { type: 'string', default: '1' },
    passes: { type: 'string', default: '1' },
    plugin: { type: 'string', multiple: true, default: [] },
  },
});

const given = { input: [values.input], map: ['80-192.0.2.99:80'], write: '/dev/null', pace: 'asap', seed: '1' };
const { passes, plugin } = values;
const { options } = parseCopyOptions({ ...given, plugin, repeat: passes }, machineContext('tcpcopy'));
const last: { report?: RunReport } = {};
letYoungGenerationGrowOnce();
const before = process.cpuUsage();
const begun = performance.now();
await runShare(
  options,
  {
    log: SILENT_LOG,
    stdout: () => undefined,
    stopSignal: new AbortController().signal,
    statsRequests: () => undefined,
    started: () => undefined,
  },
  {
    index: Number(values.index),
    count: Number(values.count),
    fanout: undefined,
    report: (report) => (last.report = report),
    capturing: () => undefined,
  },
);
const { user, system } = process.cpuUsage(before);
const time = (performance.now() - begun) * 1e3;
const { ledger } = last.report!;
const bucket = (name: string) => ledger.units[(UNIT_BUCKETS as readonly string[]).indexOf(name)]!;
const cost: ShareCost = {
  requests: ledger.unitsOpened,
  delivered: bucket('answered') + bucket('unanswered'),
  cpu: user + system,
  time,
  peakRss: process.resourceUsage().maxRSS * 1024,
};
process.send!(cost);
process.disconnect();
