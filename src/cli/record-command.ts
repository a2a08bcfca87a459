/** `tcpcopy record`: what reaches a server goes into files instead of to a test server. */
import type { Command } from 'commander';
import type { RecordOptions } from '../config/copy-options.ts';
import { addBackendOptions, addProcessOptions, baseCommand, collect, refuseProgramOptions } from './command-base.ts';
import type { RunTask } from './main.ts';
import type { Task } from './program.ts';

const EXAMPLES = `
Examples:
  Everything to and from port 80, as it was captured:
    tcpcopy record -x 80 -w traffic.pcapng
  Files of 100 MB, packed, a new one each hour at the latest, of which the last
  ten stay:
    tcpcopy record -x 80 -w traffic.pcapng.gz \\
      --max-size 100 --max-time 1h --files 10
  Requests without credentials and cookies, and no responses:
    tcpcopy record -x 80 -w traffic.pcapng --plugin header-scrub
  The same from a recording that has them:
    tcpcopy record -i secret.pcap -x 80 -w shareable.pcapng \\
      --plugin header-scrub

With plugins only what they leave of the requests is recorded; of the responses
their lengths. Files can be read by their owner only, and opened with Wireshark.
SIGINT and SIGTERM end with the summary.
`;

export function recordCommand(): Command {
  const command = baseCommand(
    'record',
    '-x <port> -w <file> [options]',
    'record traffic to files (pcapng), through plugins if there are any',
  );
  command
    .optionsGroup('Traffic:')
    .option('-x, --map <list>', 'servers: port, ip:port or a range of ports, comma separated; IPv6 as [v6]', collect)
    .option(
      '-i, --input <devices>',
      "devices to capture on, comma separated, or one recording (pcap, pcapng, .gz; '-' for stdin) (any)",
      collect,
    )
    .option('-F, --filter <filter>', 'capture only what matches this pcap filter too, as in "src net 10.0.0.0/8"');
  addBackendOptions(command);
  command
    .optionsGroup('Files:')
    .option('-w, --write <file>', 'record to this file; packed when it ends in .gz')
    .option('--max-size <mb>', 'begin another file when one has this size on disk')
    .option('--max-time <s>', 'begin another file after this time (3600, 1h)')
    .option('--files <num>', 'keep only this many files, the latest')
    .optionsGroup('Plugins:')
    .option('--plugin <spec>', 'NAME[=VALUE][,KEY=VALUE...], repeatable, in the order they run', collect)
    .option('--on-plugin-error <policy>', 'as for copying (pass)')
    .option('--config <file>', 'configuration file, of which the plugins are used')
    .option('--seed <num>', 'same seed, same recording: the same choices of plugins')
    .optionsGroup('Limits and output:')
    .option('-m, --memory <mb>', 'memory for what waits for plugins (512 MB)')
    .option('--summary-json <file>', 'write the summary there too, for machines')
    .option('--summary-interval <s>', 'between lines of figures where there is no terminal; 0: none (10)');
  addProcessOptions(command, 'tcpcopy');
  return command.addHelpText('after', EXAMPLES);
}

export function registerRecord(program: Command, run: RunTask): void {
  const command = recordCommand();
  program.addCommand(command);
  command.action(async () => {
    refuseProgramOptions(program, 'record');
    await run(record, command.opts());
  });
}

const record: Task<RecordOptions> = {
  name: 'tcpcopy',
  replacedFlags: [],
  async parse(raw, context) {
    const [{ parseRecordOptions }, { withConfigFile }] = await Promise.all([
      import('../config/record-options-schema.ts'),
      import('./config-file.ts'),
    ]);
    const { plugin, onPluginError, seed } = await withConfigFile(raw);
    return { options: parseRecordOptions({ ...raw, plugin, onPluginError, seed }, context), notes: [] };
  },
  async run(options, environment) {
    const { runCopy } = await import('../replay/run-copy.ts');
    return runCopy(options, environment);
  },
};
