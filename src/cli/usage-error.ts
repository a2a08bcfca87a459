import { CommanderError, type Command } from 'commander';
import { quoteIfNeeded } from '../config/option-error.ts';
import { TcpcopyError } from '../core/errors.ts';

/** Commander's way of saying "help or version was printed, stop here". */
export function isHelpOrVersion(error: unknown): boolean {
  return error instanceof CommanderError && error.exitCode === 0;
}

/** The command that the words lead to: the program itself, or one of its subcommands. */
function commandOf(program: Command, argv: readonly string[]): Command {
  let command = program;
  for (const word of argv) {
    const next = command.commands.find((subcommand) => subcommand.name() === word);
    if (next === undefined) break;
    command = next;
  }
  return command;
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

/** A word that no option takes. `commands`: those that might have been meant. */
export function strayWord(word: string, path: string, commands: readonly string[] = []): TcpcopyError {
  const orCommand = commands.length === 0 ? '' : ` and is no command (${commands.join(', ')})`;
  return new TcpcopyError('E_USAGE', `${quoteIfNeeded(word)} belongs to no option${orCommand}`, {
    hint: `a value follows its flag, quoted when it holds blanks; see ${path} --help`,
  });
}

/** Commander's message, of one or two lines, as our one-line error. `argv`: what the program was given. */
export function toUsageError(error: CommanderError, program: Command, argv: readonly string[]): TcpcopyError {
  const command = commandOf(program, argv);
  const seeHelp = `see ${pathOf(command)} --help`;
  if (error.code === 'commander.excessArguments') {
    const commands = command.commands.map((c) => c.name());
    return strayWord(command.args[command.registeredArguments.length] ?? '', pathOf(command), commands);
  }
  const choices = /^error: option '.*(--[\w-]+).*' argument '(.*)' is invalid\. Allowed choices are (.*)\.$/.exec(
    error.message,
  );
  if (choices !== null) {
    const [, flag, value, allowed] = choices as unknown as [string, string, string, string];
    return new TcpcopyError('E_USAGE', `must be one of ${allowed}`, { where: `${flag} ${quoteIfNeeded(value)}` });
  }
  const [first = '', second = ''] = error.message.replace(/^error: /, '').split('\n');
  const suggestion = /Did you mean (.*)\?/.exec(second)?.[1];
  const hint = suggestion === undefined ? seeHelp : `did you mean ${suggestion}?`;
  return new TcpcopyError('E_USAGE', first.replace(/\.$/, ''), { hint });
}
