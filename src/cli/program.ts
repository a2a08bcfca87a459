import type { Command } from 'commander';
import type { ProcessOptions } from '../config/copy-options.ts';
import type { OptionsContext } from '../config/options-context.ts';
import type { RunEnvironment } from '../core/run-environment.ts';

/** Work that goes on for long, with pid file, log and signals. `O` is its checked options. */
export interface Task<O extends { readonly process: ProcessOptions }> {
  /** The program's. */
  readonly name: 'tcpcopy' | 'intercept';
  /** Options of TCPCopy's that are read and put aside, with what replaced each. */
  readonly replacedFlags: readonly ReplacedFlag[];
  parse(
    raw: Readonly<Record<string, unknown>>,
    context: OptionsContext,
  ): Promise<{ readonly options: O; readonly notes: readonly string[] }>;
  /** Resolves with the exit code. */
  run(options: O, environment: RunEnvironment): Promise<number>;
}

/** What `main` needs to know of one of the two programs. */
export interface Program<O extends { readonly process: ProcessOptions }> extends Task<O> {
  /** The command line as commander sees it, without its action. */
  command(): Command;
}

export interface ReplacedFlag {
  /** With its argument as commander writes it: `-f <num>`. */
  readonly flags: string;
  /** Completes `-f `: what became of it. */
  readonly replacement: string;
}
