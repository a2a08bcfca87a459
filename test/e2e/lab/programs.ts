/** The two programs as a user runs them: built, from the command line, inside a host of the lab. */
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { outputOf, type Host } from './host.ts';
import type { SummaryObject } from '../../../src/report/summary-json.ts';
import { CONTROL_PORT } from './plan.ts';
import { PATIENCE, sleep, until, type Child, type Exit } from './shell.ts';
import { usageOf, type Usage } from './usage.ts';

export type ProgramName = 'tcpcopy' | 'intercept';

/** Where `npm run build` puts a program. */
export function builtProgram(name: ProgramName): string {
  const path = fileURLToPath(new URL(`../../../dist/src/cli/${name}.js`, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: run npm run build`);
  return path;
}

/** `ring` or `pcap`: what both programs are told to capture and send with (TCPCOPY_IO); else they choose. */
export const IO = process.env['TCPCOPY_IO'];
/** Under libpcap each frame takes 128 KB of the capture buffer, whatever its size. */
export const IO_ARGS: readonly string[] = IO === undefined ? [] : ['--io', IO, ...(IO === 'pcap' ? ['-B', '256'] : [])];

export interface Stopped extends Exit {
  /** From the signal to the end, ms. */
  readonly took: number;
  readonly output: string;
  readonly usage: Usage;
}

let runs = 0;

export class RunningProgram {
  readonly name: ProgramName;
  readonly host: Host;
  readonly child: Child;
  readonly #summaryFile: string;

  /** `through`: a command that starts it, such as one that takes rights away. */
  constructor(name: ProgramName, host: Host, args: readonly string[], through: readonly string[] = []) {
    this.name = name;
    this.host = host;
    this.#summaryFile = host.file(`${name}-summary-${(runs += 1)}.json`);
    const summary = args.includes('--summary-json') ? [] : ['--summary-json', this.#summaryFile];
    this.child = host.spawn(name, [...through, process.execPath, builtProgram(name), ...args, ...IO_ARGS, ...summary]);
  }

  get output(): string {
    return outputOf(this.child);
  }

  usage(): Usage {
    return usageOf(this.child.pid);
  }

  /** Waits for a text in what the program prints; fails at once when the program ends instead. */
  async says(pattern: RegExp, timeout = PATIENCE): Promise<void> {
    await until(
      () => `${this.name} never said ${pattern.source}:\n${this.output}`,
      () => {
        if (pattern.test(this.output)) return true;
        if (this.child.exit !== undefined)
          throw new Error(`${this.name} ended with ${this.child.exit.code}:\n${this.output}`);
        return false;
      },
      timeout,
    );
  }

  /** SIGINT, as a user would; SIGKILL after 20 s. */
  async stop(signal: NodeJS.Signals = 'SIGINT'): Promise<Stopped> {
    const usage = this.usage();
    const begin = performance.now();
    const exit = await this.child.stop(signal, 20_000);
    return { ...exit, took: performance.now() - begin, output: this.output, usage };
  }

  /** What tcpcopy wrote with `--summary-json`. */
  summary(): SummaryObject {
    return JSON.parse(readFileSync(this.#summaryFile, 'utf8')) as SummaryObject;
  }
}

/** Starts tcpcopy and waits until it copies. */
export async function startTcpcopy(
  host: Host,
  args: readonly string[],
  through: readonly string[] = [],
): Promise<RunningProgram> {
  const program = new RunningProgram('tcpcopy', host, args, through);
  await program.says(/copying/i);
  return program;
}

/** Starts intercept and waits until it can be connected to. */
export async function startIntercept(
  host: Host,
  args: readonly string[] = ['-i', 'back'],
  port = CONTROL_PORT,
  through: readonly string[] = [],
): Promise<RunningProgram> {
  const program = new RunningProgram('intercept', host, args, through);
  await until(
    () => `intercept does not listen:\n${program.output}`,
    () => {
      if (program.child.exit !== undefined) throw new Error(`intercept ended:\n${program.output}`);
      return host.sh(`ss -Hltn 'sport = :${port}'`).trim() !== '';
    },
  );
  return program;
}

/** Stops tcpcopy and insists on what every run must end with: in time, code 0, a balanced ledger. */
export async function stopTcpcopy(
  program: RunningProgram,
  code = 0,
): Promise<{ stopped: Stopped; summary: SummaryObject }> {
  // What the load sent last is still in the kernel's ring.
  await sleep(200);
  const stopped = await program.stop();
  if (stopped.code !== code) throw new Error(`tcpcopy ended with ${stopped.code}:\n${stopped.output}`);
  // Two seconds are what it waits for others at most.
  if (stopped.took > 8_000) throw new Error(`tcpcopy took ${Math.round(stopped.took)} ms to stop`);
  const summary = program.summary();
  if (!summary.balanced) throw new Error(`the ledger does not balance:\n${stopped.output}`);
  return { stopped, summary };
}
