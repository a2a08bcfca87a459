/** `tcpcopy completion`: a script that completes both programs' command lines. */
import { Argument, type Command } from 'commander';
import { SHELLS, type Shell } from './completion.ts';

export function registerCompletion(program: Command): void {
  program
    .command('completion')
    .description('print a script that completes the options of tcpcopy and intercept in a shell')
    .addArgument(new Argument('<shell>', SHELLS.join(' or ')).choices(SHELLS))
    .helpOption('-h, --help', 'print this help')
    .addHelpText(
      'after',
      `
  bash: source <(tcpcopy completion bash)
  zsh:  source <(tcpcopy completion zsh)
`,
    )
    .action(async (shell: Shell) => {
      const [{ completionScript }, { interceptCommand }, { builtInNames }] = await Promise.all([
        import('./completion.ts'),
        import('./intercept-command.ts'),
        import('../replay/plugin-catalog.ts'),
      ]);
      process.stdout.write(completionScript(shell, [program, interceptCommand()], builtInNames()));
    });
}
