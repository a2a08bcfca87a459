/** What is done when standard output or standard error takes no more. */
import { EXIT_FAILED } from './exit-code.ts';

/** What of a process is used here. */
export interface OutputProcess {
  readonly stdout: ErrorSource;
  readonly stderr: ErrorSource;
  readonly pid: number;
  kill(pid: number, signal: 'SIGTERM'): unknown;
  listenerCount(signal: 'SIGTERM'): number;
  exit(code: number): unknown;
}

interface ErrorSource {
  on(event: 'error', listener: (error: NodeJS.ErrnoException) => void): unknown;
}

/**
 * The work ends as at SIGTERM, at the first write that fails and only once: a second signal would cut short what the
 * first one begins, as the summary file. `tcpcopy … | head`: whoever read the output has seen enough, and nothing is
 * said. Anything else, as a full disk, is told through `report`, and `failed` says that the exit code must tell too.
 */
export function endWithOutput(of: OutputProcess, report: (line: string) => void): { readonly failed: boolean } {
  const state = { failed: false };
  let ended = false;
  const listen = (name: string, stream: ErrorSource) =>
    stream.on('error', ({ code, message }) => {
      if (ended) return;
      ended = true;
      state.failed = code !== 'EPIPE';
      if (state.failed) report(`${name} cannot be written (${code ?? message}) [E_FILE]`);
      if (state.failed && of.listenerCount('SIGTERM') === 0) of.exit(EXIT_FAILED);
      else of.kill(of.pid, 'SIGTERM');
    });
  listen('standard output', of.stdout);
  listen('standard error', of.stderr);
  return state;
}
