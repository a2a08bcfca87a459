/** Sends every connection several times. */
import { createHmac } from 'node:crypto';
import { definePlugin, formatEndpoint, z } from 'tcpcopy/plugin';

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
    seed: z.int().optional().describe('decides which connections are sent once more; --seed where none is given'),
  }),
  shorthand: 'factor',
  phase: 'amplify',
  examples: ['amplify=3', 'amplify=2.5'],
  apply(hooks, { factor, seed }, env) {
    const whole = Math.floor(factor);
    const threshold = (factor - whole) * 2 ** 32;
    const key = String(seed ?? env.seed);
    hooks.connection.tap('amplify', (context) => {
      const id = formatEndpoint(context.connection.client);
      const position = createHmac('sha256', key).update(`amplify\n${id}`).digest().readUInt32BE(0);
      context.copies(position < threshold ? whole + 1 : whole);
    });
  },
});
