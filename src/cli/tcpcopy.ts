#!/usr/bin/env node
import './young-generation.ts';
import type { CopyOptions } from '../config/copy-options.ts';
import { registerCompletion } from './completion-command.ts';
import { copyCommand } from './copy-command.ts';
import { registerDoctor } from './doctor-command.ts';
import { registerInspect } from './inspect.ts';
import { main } from './main.ts';
import { registerPluginCommands } from './plugin-commands.ts';
import { registerRecord } from './record-command.ts';
import type { Program } from './program.ts';
import { TCPCOPY_REPLACED_FLAGS } from './replaced-flags.ts';
import { takeWorkerMark, workAsOneOfSeveral } from './worker-process.ts';

/** What the work needs is loaded when it begins, so that `--help` answers at once. */
const tcpcopy: Program<CopyOptions> = {
  name: 'tcpcopy',
  command: copyCommand,
  replacedFlags: TCPCOPY_REPLACED_FLAGS,
  async parse(raw, context) {
    const [{ parseCopyOptions }, { parseWithConfigFile }] = await Promise.all([
      import('../config/copy-options-schema.ts'),
      import('./config-file.ts'),
    ]);
    return parseWithConfigFile(raw, (all) => parseCopyOptions(all, context));
  },
  async run(options, environment) {
    const { runCopy } = await import('../replay/run-copy.ts');
    return runCopy(options, environment);
  },
};

if (takeWorkerMark()) {
  await workAsOneOfSeveral(tcpcopy);
} else {
  await main(tcpcopy, {
    extend(command, run) {
      registerRecord(command, run);
      registerDoctor(command, run);
      registerInspect(command);
      registerPluginCommands(command);
      registerCompletion(command);
    },
  });
}
