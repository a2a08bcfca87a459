#!/usr/bin/env node
import './young-generation.ts';
import type { InterceptOptions } from '../config/copy-options.ts';
import { interceptCommand } from './intercept-command.ts';
import { main } from './main.ts';
import type { Program } from './program.ts';
import { INTERCEPT_REPLACED_FLAGS } from './replaced-flags.ts';

const intercept: Program<InterceptOptions> = {
  name: 'intercept',
  command: interceptCommand,
  replacedFlags: INTERCEPT_REPLACED_FLAGS,
  async parse(raw, context) {
    const { parseInterceptOptions } = await import('../config/intercept-options-schema.ts');
    return { options: parseInterceptOptions(raw, context), notes: [] };
  },
  async run(options, environment) {
    if (options.check !== undefined) {
      const { checkIntercept } = await import('../doctor/check-intercept.ts');
      return checkIntercept(options, environment);
    }
    const { runIntercept } = await import('../intercept/run-intercept.ts');
    return runIntercept(options, environment);
  },
};

await main(intercept);
