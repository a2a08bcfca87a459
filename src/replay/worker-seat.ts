/** What a copying process is told when it is one of several (`--workers`), and how it tells of itself. */
import type { FanoutGroups } from '../capture/open-capture.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { addTime, seconds, type Duration, type Instant } from '../core/time.ts';
import type { Ledger } from '../report/ledger.ts';
import { LiveLine } from '../report/live-line.ts';
import { LiveView } from '../report/live-view.ts';
import type { RunFacts } from '../report/run-facts.ts';
import type { RunReport } from '../report/run-report.ts';

/** Which of how many, and how they share what is captured. */
export interface WorkerPlace {
  /** From 0. */
  readonly index: number;
  readonly count: number;
  /** Groups that the others capture in, or the first of them is to begin; `undefined`: none is wanted. */
  readonly fanout: FanoutGroups | 'new' | undefined;
}

export interface WorkerSeat extends WorkerPlace {
  report(report: RunReport): void;
  /** The sources are open; `fanout`: the kernel deals the frames out, in these groups. */
  capturing(fanout: FanoutGroups | undefined): void;
}

/** Least kernel buffer of a worker, bytes: it has to outlast a pause of one process, however many there are. */
const LEAST_BUFFER = 20 << 20;

/** Its part of what is limited for the run as a whole. */
export function shareOf(options: CopyOptions, count: number): CopyOptions {
  const { memoryLimit, maxSessions, captureBuffer, maxCpu } = options;
  return {
    ...options,
    workers: 1,
    memoryLimit: Math.ceil(memoryLimit / count),
    maxSessions: Math.ceil(maxSessions / count),
    maxCpu: maxCpu && maxCpu / count,
    captureBuffer: captureBuffer && Math.max(Math.min(LEAST_BUFFER, captureBuffer), Math.ceil(captureBuffer / count)),
  };
}

/** Shows figures while a run goes on: a line for a person, or a report for another process. */
export interface Progress {
  due(now: Instant): boolean;
  show(now: Instant, ledger: Ledger, facts: RunFacts): void;
  /** Nothing more is shown. */
  over?(): void;
}

/** What a person is shown. */
export function progressFor(environment: RunEnvironment, interval: Duration): Progress {
  const { screen } = environment;
  return screen === undefined ? new LiveLine(environment, interval) : new LiveView(screen, environment);
}

const INTERVAL = seconds(0.5);

/** Calls `report` twice a second. */
export class PeriodicReport implements Progress {
  readonly #report: () => void;
  #next: Instant | undefined;

  constructor(report: () => void) {
    this.#report = report;
  }

  due(now: Instant): boolean {
    this.#next ??= addTime(now, INTERVAL);
    return now >= this.#next;
  }

  show(now: Instant): void {
    this.#next = addTime(now, INTERVAL);
    this.#report();
  }
}
