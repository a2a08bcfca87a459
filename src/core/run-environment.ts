/**
 * What a running program is given by whoever started it: the command line, a test, an embedding application. The
 * runners (`runCopy`, `runIntercept`) touch neither signals nor the console themselves.
 */
import type { Log } from './log.ts';
import type { Status } from './metric.ts';

export interface RunEnvironment {
  readonly log: Log;
  /** The version of this program, for its peers to log. */
  readonly version?: string | undefined;
  /** Writes one line (no newline at its end) of what the user asked to see: the summary, periodic figures. */
  stdout(line: string): void;
  /**
   * Shows figures that replace the ones before: one refreshing line where there is a terminal. Absent when there is
   * none; then the runner prints a plain line through `stdout` every `summaryInterval`.
   */
  readonly liveLine?: ((text: string) => void) | undefined;
  /** The whole screen, where it was asked for (`--ui`) and there is one: then it takes the place of the live line. */
  readonly screen?: Screen | undefined;
  /** Columns of the terminal, when there is one. */
  readonly columns?: number | undefined;
  /** Whether `stdout` is a terminal that shows colours. */
  readonly colors?: boolean | undefined;
  /**
   * Aborted on SIGINT or SIGTERM: stop capturing, finish what is in flight (bounded), report, resolve. A second signal
   * ends the process without waiting.
   */
  readonly stopSignal: AbortSignal;
  /** Registers what to call when figures are wanted now (SIGUSR1). The last registration counts. */
  statsRequests(callback: () => void): void;
  /** Registers what is told of the run while it goes on (`--metrics`). Absent where nobody asks. */
  readonly publish?: ((status: Status) => void) | undefined;
  /**
   * Registers what to ask about an error that nobody has caught: it returns true when it has dealt with it, else the process
   * ends. `rejected`: by a promise. Absent where the process is somebody else's.
   */
  readonly strayErrors?: (deal: (error: unknown, rejected: boolean) => boolean) => void;
  /**
   * The runner calls this once, when everything that can fail at start has not: devices open, sockets bound, intercepts
   * connected. A daemon's parent exits 0 at that moment, and no sooner.
   */
  started(): void;
  /** Whom processes of plugins are to run as; absent: as this one, which has no rights to give. */
  readonly childUser?: { readonly uid: number; readonly gid: number } | undefined;
  /**
   * Starts this program once more, as one of several processes that share this run. Absent where that cannot be done,
   * as in an embedding application.
   */
  readonly fork?: () => WorkerChannel<never, unknown>;
}

/** The screen of a terminal, taken with the first page that is shown. */
export interface Screen {
  readonly columns: number;
  readonly rows: number;
  /** What was written since the screen was taken, oldest first; the last ones only. */
  readonly messages: readonly string[];
  /** Registers who draws the page anew when the screen's size has changed. */
  onResize(redraw: () => void): void;
  /** Replaces the page: at most `rows` lines of at most `columns` characters, colours not counted. */
  show(lines: readonly string[]): void;
  /** Ends the page; what was written meanwhile is printed. */
  giveBack(): void;
}

/** A process of ours and the way to talk with it. Messages are plain data. */
export interface WorkerChannel<To, From> {
  readonly pid: number | undefined;
  send(message: To): void;
  onMessage(listener: (message: From) => void): void;
  /** Called once, after its last message; `how`: its exit code or signal, for people. */
  onExit(listener: (how: string) => void): void;
  /** Ends it at once. */
  kill(): void;
}
