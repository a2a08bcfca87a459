/** Runs a copy from options to exit code, alone or as one of several processes. */
import type { CopyOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { conclude } from './conclude.ts';
import { isLive, type RunOptions } from './copy-input.ts';
import { CopyRun } from './copy-run.ts';
import { loadPlugins } from './plugin-loader.ts';
import { ResponseReading } from './response-reading.ts';
import { runWorkers } from './run-workers.ts';
import { statusOf } from './status.ts';
import { PeriodicReport, progressFor, shareOf, type Progress, type WorkerSeat } from './worker-seat.ts';

export async function runCopy(options: RunOptions, environment: RunEnvironment): Promise<number> {
  if (options.target !== 'recording' && options.workers > 1) return runWorkers(options, environment);
  const progress = progressFor(environment, options.summaryInterval);
  const run = await prepare(options, environment, progress, undefined);
  environment.statsRequests(() => run.printSummary());
  environment.publish?.(statusOf(() => run.result()));
  const failure = await run.execute();
  progress.over?.();
  return conclude(options, environment, { ...run.result(), failure });
}

/** The share of a run that one of several processes does: its figures go to the one that gathers them. */
export async function runShare(options: CopyOptions, environment: RunEnvironment, seat: WorkerSeat): Promise<void> {
  const progress = new PeriodicReport(() => seat.report(run.report()));
  const run = await prepare(shareOf(options, seat.count), environment, progress, seat);
  const failure = await run.execute();
  seat.report(run.report());
  if (failure !== undefined) throw failure;
}

/** A run with its plugins, which has not begun. */
async function prepare(
  options: RunOptions,
  environment: RunEnvironment,
  progress: Progress,
  seat: WorkerSeat | undefined,
): Promise<CopyRun> {
  const current: { run?: CopyRun } = {};
  const pipeline = await loadPlugins(options.plugins, {
    log: environment.log,
    seed: options.seed,
    live: isLive(options),
    processes: seat?.count,
    childUser: environment.childUser,
    policy: options.onPluginError,
    onAbort: (error) => current.run?.fail(error),
  });
  environment.strayErrors?.((error, rejected) => pipeline.stray(error, rejected));
  refuseUnreadResponses(pipeline);
  return (current.run = new CopyRun(options, environment, pipeline, progress, seat));
}

/** Better no run than one in which a plugin waits for responses that nobody reads. */
function refuseUnreadResponses(pipeline: Pipeline): void {
  const hook = (['response', 'exchange'] as const).find((name) => pipeline.uses(name));
  if (hook === undefined || ResponseReading.of(pipeline) !== undefined) return;
  const [first] = [...pipeline.order()].flatMap(([name, taps]) => (name.endsWith(hook) ? taps : []));
  throw new TcpcopyError('E_PLUGIN_HOOK', `taps ${hook}, but no plugin here reads the responses of a protocol`, {
    where: `plugin ${first?.plugin.name ?? ''}`,
    hint: 'add the plugin of the protocol, such as --plugin http',
  });
}
