/**
 * A run shared by several processes (`--workers`): this one starts them, gathers what they report, and tells of the run
 * as one. It touches no packet.
 *
 * Theory of operation. A worker is given its seat with `begin`, says `started` when all that can fail at start has not,
 * and reports its figures twice a second and at its end. The run has begun when every worker has started; an error before
 * that is the run's. Of live traffic the first one captures alone for a moment, to begin the groups in which the kernel
 * deals the frames out to all of them (`capturing`); then the others join. Afterwards a worker that fails ends the run, as it would have alone; one that dies is replaced where
 * traffic is live, and what it had under way by its last report is counted as `worker-lost`. The flows of a dead worker
 * are dealt to others or to its successor, which pick them up at the next boundary.
 */
import type { FanoutGroups } from '../capture/open-capture.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { addTime, micros, millis, seconds, toMillis, type Instant } from '../core/time.ts';
import { plural } from '../report/format.ts';
import type { Ledger } from '../report/ledger.ts';
import type { RunFacts } from '../report/run-facts.ts';
import { mergeReports, settleRest, type RunReport } from '../report/run-report.ts';
import { monotonicNow } from '../clock/clock.ts';
import { conclude, printSummary } from './conclude.ts';
import { isLive } from './copy-input.ts';
import { statusOf } from './status.ts';
import { progressFor, type Progress } from './worker-seat.ts';
import { errorOf, type FromWorker, type ParentChannel } from './worker-messages.ts';

const TICK = millis(100);
/** A worker ends itself within three seconds of being told to; then it is ended. */
const STOP_PATIENCE = seconds(5);
/** So many deaths within so long, and it is no accident. */
const MOST_DEATHS = 5;
const DEATHS_WITHIN = seconds(60);

interface Seat {
  readonly index: number;
  channel: ParentChannel;
  started: boolean;
  /** Said so itself; a process that exits without has died. */
  ended: boolean;
  gone: boolean;
  report: RunReport | undefined;
}

export async function runWorkers(options: CopyOptions, environment: RunEnvironment): Promise<number> {
  const run = new WorkerRun(options, environment);
  const ticker = setInterval(() => run.tick(), toMillis(TICK));
  try {
    await run.execute();
  } finally {
    clearInterval(ticker);
  }
  const result = run.result();
  if (result === undefined)
    throw run.failure ?? new TcpcopyError('E_WORKER', 'no worker process has reported anything');
  return conclude(options, environment, { ...result, failure: run.failure });
}

class WorkerRun {
  failure: Error | undefined;
  readonly #options: CopyOptions;
  readonly #environment: RunEnvironment;
  readonly #progress: Progress;
  readonly #seats: Seat[] = [];
  /** Last reports of workers that died, with the rest settled. */
  readonly #past: RunReport[] = [];
  readonly #deaths: Instant[] = [];
  #fanout: FanoutGroups | 'new' | undefined;
  #begun = false;
  /** Set once the workers have been told to stop: who is still there then is ended. */
  #killAt: Instant | undefined;
  #finish: () => void = () => undefined;

  constructor(options: CopyOptions, environment: RunEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.#progress = progressFor(environment, options.summaryInterval);
    this.#fanout = this.#isLive ? 'new' : undefined;
  }

  /** Resolves when every worker is gone. Rejects when the run could not begin. */
  async execute(): Promise<void> {
    const { stopSignal, statsRequests } = this.#environment;
    const over = new Promise<void>((resolve) => (this.#finish = resolve));
    this.#openSeats(this.#isLive ? 1 : this.#options.workers);
    const stop = (): void => this.#stop();
    stopSignal.addEventListener('abort', stop, { once: true });
    if (stopSignal.aborted) stop();
    statsRequests(() => {
      const result = this.result();
      if (result !== undefined) printSummary(this.#environment, result.ledger, result.facts);
    });
    await over;
    this.#progress.over?.();
    stopSignal.removeEventListener('abort', stop);
    if (!this.#begun && this.failure !== undefined) throw this.failure;
  }

  /** The figures of all workers, past and present; `undefined` before the first report. */
  result(): { readonly ledger: Ledger; readonly facts: RunFacts } | undefined {
    const reports = [...this.#past, ...this.#seats.flatMap(({ report }) => report ?? [])];
    if (reports.length === 0) return undefined;
    const { ledger, facts } = mergeReports(reports);
    const usage = process.cpuUsage();
    const cpu = micros(facts.cpu + usage.user + usage.system);
    const endedBy = this.failure === undefined ? facts.endedBy : 'failed';
    return { ledger, facts: { ...facts, cpu, rss: facts.rss + process.memoryUsage.rss(), endedBy } };
  }

  tick(): void {
    const now = monotonicNow();
    if (this.#killAt !== undefined && now > this.#killAt) {
      for (const seat of this.#seats) if (!seat.gone) seat.channel.kill();
    }
    if (!this.#begun || !this.#progress.due(now)) return;
    const result = this.result();
    if (result !== undefined) this.#progress.show(now, result.ledger, result.facts);
  }

  /** Opens seats until there are so many. */
  #openSeats(wanted: number): void {
    while (this.#seats.length < wanted) this.#seats.push(this.#open(this.#seats.length));
  }

  #open(index: number): Seat {
    const channel = this.#environment.fork!() as ParentChannel;
    const seat: Seat = { index, channel, started: false, ended: false, gone: false, report: undefined };
    channel.onMessage((message) => this.#heard(seat, message));
    channel.onExit((how) => this.#exited(seat, how));
    channel.send({ type: 'begin', index, count: this.#options.workers, fanout: this.#fanout });
    return seat;
  }

  #heard(seat: Seat, message: FromWorker): void {
    const { log, stdout } = this.#environment;
    switch (message.type) {
      case 'capturing':
        if (this.#fanout === 'new') this.#fanout = message.fanout;
        if (!this.#stopping) this.#openSeats(this.#options.workers);
        break;
      case 'started':
        seat.started = true;
        if (this.#begun) log.info(`worker ${seat.index + 1} copies again (process ${seat.channel.pid})`);
        this.#begin();
        break;
      case 'report':
        seat.report = message.report;
        break;
      case 'log':
        // What all of them say at start, the first says for all.
        if (seat.index > 0 && message.level === 'info') break;
        log[message.level](message.message, message.fields);
        break;
      case 'line':
        stdout(message.text);
        break;
      case 'ended':
        seat.ended = true;
        if (message.error !== undefined) this.#fail(errorOf(message.error));
        break;
    }
  }

  #begin(): void {
    if (this.#begun || this.#seats.length < this.#options.workers) return;
    if (this.#seats.some(({ started }) => !started)) return;
    this.#begun = true;
    this.#environment.log.info(`${this.#options.workers} workers share the connections`);
    this.#environment.publish?.(statusOf(() => this.result()!));
    this.#environment.started();
  }

  #exited(seat: Seat, how: string): void {
    seat.gone = true;
    if (!seat.ended) this.#died(seat, how);
    if (this.#seats.every(({ gone }) => gone)) this.#finish();
  }

  #died(seat: Seat, how: string): void {
    const lost = this.#settle(seat);
    const what = `worker ${seat.index + 1} (process ${seat.channel.pid}) died: ${how}`;
    if (!this.#begun || this.#stopping || !this.#isLive) {
      this.#fail(
        new TcpcopyError('E_WORKER', what, { hint: 'the log may say more; --workers 1 copies in one process' }),
      );
      return;
    }
    const now = monotonicNow();
    this.#deaths.push(now);
    const recent = this.#deaths.filter((at) => addTime(at, DEATHS_WITHIN) > now);
    if (recent.length >= MOST_DEATHS) {
      this.#fail(new TcpcopyError('E_WORKER', `${what}; ${recent.length} workers have died within a minute`));
      return;
    }
    const { log } = this.#environment;
    log.error(`${what}; ${plural(lost, 'connection')} under way, counted as worker-lost; another takes its place`);
    this.#seats[seat.index] = this.#open(seat.index);
  }

  /** Keeps what a dead worker had done; returns how many connections it had under way. */
  #settle(seat: Seat): number {
    if (seat.report === undefined) return 0;
    const { figures, connections } = settleRest(seat.report.ledger, 'worker-lost');
    const endedBy = 'stopped' as const;
    const facts = { ...seat.report.facts, connectionsOpen: 0, sessionsOpen: 0, rss: 0, endedBy };
    this.#past.push({ ...seat.report, ledger: figures, facts });
    seat.report = undefined;
    return connections;
  }

  #fail(error: Error): void {
    if (this.failure === undefined) this.failure = error;
    this.#stop();
  }

  #stop(): void {
    if (this.#stopping) return;
    this.#killAt = addTime(monotonicNow(), STOP_PATIENCE);
    for (const { channel, gone } of this.#seats) if (!gone) channel.send({ type: 'stop' });
  }

  get #stopping(): boolean {
    return this.#killAt !== undefined;
  }

  get #isLive(): boolean {
    return isLive(this.#options);
  }
}
