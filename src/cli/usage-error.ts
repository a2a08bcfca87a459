import { CommanderError, type Command } from 'commander';
import { quoteIfNeeded } from '../config/option-error.ts';
import { TcpcopyError } from '../core/errors.ts';

/** Commander's way of saying "help or version was printed, stop here". */
export function isHelpOrVersion(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Commander's message, of one or two lines, as our one-line error. */
export function toUsageError(error: CommanderError, command: Command): TcpcopyError {
  const seeHelp = `see ${command.name()} --help`;
  if (error.code === 'commander.excessArguments') {
    const commands = command.commands.map((c) => c.name());
    const [stray = ''] = command.args;
    const orCommand = commands.length === 0 ? '' : ` and is no command (${commands.join(', ')})`;
    return new TcpcopyError('E_USAGE', `${quoteIfNeeded(stray)} belongs to no option${orCommand}`, {
      hint: `a value follows its flag, quoted when it holds blanks; ${seeHelp}`,
    });
  }
  const [first = '', second = ''] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (.*)\?/.exec(second)?.[1];
  const hint = suggestion === undefined ? seeHelp : `did you mean ${suggestion}?`;
  return new TcpcopyError('E_USAGE', first.replace(/\.$/, ''), { hint });
}
