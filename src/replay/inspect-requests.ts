/** `tcpcopy inspect --requests`: a recording run through the engine towards nowhere, and what is seen of its requests. */
import { FileSource } from '../capture/file-source.ts';
import type { PluginSpec } from '../config/plugin-spec.ts';
import type { Log } from '../core/log.ts';
import { seconds } from '../core/time.ts';
import type { PluginReport } from '../pipeline/plugin-record.ts';
import { ConnectionTracker } from '../reassembly/tracker.ts';
import { RECORDING_TRACKER } from '../reassembly/tracker-options.ts';
import { Histogram } from '../report/histogram.ts';
import { Ledger } from '../report/ledger.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { monotonicNow } from '../clock/clock.ts';
import { LoopClock } from './clock.ts';
import { DiscardingTarget } from './discarding-target.ts';
import { Engine } from './engine.ts';
import { clientByContent } from './opening-content.ts';
import { ByteBudget } from './piece-queue.ts';
import { loadPlugins } from './plugin-loader.ts';
import { RequestListing, type InspectedRequest } from './request-listing.ts';
import { Selector } from './selector.ts';
import { TimerWheel } from './timer-wheel.ts';

export interface RequestInspection {
  /** Those that were asked for; HTTP is read in any case. */
  readonly plugins: readonly PluginSpec[];
  readonly seed: number | undefined;
  /** Only the connection of this number. */
  readonly connection: number | undefined;
  /** Requests after which the rest is not read. */
  readonly limit: number;
  readonly log: Log;
}

export interface RequestTotals {
  readonly requests: number;
  readonly frames: number;
  readonly connections: number;
  /** There are more than were asked for. */
  readonly limited: boolean;
  readonly unreadable: readonly { readonly bytes: number; readonly reason: string }[];
  readonly plugins: readonly PluginReport[];
}

/** Any server: its ports are those that the packets tell. */
const EVERYTHING = { online: { address: undefined, portFirst: 1, portLast: 65_535 } };
const HTTP: PluginSpec = { plugin: 'http', options: [], where: 'inspect', directory: undefined };
const BUDGET = 256 << 20;

export async function inspectRequests(
  path: string,
  options: RequestInspection,
  report: (request: InspectedRequest) => void,
): Promise<RequestTotals> {
  let requests = 0;
  const source = new FileSource(path);
  const listing = new RequestListing((request) => {
    if (requests < options.limit) report(request);
    if (++requests === options.limit) source.stop();
  });
  const { log, seed } = options;
  const named = options.plugins.some(({ plugin }) => plugin === HTTP.plugin);
  const specs = named ? options.plugins : [HTTP, ...options.plugins];
  const pipeline = await loadPlugins(specs, { log, seed, live: false, trace: listing.trace });
  const ledger = new Ledger();
  const clock = new LoopClock();
  const engine = new Engine({
    clock,
    parser: new FrameParser({ verifyChecksums: true }),
    selector: new Selector([EVERYTHING]),
    pipeline,
    ledger,
    target: new DiscardingTarget(),
    wheel: new TimerWheel(monotonicNow()),
    budget: new ByteBudget(BUDGET, false),
    lag: new Histogram(),
    live: false,
    onlyFromSyn: false,
    waitsForResponse: false,
    expectsResponses: false,
    reading: undefined,
    sessionTimeout: seconds(600),
    observe: listing.observer(pipeline, options.connection),
    responses: () => 0,
    answeredAtOnce: () => false,
  });
  const failure = await readAll(engine, source);
  const { unreadable, frames } = source.stats();
  source.close();
  if (failure !== undefined && frames === 0) throw failure;
  engine.finishInput();
  // Plugins may take their time; each of their promises has a deadline.
  while (engine.activeConnections > 0) await new Promise((resolve) => setTimeout(resolve, 5));
  engine.stop();
  listing.finish();
  const plugins = pipeline.report();
  await pipeline.close();
  return {
    requests: Math.min(requests, options.limit),
    frames,
    connections: ledger.connectionsOpened,
    limited: requests >= options.limit,
    unreadable: failure === undefined ? unreadable : [...unreadable, { bytes: 0, reason: failure.message }],
    plugins,
  };
}

/** Resolves when all is read, with the error it ended with, if any. */
async function readAll(engine: Engine, source: FileSource): Promise<Error | undefined> {
  let ended!: (error?: Error) => void;
  const end = new Promise<Error | undefined>((resolve) => (ended = resolve));
  await source.open({ ready: () => engine.wake(), ended });
  engine.run([source], new ConnectionTracker({ ...RECORDING_TRACKER, clientOf: clientByContent }), undefined);
  return end;
}
