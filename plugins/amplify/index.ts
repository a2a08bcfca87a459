/** Sends every connection several times. */
import { definePlugin, formatEndpoint, seededPosition, z } from 'tcpcopy/plugin';

/** The most copies the engine makes of a connection. */
const MOST = 1023;

export default definePlugin({
  name: 'amplify',
  description: 'Sends every connection several times, each copy from a source of its own.',
  options: z.object({
    factor: z
      .number()
      .min(1)
      .max(MOST)
      .describe('how often; 2.5: half of the connections twice, the others three times'),
    seed: z
      .int()
      .optional()
      .describe('decides which connections are sent once more; --seed where none is given, or else 0'),
  }),
  shorthand: 'factor',
  phase: 'amplify',
  examples: ['amplify=3', 'amplify=2.5'],
  apply(hooks, { factor, seed }, env) {
    const whole = Math.floor(factor);
    const once = factor - whole;
    const key = seed ?? env.seed ?? 0;
    // Said before anybody leaves a connection out, so that what is left out counts as often as it would have been sent.
    hooks.connection.tap({ name: 'amplify', phase: 'decode' }, (context) => {
      const more = once > 0 && seededPosition(key, `amplify ${formatEndpoint(context.connection.client)}`) < once;
      context.copies(more ? whole + 1 : whole);
    });
  },
});
