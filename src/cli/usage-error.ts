import { CommanderError, type Command } from 'commander';
import { TcpcopyError } from '../core/errors.ts';

/** Commander's way of saying "help or version was printed, stop here". */
export function isHelpOrVersion(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** Commander's message, of one or two lines, as our one-line error. */
export function toUsageError(error: CommanderError, command: Command): TcpcopyError {
  const seeHelp = `see ${command.name()} --help`;
  if (error.code === 'commander.excessArguments') {
    const stray = command.args.join(' ');
    return new TcpcopyError('E_USAGE', `'${stray}' belongs to no option`, {
      hint: `every value follows its flag, quoted when it holds blanks; ${seeHelp}`,
    });
  }
  const [first = '', second = ''] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (.*)\?/.exec(second)?.[1];
  const hint = suggestion === undefined ? seeHelp : `did you mean ${suggestion}?`;
  return new TcpcopyError('E_USAGE', first.replace(/\.$/, ''), { hint });
}
