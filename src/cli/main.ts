/**
 * From arguments to exit code, for both programs: parse, go to the background if asked, take the pid file, open the log,
 * run, and turn whatever goes wrong into one line on standard error.
 */
import { CommanderError, type Command } from 'commander';
import type { ProcessOptions } from '../config/copy-options.ts';
import { daemonParent, startDaemon } from './daemon.ts';
import { endWithOutput } from './ended-output.ts';
import { errorLine, EXIT_BAD_USE, EXIT_FAILED, EXIT_OK, exitCodeOf } from './exit-code.ts';
import { machineContext } from './machine-context.ts';
import type { Program, Task } from './program.ts';
import { replacedFlagNotes } from './replaced-flags.ts';
import { Terminal } from './terminal.ts';
import { isHelpOrVersion, toUsageError } from './usage-error.ts';
import { giveBackStartMemory } from './start-memory.ts';
import { letYoungGenerationGrowOnce } from './young-generation.ts';

/** Time for open handles to close after the program has finished; then they are abandoned. */
const GRACE_MS = 500;

export interface MainSetup {
  /** Adds subcommands; those that run for long do so through `run`. */
  readonly extend?: (command: Command, run: RunTask) => void;
}

/** Checks the options, goes to the background if asked, and runs. */
export type RunTask = <O extends { readonly process: ProcessOptions }>(
  task: Task<O>,
  raw: Readonly<Record<string, unknown>>,
) => Promise<void>;

/** Runs `program` with this process's arguments and ends the process. */
export async function main<O extends { readonly process: ProcessOptions }>(
  program: Program<O>,
  setup: MainSetup = {},
): Promise<void> {
  const argv = process.argv.slice(2);
  const terminal = new Terminal(process.stdout, process.stderr);
  const parent = daemonParent();
  const debug = argv.includes('--debug');
  let report = (line: string) => terminal.errorLine(`${program.name}: ${line}`);

  const output = endWithOutput(process, (line) => report(line));
  let deal = (_error: unknown, _rejected: boolean) => false;
  const onUncaught = (error: unknown, origin: NodeJS.UncaughtExceptionOrigin) => {
    if (deal(error, origin === 'unhandledRejection')) return;
    report(errorLine(error, debug));
    if (debug && error instanceof Error && error.stack) terminal.errorLine(error.stack);
    process.exit(EXIT_FAILED);
  };
  process.on('uncaughtException', onUncaught);

  const command = program.command();
  let code: number | undefined;
  const run: RunTask = async (task, raw) => {
    const { options, notes } = await task.parse(raw, machineContext(task.name));
    const allNotes = [...replacedFlagNotes(raw, task.replacedFlags), ...notes];
    if (!parent) for (const note of allNotes) report(`note: ${note}`);
    if (options.process.daemon && !parent) {
      code = await startDaemon(task.name, argv, options.process.logFile!, terminal);
      return;
    }
    const { runInForeground } = await import('./run-in-foreground.ts');
    letYoungGenerationGrowOnce();
    giveBackStartMemory();
    code = await runInForeground(task, options, {
      terminal,
      parent,
      notes: allNotes,
      onReport: (r) => (report = r),
      onStray: (d) => (deal = d),
    });
  };
  command.action(() => run(program, command.opts()));
  setup.extend?.(command, run);
  // A subcommand's help option would stand under the heading it has in the program's own help.
  for (const subcommand of command.commands) subcommand.helpOption('-h, --help', 'print this help');

  try {
    await command.parseAsync(argv, { from: 'user' });
  } catch (error) {
    if (!isHelpOrVersion(error)) {
      const shown = error instanceof CommanderError ? toUsageError(error, command, argv) : error;
      const line = errorLine(shown, debug);
      code = error instanceof CommanderError ? EXIT_BAD_USE : exitCodeOf(error, false);
      if (parent) await parent.failed(line, code);
      else report(line);
      if (debug && error instanceof Error && error.stack) terminal.errorLine(error.stack);
    }
  }
  if (code !== undefined) process.exitCode = code === EXIT_OK && output.failed ? EXIT_FAILED : code;
  setTimeout(() => process.exit(), GRACE_MS).unref();
}
