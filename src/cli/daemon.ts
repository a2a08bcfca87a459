/**
 * Running in the background, in two halves.
 *
 * The parent starts the same command again in a session of its own, its output on the log file, and waits for one
 * message: `started` (the parent exits 0) or `failed` (the parent prints the line and exits with that code). So bad
 * options, missing rights or a port in use are seen where the command was typed, and a start script can trust the exit
 * code. The child finds a mark in its environment and runs in the foreground of its new session.
 */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { TcpcopyError } from '../core/errors.ts';
import { EXIT_FAILED, EXIT_OK } from './exit-code.ts';
import type { Terminal } from './terminal.ts';

const CHILD_MARK = 'TCPCOPY_DAEMON_CHILD';

type DaemonMessage = { readonly started: true } | { readonly failed: string; readonly exitCode: number };

/** The child's half of the conversation; `undefined` in any other process. */
export interface DaemonParent {
  started(): void;
  failed(line: string, exitCode: number): Promise<void>;
}

/** To be called once: takes the mark away, so that no process started from here inherits it. */
export function daemonParent(): DaemonParent | undefined {
  const marked = process.env[CHILD_MARK] !== undefined && process.send !== undefined;
  delete process.env[CHILD_MARK];
  if (!marked) return undefined;
  const tell = (message: DaemonMessage) =>
    new Promise<void>((resolve) => {
      if (!process.connected) return resolve();
      // The parent may be gone; then nobody is left to tell.
      process.send!(message, undefined, {}, () => {
        if (process.connected) process.disconnect();
        resolve();
      });
    });
  return {
    started: () => void tell({ started: true }),
    failed: (failed, exitCode) => tell({ failed, exitCode }),
  };
}

/** The parent's half: resolves with the exit code. */
export async function startDaemon(
  name: string,
  argv: readonly string[],
  logFile: string,
  terminal: Terminal,
): Promise<number> {
  const output = openForAppending(logFile);
  const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...argv], {
    detached: true,
    stdio: ['ignore', output, output, 'ipc'],
    env: { ...process.env, [CHILD_MARK]: '1' },
  });
  closeSync(output);
  const forward = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on('SIGINT', forward).on('SIGTERM', forward);
  try {
    return await new Promise<number>((resolve) => {
      child.on('error', (error) => {
        terminal.errorLine(`${name}: cannot start the daemon: ${error.message}`);
        resolve(EXIT_FAILED);
      });
      child.on('message', (message: DaemonMessage) => {
        if ('started' in message) {
          terminal.line(`${name} runs in the background as process ${child.pid}, log in ${logFile}`);
          resolve(EXIT_OK);
        } else {
          terminal.errorLine(`${name}: ${message.failed}`);
          resolve(message.exitCode);
        }
      });
      child.on('exit', (code, signal) => {
        if (code === EXIT_OK) return resolve(EXIT_OK);
        const how = signal === null ? `exit code ${code}` : signal;
        terminal.errorLine(`${name}: the daemon ended while starting (${how}); see ${logFile}`);
        resolve(EXIT_FAILED);
      });
    });
  } finally {
    process.off('SIGINT', forward).off('SIGTERM', forward);
    if (child.connected) child.disconnect();
    child.unref();
  }
}

function openForAppending(path: string): number {
  try {
    return openSync(path, 'a', 0o644);
  } catch (error) {
    throw new TcpcopyError('E_FILE', `cannot be opened (${(error as NodeJS.ErrnoException).code})`, {
      where: `-l ${path}`,
      hint: 'name a file that can be written',
      cause: error,
    });
  }
}
