/** Sends every connection several times. */
import { definePlugin, formatEndpoint, option, seededPosition, z, type PluginConnection } from 'tcpcopy/plugin';
import { ownValue } from './own-value.ts';
import { changePlaces, mayHold, parsePlace, type Place } from './unique.ts';

/** The most copies the engine makes of a connection. */
const MOST = 1023;
/** The longest it holds a message back, in milliseconds. */
const LONGEST = 3_600_000;

const places = z
  .array(z.string())
  .default([])
  .transform((texts, context) =>
    texts.flatMap((text): readonly Place[] => {
      const place = parsePlace(text);
      if (place !== undefined) return [place];
      context.addIssue({ code: 'custom', message: `'${text}' is not header:NAME, query:NAME or json:/POINTER` });
      return [];
    }),
  );

export default definePlugin({
  name: 'amplify',
  description: 'Sends every connection several times, each copy from a source of its own.',
  options: z.object({
    factor: z
      .number()
      .min(1)
      .max(MOST)
      .describe('how often; 2.5: half of the connections twice, the others three times'),
    jitter: option
      .duration()
      .optional()
      .refine((ms) => ms === undefined || ms <= LONGEST, 'must be at most 1h')
      .describe('each copy but the first is behind it by a time of its own, at most this'),
    unique: places.describe(
      'what each copy but the first has its own value of: header:NAME, query:NAME, json:/POINTER',
    ),
    seed: z.int().optional().describe('decides all that differs; --seed where none is given, or else 0'),
  }),
  shorthand: 'factor',
  phase: 'amplify',
  protocol: ({ unique }) => (unique.length === 0 ? [] : 'http'),
  examples: ['amplify=3', 'amplify=2.5,jitter=200ms', 'amplify=10,unique=header:X-Request-Id,json:/order/id'],
  state: () => ({ copies: 1 }),
  apply(hooks, { factor, jitter = 0, unique, seed: ownSeed }, env) {
    const whole = Math.floor(factor);
    const once = factor - whole;
    const seed = ownSeed ?? env.seed ?? 0;
    // Said before anybody leaves a connection out, so that what is left out counts as often as it would have been sent.
    hooks.connection.tap({ name: 'amplify', phase: 'decode' }, (context) => {
      const { client, state } = context.connection;
      const more = once > 0 && seededPosition(seed, `amplify ${formatEndpoint(client)}`) < once;
      state.copies = more ? whole + 1 : whole;
      context.copies(state.copies);
    });

    const delayOf = ({ client }: PluginConnection<unknown>, copy: number): number | undefined =>
      jitter === 0 ? undefined : jitter * seededPosition(seed, `jitter ${copy} ${formatEndpoint(client)}`);
    if (jitter > 0) {
      hooks.request.tap('amplify', (context) => {
        const { connection } = context;
        if (connection.state.copies > 1) {
          context.copies(connection.state.copies, (copy) => ({ delay: delayOf(connection, copy) }));
        }
      });
    }
    if (unique.length === 0) return;
    let unread = 0;
    hooks.http.head.tap('amplify', (head, { state }) => {
      if (state.copies > 1 && mayHold(head.request, unique)) head.wantBody();
    });
    hooks.http.request.tap('amplify:unique', (request, context) => {
      const { connection } = context;
      if (connection.state.copies === 1) return;
      if (request.body?.length !== 0 && mayHold(request, unique) && request.json === undefined) unread++;
      context.copies(connection.state.copies, (copy) => {
        const own = request.clone();
        const changed = changePlaces(own, unique, (value) => ownValue(seed, copy, value));
        return { bytes: changed ? own.serialize() : undefined, delay: delayOf(connection, copy) };
      });
    });
    hooks.stats.tap('amplify', (context) => context.figure('bodies not read', unread));
  },
});
