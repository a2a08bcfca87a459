/** One load in a fresh lab: what share of it was copied, and what that cost. */
import { withLab } from '../../test/e2e/lab/lab.ts';
import { arrived, STANDARD_ARGS } from '../../test/e2e/lab/live-copy.ts';
import { Nginx } from '../../test/e2e/lab/nginx.ts';
import { startIntercept, startTcpcopy, type RunningProgram } from '../../test/e2e/lab/programs.ts';
import { compareTraffic } from '../../test/e2e/lab/traffic-check.ts';
import { runWrk } from '../../test/e2e/lab/wrk.ts';
import type { LoadCase } from './cases.ts';

export interface ProgramCost {
  /** µs of CPU time per request that reached the online server, start-up left out. */
  readonly cpuPerRequest: number;
  readonly peakRss: number;
}

export interface Measurement {
  readonly requestsPerSecond: number;
  readonly requests: number;
  readonly copiedPercent: number;
  /** Arrived twice, altered or out of order. */
  readonly wrong: number;
  readonly tcpcopy: ProgramCost;
  readonly intercept: ProgramCost;
}

export async function measure({ name, load }: LoadCase, seconds: number): Promise<Measurement> {
  let measurement: Measurement | undefined;
  await withLab({ name: 'bench' }, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const intercept = await startIntercept(lab.host('assistant'));
    const tcpcopy = await startTcpcopy(lab.host('online'), STANDARD_ARGS);
    const before = [tcpcopy.usage().cpu, intercept.usage().cpu] as const;
    const address = lab.host('online').on('front').v4;
    const { perSecond } = await runWrk(lab.host('client'), { ...load, address, seconds });
    await arrived(online, test);
    const d = compareTraffic(online.records(), test.records());
    const cost = (program: RunningProgram, cpuBefore: number): ProgramCost => {
      const { cpu, peakRss } = program.usage();
      return { cpuPerRequest: (cpu - cpuBefore) / d.online, peakRss };
    };
    measurement = {
      requestsPerSecond: perSecond,
      requests: d.online,
      copiedPercent: (100 * (d.online - d.missing.length)) / d.online,
      wrong: d.duplicate.length + d.altered.length + d.outOfOrder.length + d.mixed.length + d.foreign.length,
      tcpcopy: cost(tcpcopy, before[0]),
      intercept: cost(intercept, before[1]),
    };
    await tcpcopy.stop();
    await intercept.stop();
  });
  if (measurement === undefined) throw new Error(`${name} was not measured`);
  return measurement;
}
