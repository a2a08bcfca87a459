/** One run: the composition root of the copying process. It joins input, engine and output, and owns the ticks. */
import { setTimeout as delay } from 'node:timers/promises';
import { monotonicNow } from '../clock/clock.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { addTime, elapsed, micros, millis, NEVER, seconds, toMillis, type Instant } from '../core/time.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import { Histogram } from '../report/histogram.ts';
import { Ledger } from '../report/ledger.ts';
import type { PluginFacts, RunEnd, RunFacts } from '../report/run-facts.ts';
import { ledgerFigures, quantilesOf, type RunReport } from '../report/run-report.ts';
import { LoopClock } from './clock.ts';
import { printSummary } from './conclude.ts';
import {
  createPacer,
  createParser,
  createTracker,
  isLive,
  missingDevice,
  openInput,
  type RunOptions,
} from './copy-input.ts';
import { createOutput, sendsToTarget, type Output } from './copy-output.ts';
import { drain } from './drain.ts';
import { listRequests } from './dry-run.ts';
import { Engine } from './engine.ts';
import { FlowSlice } from './flow-slice.ts';
import { Governing, governorLimits } from './governing.ts';
import { ByteBudget } from './piece-queue.ts';
import { Hurry } from './hurry.ts';
import { pluginFacts } from './plugin-facts.ts';
import { processorWait } from './processor-wait.ts';
import { describeMapping } from './raw-network.ts';
import { ResponseReading } from './response-reading.ts';
import { RunSources } from './run-sources.ts';
import { Selector } from './selector.ts';
import { TimerWheel } from './timer-wheel.ts';
import type { Progress, WorkerSeat } from './worker-seat.ts';

/** After a signal, for what the kernel still holds, milliseconds. */
const STOP_CAPTURE_MS = 800;
/** Without `-L`: how long to go on without any intercept. */
const ALONE_LIMIT = seconds(60);
const TICK = millis(100);
/** A tick that comes this much too late tells that something did not let the loop go on. */
const HELD_UP = millis(100);
const SWEEP = seconds(60);

/** From sources to a target, until the input ends or somebody stops it. */
export class CopyRun {
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
  readonly #output: Output;
  readonly #engine: Engine;
  readonly #governing: Governing | undefined;
  readonly #hurry = new Hurry();
  /** The online server's responses are captured, too. */
  readonly #bothWays: boolean;
  readonly #progress: Progress;
  readonly #seat: WorkerSeat | undefined;
  /** Set where the sources show frames that other workers copy. */
  #slice: FlowSlice | undefined;
  readonly #sources = new RunSources({
    ready: () => this.#engine.wake(),
    failed: (source, error) => this.#sourceFailed(source, error),
  });
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
    const sends = sendsToTarget(options);
    const reading = sends ? ResponseReading.of(pipeline) : undefined;
    this.#bothWays = reading?.online === true;
    this.#output = createOutput(options, environment, {
      wheel: this.#wheel,
      ledger: this.#ledger,
      now: this.#clock.now,
      wantsPayload: reading !== undefined,
      wake,
      responsesReady: () => this.#engine.responsesReady(),
    });
    const { target, recording, raw } = this.#output;
    const limits = options.target === 'recording' ? undefined : governorLimits(options);
    this.#governing = limits && new Governing(limits, this.#ledger, environment.log);
    this.#engine = new Engine({
      clock: this.#clock,
      parser: createParser(options),
      selector: this.#selector,
      pipeline: this.#pipeline,
      ledger: this.#ledger,
      target,
      wheel: this.#wheel,
      budget: new ByteBudget(options.memoryLimit / 2, this.#live),
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
      observe: options.dryRun ? listRequests(environment, options.mappings) : recording?.observe,
      takeFrame: recording?.takeFrame,
      responses: () => raw?.network.takeResponses() ?? 0,
      lookForResponses: (entered) => raw?.network.lookForResponses(entered) === true,
      answeredAtOnce: () => raw?.network.answeredAtOnce === true,
    });
  }

  /** Resolves when the run is over, with what it failed with if it did; rejects when it could not begin. */
  async execute(): Promise<Error | undefined> {
    const { stopSignal, started } = this.#environment;
    const { target, recording, raw } = this.#output;
    // A device that is not there is named first: no intercept mends it.
    await raw?.network.open().catch((error: unknown) => {
      throw missingDevice(this.#options) ?? error;
    });
    recording?.open();
    this.#begun = monotonicNow();
    const passes = this.#live ? 1 : this.#options.repeat;
    const ticker = setInterval(() => this.#tick(), toMillis(TICK));
    try {
      for (let pass = 0; pass < passes && !stopSignal.aborted && this.#failure === undefined; pass++) {
        const ended = await this.#openSources();
        if (pass === 0) {
          const doing = recording !== undefined ? 'recording' : this.#options.dryRun ? 'listing' : 'copying';
          this.#environment.log.info(`${doing} ${this.#options.mappings.map(describeMapping).join(', ')}`);
          started();
        }
        await this.#runPass(ended);
        if (pass === 0) for (const line of this.#sources.damage()) this.#environment.log.warn(line);
      }
      this.#endedBy = this.#failure !== undefined ? 'failed' : stopSignal.aborted ? 'stopped' : 'input-ended';
      await drain({
        engine: this.#engine,
        ledger: this.#ledger,
        target,
        stopped: () => stopSignal.aborted,
        failed: () => this.#failure !== undefined,
      });
    } finally {
      clearInterval(ticker);
      this.#sources.close();
      this.#governing?.close();
    }
    this.#plugins = this.#pipeline.report().map(pluginFacts);
    await this.#pipeline.close();
    this.#failure ??= recording?.close();
    await (raw?.network.close() ?? target.close());
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
    return isLive(this.#options);
  }

  /** Opens the sources; the promise it gives settles when all of them have ended. */
  async #openSources(): Promise<{ readonly allEnded: Promise<void> }> {
    const seat = this.#seat;
    const { sources, fanout } = openInput(this.#options, this.#environment.log, this.#bothWays, seat?.fanout);
    const begun = await this.#sources.begin(sources);
    if (seat !== undefined) {
      this.#slice = fanout === undefined ? new FlowSlice(seat.index, seat.count, !this.#live) : undefined;
      seat.capturing(fanout?.());
    }
    return begun;
  }

  /** One pass over the input: until it ends, or is to stop. */
  async #runPass({ allEnded }: { readonly allEnded: Promise<void> }): Promise<void> {
    const { stopSignal } = this.#environment;
    this.#engine.run(
      this.#sources.open,
      createTracker(this.#options, this.#selector, this.#bothWays),
      createPacer(this.#options),
      this.#slice,
    );
    await Promise.race([allEnded, aborted(stopSignal)]);
    if (stopSignal.aborted) {
      this.#sources.stop();
      await Promise.race([allEnded, delay(STOP_CAPTURE_MS)]);
    }
    this.#engine.finishInput();
    this.#sources.close();
  }

  #tick(): void {
    const now = monotonicNow();
    const { recording, raw } = this.#output;
    if (elapsed(now, this.#lastTick) > TICK + HELD_UP) this.#pipeline.searchForBlocking();
    this.#lastTick = now;
    this.#engine.wake();
    const pace = this.#engine.takePace();
    this.#engine.countKernelDrops();
    this.#governing?.step(now, this.#engine, pace);
    // Who rests long to be no burden is late on purpose.
    if (this.#hurry.step(this.#engine.spares ? undefined : pace)) {
      this.#engine.hurry = this.#hurry.on;
      raw?.network.hurry(this.#hurry.on);
    }
    const unwritable = recording?.tick();
    if (unwritable !== undefined) this.fail(unwritable);
    if (this.#progress.due(now)) this.#progress.show(now, this.#ledger, this.#facts());
    if (now >= this.#nextSweep) {
      this.#nextSweep = addTime(now, SWEEP);
      raw?.network.sweep();
    }
    // One of several workers speaks for all: they share the way.
    if ((this.#seat?.index ?? 0) === 0) raw?.network.watchForSilence(now);
    const alone = raw?.network.aloneFor(now);
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
    this.#sources.stop();
  }

  #sourceFailed(source: PacketSource, error: Error): void {
    // The first one is what the run ends with, and is reported then.
    if (this.#failure === undefined) this.#failure = error;
    else this.#environment.log.error(`${source.name}: ${error.message}`);
  }

  #facts(): RunFacts {
    const { target, recording, raw } = this.#output;
    const usage = process.cpuUsage();
    const sent = raw?.sink.stats();
    return {
      elapsed: elapsed(monotonicNow(), this.#begun),
      live: this.#live,
      mappings: this.#options.mappings.map(describeMapping),
      copies: this.#options.copies,
      writeFile: this.#options.writeFile,
      dryRun: this.#options.dryRun,
      recording: recording?.facts(),
      endedBy: this.#endedBy,
      sources: this.#sources.facts(),
      connectionsOpen: this.#engine.activeConnections,
      sessionsOpen: target.openSessions,
      governor: this.#governing?.facts(),
      intercepts: raw?.network.interceptFacts() ?? [],
      lag: quantilesOf(this.#lag),
      responseTimes: { target: quantilesOf(this.#targetTimes), online: quantilesOf(this.#onlineTimes) },
      sent: sent === undefined ? undefined : { packets: sent.packets, bytes: sent.bytes, failed: sent.failed },
      plugins: this.#plugins ?? this.#pipeline.report().map(pluginFacts),
      cpu: micros(usage.user + usage.system),
      cpuWait: processorWait(),
      rss: process.memoryUsage.rss(),
    };
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
