/**
 * Completion for shells, made of the command lines as commander has them, so that no option can be missing. One script
 * serves bash, and zsh through its `bashcompinit`. Where it has nothing to say the shell completes file names.
 */
import type { Command, Option } from 'commander';

export const SHELLS = ['bash', 'zsh'] as const;
export type Shell = (typeof SHELLS)[number];

/** Its arguments are the program's options. */
const TAKES_ALL = '/config/print';
/** Its argument is a plugin. */
const TAKES_PLUGIN = '/plugins';

/** `plugins`: what `--plugin` is offered. */
export function completionScript(shell: Shell, programs: readonly Command[], plugins: readonly string[]): string {
  const preface = shell === 'zsh' ? 'autoload -U +X compinit bashcompinit && compinit && bashcompinit\n' : '';
  return preface + programs.map((program) => completionOf(program, plugins)).join('');
}

function completionOf(program: Command, plugins: readonly string[]): string {
  const name = program.name();
  const commands = below(program, '');
  const paths = [...commands.keys()].filter((path) => path !== '');
  const find = `    case "$path/$word" in ${paths.join('|')}) path="$path/$word" ;; esac\n`;
  const words = [...commands].map(([path, command]) => {
    const flags = flagsOf(path === TAKES_ALL ? [command, program] : [command]);
    return `    '${path}') words='${namesOf(path, command, plugins)}' flags='${flags}' ;;\n`;
  });
  const values = [...valuesOf([...commands.values()], plugins)].map(
    ([choices, flags]) => `    ${flags.join('|')}) words='${choices}' flags= ;;\n`,
  );
  return `_${name}() {
  local cur="\${COMP_WORDS[COMP_CWORD]}" prev="\${COMP_WORDS[COMP_CWORD-1]}" path= word words flags
  for word in "\${COMP_WORDS[@]:1:$((COMP_CWORD - 1))}"; do
${paths.length === 0 ? '    :\n' : find}  done
  case "$path" in
${words.join('')}  esac
  case "$prev" in
${values.join('')}  esac
  [[ $cur == -* ]] && words="$flags"
  COMPREPLY=($(compgen -W "$words" -- "$cur"))
}
complete -o default -F _${name} ${name}
`;
}

/** The command and those below it, by path: `''`, `/plugin`, `/plugin/new`. */
function below(command: Command, path: string): Map<string, Command> {
  return new Map([[path, command], ...command.commands.flatMap((next) => [...below(next, `${path}/${next.name()}`)])]);
}

/** What may stand there that is no option. */
function namesOf(path: string, { commands, registeredArguments }: Command, plugins: readonly string[]): string {
  if (path === TAKES_PLUGIN) return plugins.join(' ');
  const choices = registeredArguments.flatMap(({ argChoices = [] }) => argChoices);
  return [...commands.map((command) => command.name()), ...choices].join(' ');
}

function flagsOf(commands: readonly Command[]): string {
  const flags = commands.flatMap(visible).map(({ short, long }) => long ?? short!);
  return [...new Set([...flags, '--help'])].join(' ');
}

function visible(command: Command): readonly Option[] {
  return command.options.filter(({ hidden }) => !hidden);
}

/** Flags that take a value, by what it may be: choices, plugins, or nothing that is known. */
function valuesOf(commands: readonly Command[], plugins: readonly string[]): Map<string, readonly string[]> {
  const values = new Map<string, readonly string[]>();
  for (const { short, long, argChoices } of commands.flatMap(visible).filter(({ required }) => required)) {
    const choices = (long === '--plugin' ? plugins : (argChoices ?? [])).join(' ');
    const flags = [short, long].filter((flag) => flag !== undefined);
    values.set(choices, [...new Set([...(values.get(choices) ?? []), ...flags])]);
  }
  return values;
}
