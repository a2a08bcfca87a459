/** `tcpcopy doctor`: why a copy does not work, or that it would. Takes the options of the run that it is about. */
import type { Command } from 'commander';
import type { DoctorOptions } from '../doctor/run-doctor.ts';
import { addProcessOptions, baseCommand, refuseProgramOptions } from './command-base.ts';
import { addCopyOptions } from './copy-command.ts';
import type { RunTask } from './main.ts';
import type { Task } from './program.ts';
import { addReplacedFlags, TCPCOPY_REPLACED_FLAGS } from './replaced-flags.ts';

const EXAMPLES = `
Examples:
  Would this copy work, and if not, why:
    tcpcopy doctor -x 80-192.0.2.10:8080 -s 192.0.2.20 -c 10.9.8.x
  The commands that set it up on every host, and take it back:
    tcpcopy doctor -x 80-192.0.2.10:8080 -s 192.0.2.20 -c 10.9.8.x \\
      --print-setup
  On the intercept's host:
    intercept -i eth0 --check

It sends a few connection attempts, marked and never completed, through the way
that copies take, and changes nothing; with --apply it runs the fixes that are
for this host. Exit codes: 0 nothing found, 1 something found, 2 bad use.
`;

/** Long names of the options that a run does not have. */
const OWN_FLAGS: ReadonlySet<string> = new Set(['--apply', '--json', '--print-setup']);

export function doctorCommand(): Command {
  const command = baseCommand(
    'doctor',
    '-x <port-ip:port> [-s <intercept>] [options of the run]',
    'say why a copy does not work, and what mends it',
  );
  command
    .optionsGroup('Doctor:')
    .option('--apply', 'run the fixes that are for this host, and look again')
    .option('--print-setup', 'print the commands that set the copy up on every host, and those that undo it')
    .option('--json', 'one object, for machines');
  addCopyOptions(command);
  addProcessOptions(command, 'tcpcopy');
  addReplacedFlags(command, TCPCOPY_REPLACED_FLAGS);
  return command.addHelpText('after', EXAMPLES);
}

export function registerDoctor(program: Command, run: RunTask): void {
  const command = doctorCommand();
  program.addCommand(command);
  command.action(async () => {
    refuseProgramOptions(program, 'doctor');
    await run(doctor, command.opts());
  });
}

const doctor: Task<DoctorOptions> = {
  name: 'tcpcopy',
  replacedFlags: TCPCOPY_REPLACED_FLAGS,
  async parse(raw, context) {
    const [{ parseCopyOptions }, { parseWithConfigFile }] = await Promise.all([
      import('../config/copy-options-schema.ts'),
      import('./config-file.ts'),
    ]);
    const { options, notes } = await parseWithConfigFile(raw, (all) => parseCopyOptions(all, context));
    const own = {
      apply: raw['apply'] === true,
      json: raw['json'] === true,
      printSetup: raw['printSetup'] === true,
      line: typedLine(process.argv.slice(2)),
    };
    return {
      options: {
        ...options,
        process: { ...options.process, daemon: false, pidFile: undefined, logFile: undefined },
        doctor: own,
      },
      notes,
    };
  },
  async run(options, environment) {
    const { runDoctor } = await import('../doctor/run-doctor.ts');
    return runDoctor(options, environment);
  },
};

/** The words behind `doctor`, for a shell, without what only it understands. */
export function typedLine(argv: readonly string[]): string {
  return argv
    .slice(argv.indexOf('doctor') + 1)
    .filter((word) => !OWN_FLAGS.has(word))
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`))
    .join(' ');
}
