/** Codec conformance: what every codec has to stand, tried with conversations of its protocol. */
import type { Check, CodecSpec } from './codec-spec.ts';
import { REQUEST_CHECKS } from './request-checks.ts';
import { RESPONSE_CHECKS } from './response-checks.ts';
import { RUN_CHECKS } from './run-checks.ts';
import { Trial } from './trial.ts';

/**
 * The checks of a codec, one for each conversation and way to send it:
 *
 *     for (const { name, run } of codecChecks(spec)) test(name, run);
 */
export function codecChecks<Message, Response = unknown>(spec: CodecSpec<Message, Response>): readonly Check[] {
  return Object.entries(spec.conversations).flatMap(([name, conversation]) => {
    const checks = {
      ...REQUEST_CHECKS,
      ...RUN_CHECKS,
      ...(conversation.server === undefined ? {} : RESPONSE_CHECKS),
    };
    return Object.entries(checks).map(([way, check]) => ({
      name: `${spec.protocol}, ${name}: ${way}`,
      run: async () => check(await Trial.begin(spec as CodecSpec, conversation)),
    }));
  });
}
