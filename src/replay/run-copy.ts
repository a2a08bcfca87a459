/** Runs a copy from options to exit code: the composition root of the copying process. */
import { monotonicNow, unixNow } from '../capture/clock.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import { formatIp, type IpAddress } from '../core/ip-address.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import {
  addTime,
  elapsed,
  micros,
  millis,
  NEVER,
  seconds,
  toMillis,
  type Duration,
  type Instant,
} from '../core/time.ts';
import { createSink } from '../inject/open-sink.ts';
import type { PacketSink } from '../inject/packet-sink.ts';
import type { PluginReport } from '../pipeline/plugin-record.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { formatBytes } from '../report/format.ts';
import { Histogram } from '../report/histogram.ts';
import { Ledger } from '../report/ledger.ts';
import type { PluginFacts, RunEnd, RunFacts, SourceFacts } from '../report/run-facts.ts';
import { ledgerFigures, passesAsOne, quantilesOf, type RunReport } from '../report/run-report.ts';
import { AcknowledgingPeer } from './acknowledging-peer.ts';
import { LoopClock } from './clock.ts';
import { conclude, printSummary } from './conclude.ts';
import { createPacer, createParser, createTracker, openInput, type RunOptions } from './copy-input.ts';
import { DiscardingTarget } from './discarding-target.ts';
import { listRequests } from './dry-run.ts';
import { Engine } from './engine.ts';
import { FlowSlice } from './flow-slice.ts';
import { hearOut } from './hear-out.ts';
import { Governing, governorLimits } from './governing.ts';
import { ByteBudget } from './piece-queue.ts';
import { loadPlugins } from './plugin-loader.ts';
import { describeMapping, RawNetwork } from './raw-network.ts';
import { Recording } from './recording.ts';
import { ResponseReading } from './response-reading.ts';
import { Selector } from './selector.ts';
import { statusOf } from './status.ts';
import { SocketTarget } from './socket-target.ts';
import type { Target } from './target.ts';
import { TimerWheel } from './timer-wheel.ts';
import { runWorkers } from './run-workers.ts';
import { PeriodicReport, progressFor, shareOf, type Progress, type WorkerSeat } from './worker-seat.ts';

/** After a signal: for what the kernel still holds, and for what is in flight. */
const STOP_CAPTURE = millis(800);
const STOP_IN_FLIGHT = millis(1_200);
/** After the end of a recording everything has this long without any progress. */
const DRAIN_STALL = seconds(35);
/** After the last unit is settled, for the goodbyes of sessions, when the run is to end. */
const CLOSING = millis(500);
/** Without `-L`: how long to go on without any intercept. */
const ALONE_LIMIT = seconds(60);
const TICK = millis(100);
/** A tick that comes this much too late tells that something did not let the loop go on. */
const HELD_UP = millis(100);
const SWEEP = seconds(60);

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
    live: !('file' in options.input),
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

class CopyRun {
  readonly #options: RunOptions;
  readonly #environment: RunEnvironment;
  readonly #clock = new LoopClock();
  readonly #ledger = new Ledger();
  readonly #lag = new Histogram();
  readonly #targetTimes = new Histogram();
  readonly #onlineTimes = new Histogram();
  readonly #selector: Selector;
  readonly #wheel = new TimerWheel(monotonicNow());
  readonly #pipeline: Pipeline;
  readonly #sink: PacketSink | undefined;
  readonly #network: RawNetwork | undefined;
  readonly #recording: Recording | undefined;
  readonly #target: Target;
  readonly #engine: Engine;
  readonly #governing: Governing | undefined;
  /** The online server's responses are captured, too. */
  readonly #bothWays: boolean;
  readonly #progress: Progress;
  readonly #seat: WorkerSeat | undefined;
  /** Set where the sources show frames that other workers copy. */
  #slice: FlowSlice | undefined;
  #sources: readonly PacketSource[] = [];
  /** Figures of sources that are closed already (`-T`). */
  readonly #pastSources: SourceFacts[] = [];
  #begun: Instant = monotonicNow();
  #nextSweep: Instant;
  #lastTick: Instant = NEVER;
  #endedBy: RunEnd | undefined;
  /** What plugins had to tell before they were closed. */
  #plugins: readonly PluginFacts[] | undefined;
  #failure: Error | undefined;

  constructor(
    options: RunOptions,
    environment: RunEnvironment,
    pipeline: Pipeline,
    progress: Progress,
    seat: WorkerSeat | undefined,
  ) {
    this.#pipeline = pipeline;
    this.#options = options;
    this.#environment = environment;
    this.#selector = new Selector(options.mappings);
    this.#progress = progress;
    this.#seat = seat;
    this.#nextSweep = addTime(this.#begun, SWEEP);
    const wake = (): void => this.#engine.wake();
    const sends = options.target !== 'recording' && !options.dryRun && options.writeFile === undefined;
    const reading = sends ? ResponseReading.of(pipeline) : undefined;
    this.#bothWays = reading?.online === true;
    if (options.target === 'recording') {
      this.#recording = new Recording(options, environment.version ?? '');
      this.#target = this.#recording.target;
    } else if (options.dryRun && options.writeFile === undefined) {
      this.#target = new DiscardingTarget();
    } else if (options.target === 'raw') {
      const { sink: way, note } = createSink({
        backend: options.io,
        file: options.writeFile,
        clock: unixNow,
        destinations: targetAddresses(options),
        told: (line) => environment.log.debug(line),
      });
      if (note !== undefined) environment.log.warn(`sending through raw-socket: ${note}`);
      const peer = options.writeFile === undefined ? undefined : new AcknowledgingPeer(way);
      const sink = peer ?? way;
      this.#sink = sink;
      this.#network = new RawNetwork({
        options,
        sink,
        peer,
        wheel: this.#wheel,
        ledger: this.#ledger,
        log: environment.log,
        version: environment.version ?? '',
        wantsPayload: reading !== undefined,
        now: this.#clock.now,
        wake,
        responsesReady: () => this.#engine.responsesReady(),
      });
      this.#target = this.#network.target;
    } else {
      this.#target = new SocketTarget(options.maxSessions, wake);
    }
    const limits = options.target === 'recording' ? undefined : governorLimits(options);
    this.#governing = limits && new Governing(limits, this.#ledger, environment.log);
    this.#engine = new Engine({
      clock: this.#clock,
      parser: createParser(options),
      selector: this.#selector,
      pipeline: this.#pipeline,
      ledger: this.#ledger,
      target: this.#target,
      wheel: this.#wheel,
      budget: new ByteBudget(options.memoryLimit / 2),
      lag: this.#lag,
      targetTimes: this.#targetTimes,
      onlineTimes: this.#onlineTimes,
      live: this.#live,
      onlyFromSyn: options.onlyFromSyn,
      // Where nothing is sent there are no responses to wait for.
      waitsForResponse: options.pace === 'response' && sends,
      expectsResponses: sends,
      reading,
      sessionTimeout: options.sessionTimeout,
      governor: this.#governing?.governor,
      observe: options.dryRun ? listRequests(environment) : this.#recording?.observe,
      takeFrame: this.#recording?.takeFrame,
      responses: () => this.#network?.takeResponses() ?? 0,
      lookForResponses: () => this.#network?.lookForResponses() === true,
      answeredAtOnce: () => this.#network?.answeredAtOnce === true,
    });
  }

  /** Resolves when the run is over, with what it failed with if it did; rejects when it could not begin. */
  async execute(): Promise<Error | undefined> {
    const { stopSignal, started } = this.#environment;
    await this.#network?.open();
    this.#recording?.open();
    this.#begun = monotonicNow();
    const passes = this.#live ? 1 : this.#options.repeat;
    const ticker = setInterval(() => this.#tick(), toMillis(TICK));
    try {
      for (let pass = 0; pass < passes && !stopSignal.aborted && this.#failure === undefined; pass++) {
        const ended = await this.#openSources();
        if (pass === 0) {
          const doing = this.#recording !== undefined ? 'recording' : this.#options.dryRun ? 'listing' : 'copying';
          this.#environment.log.info(`${doing} ${this.#options.mappings.map(describeMapping).join(', ')}`);
          started();
        }
        await this.#runPass(ended);
        if (pass === 0) this.#tellDamage();
      }
      await this.#drain();
    } finally {
      clearInterval(ticker);
      this.#closeSources();
      this.#governing?.close();
    }
    this.#plugins = this.#pipeline.report().map(pluginFacts);
    await this.#pipeline.close();
    this.#failure ??= this.#recording?.close();
    await (this.#network?.close() ?? this.#target.close());
    this.#engine.stop();
    return this.#failure;
  }

  result(): { readonly ledger: Ledger; readonly facts: RunFacts } {
    return { ledger: this.#ledger, facts: this.#facts() };
  }

  /** The same as data for another process. */
  report(): RunReport {
    return {
      ledger: ledgerFigures(this.#ledger),
      facts: this.#facts(),
      lag: this.#lag.buckets,
      targetTimes: this.#targetTimes.buckets,
      onlineTimes: this.#onlineTimes.buckets,
    };
  }

  printSummary(): void {
    printSummary(this.#environment, this.#ledger, this.#facts());
  }

  get #live(): boolean {
    return !('file' in this.#options.input);
  }

  /** Opens the sources; the promise it gives settles when all of them have ended. */
  async #openSources(): Promise<{ readonly all: Promise<void> }> {
    const seat = this.#seat;
    const { sources, fanout } = openInput(this.#options, this.#environment.log, this.#bothWays, seat?.fanout);
    let left = sources.length;
    let allEnded!: () => void;
    const all = new Promise<void>((resolve) => (allEnded = resolve));
    this.#sources = sources;
    for (const source of sources) {
      await source.open({
        ready: () => this.#engine.wake(),
        ended: (error) => {
          if (error !== undefined) this.#sourceFailed(source, error);
          left--;
          if (left === 0) allEnded();
        },
      });
    }
    if (seat !== undefined) {
      this.#slice = fanout === undefined ? new FlowSlice(seat.index, seat.count, !this.#live) : undefined;
      seat.capturing(fanout?.());
    }
    return { all };
  }

  /** One pass over the input: until it ends, or is to stop. */
  async #runPass(ended: { readonly all: Promise<void> }): Promise<void> {
    const { stopSignal } = this.#environment;
    this.#engine.run(
      this.#sources,
      createTracker(this.#options, this.#selector, this.#bothWays),
      createPacer(this.#options),
      this.#slice,
    );
    await Promise.race([ended.all, aborted(stopSignal)]);
    if (stopSignal.aborted) {
      for (const source of this.#sources) source.stop();
      await Promise.race([ended.all, delay(STOP_CAPTURE)]);
    }
    this.#engine.finishInput();
    this.#closeSources();
  }

  /** Lets what is in flight finish, for a bounded time, and gives up the rest. */
  async #drain(): Promise<void> {
    const { stopSignal } = this.#environment;
    this.#endedBy = this.#failure !== undefined ? 'failed' : stopSignal.aborted ? 'stopped' : 'input-ended';
    let progress = -1;
    let stalledAt = monotonicNow();
    while (this.#engine.activeConnections > 0) {
      const now = monotonicNow();
      const settled = this.#ledger.units.values.reduce((a, b) => a + b, 0) + this.#ledger.responses;
      if (settled !== progress) {
        progress = settled;
        if (!stopSignal.aborted) stalledAt = now;
      }
      if (elapsed(now, stalledAt) > (stopSignal.aborted ? STOP_IN_FLIGHT : DRAIN_STALL)) break;
      await delay(millis(10));
    }
    this.#engine.giveUp();
    await hearOut(this.#target, CLOSING, {
      now: monotonicNow,
      wait: () => delay(millis(10)),
      hurried: () => stopSignal.aborted || this.#failure !== undefined,
    });
  }

  #tick(): void {
    const now = monotonicNow();
    if (elapsed(now, this.#lastTick) > TICK + HELD_UP) this.#pipeline.searchForBlocking();
    this.#lastTick = now;
    this.#engine.wake();
    this.#governing?.step(now, this.#engine, this.#sources);
    const unwritable = this.#recording?.tick();
    if (unwritable !== undefined) this.fail(unwritable);
    if (this.#progress.due(now)) this.#progress.show(now, this.#ledger, this.#facts());
    if (now >= this.#nextSweep) {
      this.#nextSweep = addTime(now, SWEEP);
      this.#network?.sweep();
    }
    // One of several workers speaks for all: they share the way.
    if ((this.#seat?.index ?? 0) === 0) this.#network?.watchForSilence(now);
    const alone = this.#network?.aloneFor(now);
    if (alone !== undefined && alone > ALONE_LIMIT && !this.#options.stayWithoutIntercept) this.#failAlone();
  }

  #failAlone(): void {
    this.fail(
      new TcpcopyError('E_INTERCEPT_UNREACHABLE', 'no intercept has been reachable for 60 s', {
        where: '-s',
        hint: 'start it again, or use -L to stay and keep trying',
      }),
    );
  }

  /** Ends the run: what is captured already is finished, and the first error is what it ends with. */
  fail(error: Error): void {
    if (this.#failure !== undefined) return;
    this.#failure = error;
    for (const source of this.#sources) source.stop();
  }

  #sourceFailed(source: PacketSource, error: Error): void {
    // The first one is what the run ends with, and is reported then.
    if (this.#failure === undefined) this.#failure = error;
    else this.#environment.log.error(`${source.name}: ${error.message}`);
  }

  /** One line on what of a recording could not be read. */
  #tellDamage(): void {
    for (const { name, unreadable } of passesAsOne(this.#pastSources)) {
      const parts = unreadable.map(({ bytes, reason }) => (bytes > 0 ? `${formatBytes(bytes)}: ${reason}` : reason));
      if (parts.length > 0) this.#environment.log.warn(`${name}: not readable: ${parts.join('; ')}`);
    }
  }

  #closeSources(): void {
    for (const source of this.#sources) {
      this.#pastSources.push(sourceFacts(source));
      source.close();
    }
    this.#sources = [];
  }

  #facts(): RunFacts {
    const usage = process.cpuUsage();
    const sent = this.#sink?.stats();
    return {
      elapsed: elapsed(monotonicNow(), this.#begun),
      live: this.#live,
      mappings: this.#options.mappings.map(describeMapping),
      copies: this.#options.copies,
      writeFile: this.#options.writeFile,
      dryRun: this.#options.dryRun,
      recording: this.#recording?.facts(),
      endedBy: this.#endedBy,
      sources: passesAsOne([...this.#pastSources, ...this.#sources.map(sourceFacts)]),
      connectionsOpen: this.#engine.activeConnections,
      sessionsOpen: this.#target.openSessions,
      governor: this.#governing?.facts(),
      intercepts: this.#network?.interceptFacts() ?? [],
      lag: quantilesOf(this.#lag),
      responseTimes: { target: quantilesOf(this.#targetTimes), online: quantilesOf(this.#onlineTimes) },
      sent: sent === undefined ? undefined : { packets: sent.packets, bytes: sent.bytes, failed: sent.failed },
      plugins: this.#plugins ?? this.#pipeline.report().map(pluginFacts),
      cpu: micros(usage.user + usage.system),
      rss: process.memoryUsage.rss(),
    };
  }
}

function pluginFacts(report: PluginReport): PluginFacts {
  const { name, calls, drops, failures, disabled, time, waiting, heldUp, figures } = report;
  return {
    name,
    calls,
    drops,
    failures: Object.values(failures).reduce((a, b) => a + b, 0),
    disabled,
    mean: time && micros(time.mean),
    meanWait: waiting && micros(waiting.mean),
    heldUp: { times: heldUp.times, longest: micros(heldUp.longest) },
    figures,
  };
}

/** Each once. */
function targetAddresses({ mappings }: CopyOptions): IpAddress[] {
  return [...new Map(mappings.map(({ target: { address } }) => [formatIp(address), address])).values()];
}

function sourceFacts(source: PacketSource): SourceFacts {
  const { frames, kernelDropped, unreadable } = source.stats();
  return { name: source.name, frames, kernelDropped, unreadable };
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

function delay(d: Duration): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, toMillis(d)));
}
