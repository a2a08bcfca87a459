/**
 * A program with tcpcopy's command line and a runner that does what `--seed` says, for tests of the process around it.
 */
import { copyCommand } from '../../../src/cli/copy-command.ts';
import { main } from '../../../src/cli/main.ts';
import type { Program } from '../../../src/cli/program.ts';
import { TCPCOPY_REPLACED_FLAGS } from '../../../src/cli/replaced-flags.ts';
import type { CopyOptions } from '../../../src/config/copy-options.ts';
import { parseCopyOptions } from '../../../src/config/copy-options-schema.ts';
import { TcpcopyError } from '../../../src/core/errors.ts';
import type { RunEnvironment } from '../../../src/core/run-environment.ts';

/** Starts, prints, and waits to be stopped. */
const RUN_UNTIL_STOPPED = 1;
const FAIL_BEFORE_START = 2;
const FAIL_AFTER_START = 3;
const FAIL_UNEXPECTEDLY = 4;
const FAIL_IN_A_TIMER = 5;
const DIE_BEFORE_START = 6;
const IGNORE_STOP = 7;
const FIDELITY_MISSED = 8;

async function run(options: CopyOptions, env: RunEnvironment): Promise<number> {
  switch (options.seed) {
    case FAIL_BEFORE_START:
      throw new TcpcopyError('E_DEVICE', 'there is no such device', { where: '-i eth7', hint: "see 'ip link'" });
    case FAIL_AFTER_START:
      env.started();
      throw new TcpcopyError('E_DEVICE', 'went away', { where: '-i eth7' });
    case FAIL_UNEXPECTEDLY:
      env.started();
      throw new Error('two\nlines');
    case FAIL_IN_A_TIMER:
      env.started();
      setTimeout(() => {
        throw new Error('from a timer');
      }, 10);
      break;
    case DIE_BEFORE_START:
      process.exit(7);
    case FIDELITY_MISSED:
      env.started();
      return 1;
  }
  env.started();
  env.log.info('running', { seed: options.seed });
  env.stdout('ready');
  env.statsRequests(() => env.stdout('figures'));
  const keepAlive = setInterval(() => undefined, 1_000);
  await new Promise<void>((resolve) => {
    if (options.seed === RUN_UNTIL_STOPPED) env.stopSignal.addEventListener('abort', () => resolve());
    if (options.seed === IGNORE_STOP) env.stopSignal.addEventListener('abort', () => env.stdout('not yet'));
  });
  clearInterval(keepAlive);
  env.stdout(`summary after ${String(env.stopSignal.reason)}`);
  return 0;
}

const program: Program<CopyOptions> = {
  name: 'tcpcopy',
  command: copyCommand,
  replacedFlags: TCPCOPY_REPLACED_FLAGS,
  parse: async (raw, context) => parseCopyOptions(raw, context),
  run,
};

await main(program);
