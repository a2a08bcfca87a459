/**
 * A process that does a share of another's run: the same command line again, marked in its environment. It has no
 * terminal, log or pid file of its own; what it has to say goes to its parent, and it ends when that tells it to or is
 * gone. Signals meant for the group (Ctrl-C, a service manager) are the parent's to act on.
 */
import { fork } from 'node:child_process';
import type { CopyOptions, RunAs } from '../config/copy-options.ts';
import type { Log } from '../core/log.ts';
import type { RunEnvironment, WorkerChannel } from '../core/run-environment.ts';
import { keepRightsFromChildren, withNetRaw } from '../native/privileges.ts';
import { errorData, type FromWorker, type ToWorker } from '../replay/worker-messages.ts';
import { machineContext } from './machine-context.ts';
import type { Program } from './program.ts';
import { childUserOf, goOnAs } from './run-rights.ts';
import { programVersion } from './version.ts';
import { giveBackStartMemory } from './start-memory.ts';
import { letYoungGenerationGrowOnce } from './young-generation.ts';

const MARK = 'TCPCOPY_WORKER';

/** To be called once: whether this process is a worker. Takes the mark away, so that no process started from here has it. */
export function takeWorkerMark(): boolean {
  const marked = process.env[MARK] !== undefined && process.send !== undefined;
  delete process.env[MARK];
  return marked;
}

/** Starts this program once more, as a worker. */
export function forkWorker(): WorkerChannel<never, unknown> {
  const child = withNetRaw(() =>
    fork(process.argv[1]!, process.argv.slice(2), {
      env: { ...process.env, [MARK]: '1' },
      serialization: 'advanced',
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    }),
  );
  // What cannot be sent to a process that is gone is nothing to worry about: its exit is told.
  child.on('error', () => undefined);
  return {
    pid: child.pid,
    send: (message) => void (child.connected && child.send(message)),
    onMessage: (listener) => void child.on('message', listener),
    onExit: (listener) => {
      child.on('close', (code, signal) => listener(signal === null ? `exit code ${code}` : signal));
    },
    kill: () => void child.kill('SIGKILL'),
  };
}

/** The worker's side, from its seat to its end. */
export async function workAsOneOfSeveral({ command, parse }: Program<CopyOptions>): Promise<void> {
  keepRightsFromChildren();
  const stop = new AbortController();
  const tell = (message: FromWorker): void => void (process.connected && process.send!(message));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => undefined);
  process.on('SIGUSR1', () => undefined);
  process.on('disconnect', () => stop.abort());
  const begin = await new Promise<Extract<ToWorker, { type: 'begin' }> | undefined>((resolve) => {
    process.on('message', (message: ToWorker) => {
      if (message.type === 'begin') resolve(message);
      else stop.abort();
    });
    stop.signal.addEventListener('abort', () => resolve(undefined));
  });
  let error: unknown;
  try {
    if (begin !== undefined) {
      const { runShare } = await import('../replay/run-copy.ts');
      const options = await optionsOf({ command, parse });
      letYoungGenerationGrowOnce();
      giveBackStartMemory();
      await runShare(options, environmentOf(tell, stop.signal, options.process.user), {
        ...begin,
        report: (report) => tell({ type: 'report', report }),
        capturing: (fanout) => tell({ type: 'capturing', fanout }),
      });
    }
  } catch (thrown) {
    error = thrown;
  }
  tell({ type: 'ended', error: error === undefined ? undefined : errorData(error) });
  if (process.connected) process.disconnect();
}

/** The options of the command line that this process has been given, which its parent has found good. */
async function optionsOf({ command, parse }: Pick<Program<CopyOptions>, 'command' | 'parse'>): Promise<CopyOptions> {
  const line = command();
  line.action(() => undefined);
  line.parse(process.argv.slice(2), { from: 'user' });
  const { options } = await parse(line.opts(), machineContext('tcpcopy'));
  return options;
}

function environmentOf(
  tell: (message: FromWorker) => void,
  stopSignal: AbortSignal,
  user: RunAs | undefined,
): RunEnvironment {
  const say =
    (level: keyof Log): Log['error'] =>
    (message, fields) =>
      tell({ type: 'log', level, message, fields });
  return {
    version: programVersion(),
    log: { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') },
    stdout: (text) => tell({ type: 'line', text }),
    stopSignal,
    statsRequests: () => undefined,
    childUser: childUserOf(user),
    started() {
      goOnAs(user, { open: [], later: undefined });
      tell({ type: 'started' });
    },
  };
}
