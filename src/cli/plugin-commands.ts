/**
 * The subcommands for plugins and configuration. What does their work is loaded when one of them is called, so that
 * `--help` answers at once.
 */
import type { Command } from 'commander';
import { TcpcopyError } from '../core/errors.ts';
import { collect } from './command-base.ts';

const HELP = ['-h, --help', 'print this help'] as const;

export function registerPluginCommands(program: Command): void {
  program
    .command('plugins')
    .description('list plugins; with a name its options; with --resolved the order of a run')
    .argument('[name]', 'a built-in, a package, or a path')
    .option('--resolved', 'for each hook, what runs in which order with these --plugin and the configuration file')
    .option('--plugin <spec>', 'as for copying', collect)
    .option('--config <file>', 'configuration file')
    .action(async (name: string | undefined, options: PluginsOptions) => {
      const { printPlugins } = await import('./plugins-command.ts');
      await printPlugins(name, { ...program.opts<PluginsOptions>(), ...options });
    });

  const plugin = group(program, 'plugin', 'write a plugin of your own', ['new', 'check']);
  plugin
    .command('new')
    .description('write a package with a plugin, its options, a README and a test that passes')
    .argument('<name>', "the plugin's name, or @scope/name")
    .argument('[directory]', 'where to (tcpcopy-plugin-NAME)')
    .helpOption(...HELP)
    .action(async (name: string, directory: string | undefined) => {
      const { writePackage } = await import('./plugin-command.ts');
      writePackage(name, directory);
    });
  plugin
    .command('check')
    .description('load a plugin, set it up, and show what it taps')
    .argument('<plugin>', "as behind --plugin: './src/index.ts', './src/index.ts=VALUE,KEY=VALUE'")
    .helpOption(...HELP)
    .action(async (text: string) => {
      const { checkPlugin } = await import('./plugin-command.ts');
      await checkPlugin(text);
    });

  group(program, 'config', 'look at the configuration', ['print'])
    .command('print')
    .description('what is set, and where each value comes from; takes all options of tcpcopy')
    .option('--json', 'one object, for machines')
    .helpOption(...HELP)
    .allowUnknownOption()
    .allowExcessArguments()
    .action(async (options: { readonly json?: boolean }, command: Command) => {
      const { printConfig } = await import('./config-command.ts');
      await printConfig(program.opts(), command.args, options.json ?? false);
    });
}

/** A command that does nothing without one of its subcommands. */
function group(program: Command, name: string, description: string, subcommands: readonly string[]): Command {
  const choices = subcommands.join(', ');
  return program
    .command(name)
    .description(`${description}: ${choices}`)
    .argument('[command]')
    .allowExcessArguments()
    .usage('<command>')
    .action((given: string | undefined) => {
      const message = given === undefined ? 'does nothing by itself' : `there is no ${name} ${given}`;
      throw new TcpcopyError('E_USAGE', message, {
        where: `${program.name()} ${name}`,
        hint: `say what: ${choices}; see ${program.name()} ${name} --help`,
      });
    });
}

export interface PluginsOptions {
  readonly resolved?: boolean;
  readonly plugin?: readonly string[];
  readonly config?: string;
}
