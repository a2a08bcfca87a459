/** Keeps what would change data away from the target, or sends it elsewhere; what reads goes on as it is. */
import { definePlugin, z } from 'tcpcopy/plugin';

/** A name or an address, an IPv6 address in brackets, with or without a port (RFC 9110 §7.2). */
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/;
const REROUTE = /^reroute=(.*)$/s;
/** Behind the other plugins of its phase: what counts is what is sent, and no other plugin has the last word on the host. */
const STAGE = 1_000_000;

export default definePlugin({
  name: 'writes',
  description: 'Keeps requests that would change data away from the target, or sends them to another virtual host.',
  options: z.object({
    policy: z
      .string()
      .refine(
        (text) => text === 'drop' || text === 'allow' || HOST.test(REROUTE.exec(text)?.[1] ?? ''),
        'must be drop, allow, or reroute=HOST',
      )
      .default('drop')
      .describe('what becomes of writes: drop, allow (they are counted only), or reroute=HOST (HTTP: another Host)'),
    unknown: z
      .enum(['drop', 'allow'])
      .optional()
      .describe(
        'what becomes of messages that cannot be told, of protocols that nobody reads too; drop, but with allow',
      ),
  }),
  shorthand: 'policy',
  protocol: 'http',
  phase: 'rewrite',
  failClosed: true,
  examples: ['writes=drop', 'writes=reroute=sink.example', 'writes=drop,unknown=allow', 'writes=allow'],
  apply(hooks, { policy, unknown = policy === 'allow' ? 'allow' : 'drop' }) {
    const counts = { read: 0, write: 0, unknown: 0 };
    const host = REROUTE.exec(policy)?.[1];
    hooks.request.tap({ name: 'writes', stage: STAGE }, (context) => {
      const { effect } = context;
      counts[effect]++;
      if (effect === 'unknown' && unknown === 'drop') context.drop('may write');
      // A rerouted request is the business of the tap below.
      const stays = policy === 'allow' || (host !== undefined && context.protocol === 'http');
      if (effect === 'write' && !stays) context.drop('writes');
    });
    if (host !== undefined) {
      hooks.http.request.tap({ name: 'writes:reroute', stage: STAGE }, (request, context) => {
        if (context.effect !== 'write') return;
        // What a CONNECT asks for is a tunnel, which no host of ours can answer for.
        if (request.method === 'CONNECT') context.drop('writes');
        else request.host = host;
      });
    }
    // Bytes in which a message goes on unreadably pass no hook: what is not to pass unseen has to stop there.
    if (unknown === 'drop') {
      hooks.http.connection.tap('writes', (reading) => reading.refuseUnparsable());
      hooks.whenProvided('redis', ({ connection }) =>
        connection.tap('writes', (reading) => reading.refuseUnparsable()),
      );
    }
    hooks.stats.tap('writes', (context) => {
      for (const [effect, count] of Object.entries(counts)) context.figure(effect, count);
    });
  },
});
