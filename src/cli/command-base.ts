/** What the two command lines have in common: layout of the help, capture and process options, how parsing fails. */
import { Command, Option } from 'commander';
import { TcpcopyError } from '../core/errors.ts';
import { IO_BACKENDS, LOG_FORMATS, LOG_LEVELS } from '../config/defaults.ts';
import { sizeOf } from './terminal.ts';
import { programVersion } from './version.ts';

const HELP_WIDTH = 100;

/** An empty command that throws instead of exiting and prints nothing of its own but help and version. */
export function baseCommand(name: string, usage: string, description: string): Command {
  return new Command(name)
    .usage(usage)
    .description(description)
    .exitOverride()
    .allowExcessArguments(false)
    .enablePositionalOptions()
    .configureOutput({ writeErr: () => undefined })
    .configureHelp({
      helpWidth: Math.min(HELP_WIDTH, sizeOf(process.stdout.columns) ?? HELP_WIDTH),
      showGlobalOptions: false,
      optionTerm: alignedTerm,
      optionDescription: describeOption,
    });
}

/** How packets are captured, and on Linux sent. */
export function addBackendOptions(command: Command): Command {
  return command
    .option('-B, --buffer <mb>', 'kernel capture buffer (20 MB; --io pcap: 64 MB)')
    .option('-S, --snaplen <bytes>', 'bytes captured of each packet (65600: all)')
    .addOption(
      new Option('--io <backend>', 'auto, ring (Linux, fast) or pcap (libpcap, everywhere) (auto)').choices(
        IO_BACKENDS,
      ),
    );
}

export function addProcessOptions(command: Command, name: string): Command {
  return command
    .optionsGroup('Process:')
    .option('-d, --daemon', 'run in the background; failures at start are still reported here')
    .option('-P, --pid-file <file>', 'write the process id here; a second instance with the same file is refused')
    .option('-l, --log <file>', `log to this file, opened anew on SIGHUP (stderr; with -d /var/log/${name}.log)`)
    .option(
      '--nice <level>',
      'give way to other programs: polite, let them go first; 0 to 19; idle, run only while no other wants to; none (polite)',
    )
    .option('--user <name>', 'once everything is open, go on as this user, without the rights of root')
    .option(
      '--metrics <[ip:]port>',
      'figures over HTTP: /metrics (Prometheus), /status (JSON), /healthz; ip: 127.0.0.1',
    )
    .addOption(new Option('--log-level <level>', 'error, warn, info or debug (info)').choices(LOG_LEVELS))
    .addOption(
      new Option('--log-format <format>', 'text, json (one object a line), or auto: text on a terminal (auto)').choices(
        LOG_FORMATS,
      ),
    )
    .option('--debug', 'log everything, and show stack traces')
    .version(`${name} ${programVersion()}`, '-v, --version', 'print the version')
    .helpOption('-h, --help', 'print this help');
}

/** Options before a subcommand's name would be the program's, and be lost. */
export function refuseProgramOptions(program: Command, subcommand: string): void {
  if (Object.keys(program.opts()).length === 0) return;
  throw new TcpcopyError('E_USAGE', `its options stand behind '${subcommand}'`, {
    where: `${program.name()} ${subcommand}`,
    hint: `see ${program.name()} ${subcommand} --help`,
  });
}

/** Gathers a repeatable option's values. */
export function collect(value: string, previous: readonly string[] | undefined): readonly string[] {
  return [...(previous ?? []), value];
}

/** Long-only options stand under the long names of the others. */
function alignedTerm(option: Option): string {
  return option.short === undefined ? `    ${option.flags}` : option.flags;
}

/** Choices and defaults are part of our own wording; commander's would say them twice. */
function describeOption(option: Option): string {
  return option.description;
}
