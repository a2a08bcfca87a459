/** Gives keys and commands other names on the target. */
import { definePlugin, z } from 'tcpcopy/plugin';

export default definePlugin({
  name: 'redis-rewrite',
  description: 'Gives Redis keys that begin so another beginning, and commands another name.',
  options: z
    .object({
      keys: z
        .record(z.string().min(1), z.string())
        .default({})
        .describe(
          'another beginning for keys that begin so, as in keys.user:=copy:user:; the longest that fits counts',
        ),
      commands: z
        .record(z.string().regex(/^\S+$/, 'is no name'), z.string().regex(/^\S+$/, 'is no name'))
        .default({})
        .describe('another name for a command, as in commands.KEYS=secret-keys, for servers with rename-command'),
    })
    .refine(
      ({ keys, commands }) => Object.keys(keys).length + Object.keys(commands).length > 0,
      'give keys or commands',
    ),
  protocol: 'redis',
  phase: 'rewrite',
  failClosed: true,
  examples: ['redis-rewrite,keys.user:=copy:user:', 'redis-rewrite,commands.KEYS=secret-keys'],
  apply(hooks, { keys, commands }) {
    const beginnings = Object.entries(keys)
      .map(([from, to]) => ({ from: Buffer.from(from), to: Buffer.from(to) }))
      .toSorted((a, b) => b.from.length - a.from.length);
    const names = new Map(Object.entries(commands).map(([from, to]) => [from.toUpperCase(), to]));

    const renamed = (key: Uint8Array): Uint8Array => {
      const fit = beginnings.find(({ from }) => from.equals(key.subarray(0, from.length)));
      return fit === undefined ? key : Buffer.concat([fit.to, key.subarray(fit.from.length)]);
    };

    if (beginnings.length > 0) {
      hooks.redis.command.tap('redis-rewrite', (command, context) => {
        // It would go to the keys that are to be left alone.
        if (command.keyPositions === undefined) return context.drop('keys not known');
        command.mapKeys(renamed);
        return undefined;
      });
    }
    if (names.size === 0) return;
    // Behind all that goes by a command's name.
    hooks.redis.command.tap({ name: 'redis-rewrite:commands', phase: 'encode' }, (command) => {
      const name = names.get(command.text(0)!.toUpperCase());
      if (name !== undefined) command.set(0, name);
    });
  },
});
