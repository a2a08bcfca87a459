/** One run in this process: pid file, log, signals, the runner; and all of them put away again. */
import pc from 'picocolors';
import { monotonicNow } from '../clock/clock.ts';
import type { MetricsAddress, ProcessOptions } from '../config/copy-options.ts';
import type { Log } from '../core/log.ts';
import type { Status } from '../core/metric.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { keepRightsFromChildren } from '../native/privileges.ts';
import type { DaemonParent } from './daemon.ts';
import { errorLine, exitCodeOf } from './exit-code.ts';
import { FullScreen } from './full-screen.ts';
import { LogLimiter } from './log-limiter.ts';
import { createLog, openLogFile, type LogFile, type LogStyle } from './logger.ts';
import { acquirePidFile, type PidFile } from './pid-file.ts';
import type { Task } from './program.ts';
import type { StatusServer } from './status-server.ts';
import { childUserOf, giveWayAsAsked, goOnAs } from './run-rights.ts';
import { installSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { programVersion } from './version.ts';
import { forkWorker } from './worker-process.ts';

export interface Surroundings {
  readonly terminal: Terminal;
  /** Set when this process is the daemon. */
  readonly parent: DaemonParent | undefined;
  /** For the log file; the terminal has seen them. */
  readonly notes: readonly string[];
  /** Tells how a fatal line is reported from here on, for errors that nobody catches. */
  readonly onReport: (report: (line: string) => void) => void;
  /** Tells who is asked about errors that nobody catches, before the process ends. */
  readonly onStray: NonNullable<RunEnvironment['strayErrors']>;
}

export interface RunOptions {
  readonly process: ProcessOptions;
  readonly summaryJson?: string | undefined;
}

/** Resolves with the exit code; reports what goes wrong itself. */
export async function runInForeground<O extends RunOptions>(
  program: Task<O>,
  options: O,
  { terminal, parent, notes, onReport, onStray }: Surroundings,
): Promise<number> {
  const { logFile: path, pidFile: pidPath, ui, metrics, debug } = options.process;
  const style = logStyle(options.process, path === undefined && !parent && terminal.errorsAreSeen, ui);
  const tell = (line: string) => {
    if (!parent) terminal.errorLine(`${program.name}: ${line}`);
  };
  const file =
    path === undefined
      ? undefined
      : openLogFile(path, style, (reason) =>
          tell(`-l ${path}: cannot be written (${reason}); lines are lost [E_FILE]`),
        );
  const limiter = new LogLimiter(file?.log ?? createLog(style, (line) => terminal.errorLine(line)), monotonicNow);
  const { log } = limiter;
  const report = (line: string) => {
    file?.log.error(line);
    tell(line);
  };
  onReport(report);

  let pidFile: PidFile | undefined;
  let started = false;
  const release = () => {
    screen?.giveBack();
    limiter.flush();
    pidFile?.release();
    file?.flush();
  };
  process.on('exit', release);
  const screen = ui && !parent && terminal.isTty ? new FullScreen(process.stdout, process.stdin, interrupt) : undefined;
  terminal.keeper = screen;
  let published: Status | undefined;
  let statusServer: StatusServer | undefined;
  const signals = installSignals({
    reopenLog: reopener(file),
    abandon: () => log.warn('second signal: ending at once'),
  });
  try {
    keepRightsFromChildren();
    giveWayAsAsked(options.process.nice);
    for (const note of notes) file?.log.warn(note);
    if (pidPath !== undefined) {
      pidFile = acquirePidFile(pidPath, program.name);
      if (pidFile.replaced !== undefined) {
        log.warn(`${pidPath} was left behind by process ${pidFile.replaced}, which is gone: taken over`);
      }
    }
    if (metrics !== undefined) statusServer = await openStatusServer(metrics, () => published, log);
    const environment: RunEnvironment = {
      version: programVersion(),
      log,
      stdout: (line) => (parent && file ? file.line(line) : terminal.line(line)),
      screen,
      liveLine: !parent && terminal.isTty ? (text) => terminal.live(text) : undefined,
      get columns() {
        return terminal.columns;
      },
      colors: !parent && terminal.isTty && pc.isColorSupported,
      stopSignal: signals.stopSignal,
      statsRequests: (callback) => signals.statsRequests(callback),
      fork: forkWorker,
      childUser: childUserOf(options.process.user),
      publish: metrics && ((status) => (published = status)),
      strayErrors: onStray,
      started() {
        if (started) return;
        goOnAs(options.process.user, { open: [path, pidPath], later: options.summaryJson });
        started = true;
        parent?.started();
      },
    };
    return await program.run(options, environment);
  } catch (error) {
    screen?.giveBack();
    terminal.live('');
    const code = exitCodeOf(error, started);
    report(errorLine(error, debug));
    if (debug && error instanceof Error && error.stack !== undefined) {
      if (file) file.line(error.stack);
      else terminal.errorLine(error.stack);
    }
    if (!started) await parent?.failed(errorLine(error, debug), code);
    return code;
  } finally {
    terminal.live('');
    signals.dispose();
    statusServer?.close();
    release();
    process.off('exit', release);
  }
}

function logStyle({ logLevel, logFormat }: ProcessOptions, forPeople: boolean, wholeScreen: boolean): LogStyle {
  return {
    logLevel,
    logFormat: logFormat === 'auto' ? (forPeople ? 'text' : 'json') : logFormat,
    // The page breaks and cuts lines, which it could not if they held control sequences.
    colors: forPeople && !wholeScreen && pc.isColorSupported,
  };
}

/** What the terminal does at Ctrl-C otherwise: a second one ends at once. */
function interrupt(): void {
  process.kill(process.pid, 'SIGINT');
}

async function openStatusServer(
  address: MetricsAddress,
  status: () => Status | undefined,
  log: Log,
): Promise<StatusServer> {
  const { StatusServer } = await import('./status-server.ts');
  const server = await StatusServer.open(address, status);
  const { host, port } = address;
  const shown = host.includes(':') ? `[${host}]` : host;
  log.info(`figures at http://${shown}:${port}/metrics, /status and /healthz`);
  return server;
}

function reopener(file: LogFile | undefined): (() => void) | undefined {
  return file && (() => file.reopen());
}
