/** Running other programs: short ones to their end, long ones as children that a lab stops. */
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';

/** Runs a bash script with `-e`; throws with the script's stderr when a command fails. */
export function bash(script: string): string {
  try {
    return execFileSync('bash', ['-e', '-o', 'pipefail', '-c', script], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      maxBuffer: 256 << 20,
    });
  } catch (error) {
    const stderr = (error as { stderr?: string }).stderr ?? String(error);
    throw new Error(`lab command failed: ${stderr.trim()}\n${script}`, { cause: error });
  }
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** A child whose output goes to a file, so that a full pipe never stalls it and a failed test leaves something to read. */
export class Child {
  readonly pid: number;
  readonly outputFile: string;
  readonly exited: Promise<Exit>;
  #exit: Exit | undefined;
  readonly #process: ChildProcess;

  constructor(command: readonly string[], outputFile: string, env: NodeJS.ProcessEnv = process.env) {
    const output = openSync(outputFile, 'a');
    const [file, ...args] = command;
    this.#process = spawn(file!, args, { stdio: ['ignore', output, output], env });
    closeSync(output);
    this.outputFile = outputFile;
    this.pid = this.#process.pid ?? -1;
    this.exited = new Promise((resolve) => {
      this.#process.once('error', () => resolve((this.#exit = { code: 127, signal: null })));
      this.#process.once('exit', (code, signal) => resolve((this.#exit = { code, signal })));
    });
  }

  get exit(): Exit | undefined {
    return this.#exit;
  }

  kill(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#process.kill(signal);
  }

  /** Asks with `signal`, insists with SIGKILL after `patience` ms. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patience = 5_000): Promise<Exit> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill('SIGKILL'), patience);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }
}

export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Longest wait for what takes a second or two on an idle machine, ms: others are busy, and only a failure takes it. */
export const PATIENCE = 30_000;

/** Polls `probe` until it gives something; throws `what` when `timeout` ms have passed. */
export async function until<T>(
  what: string | (() => string),
  probe: () => T | undefined | false | Promise<T | undefined | false>,
  timeout = PATIENCE,
): Promise<T> {
  const end = Date.now() + timeout;
  for (;;) {
    const value = await probe();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`timed out: ${typeof what === 'string' ? what : what()}`);
    await sleep(20);
  }
}
