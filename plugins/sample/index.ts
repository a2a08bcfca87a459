/**
 * Copies a share of the traffic. What is chosen follows from a keyed hash of what identifies it, so with the same seed
 * it is the same on every host and in every run, and 5 % is part of 10 %.
 */
import { definePlugin, formatEndpoint, formatIp, option, seededPosition, z, type ConnectionInfo } from 'tcpcopy/plugin';
import { readKey, type KeyKind } from './key.ts';

const BY = /^(?:(connection|client|request)|(header|cookie|query):([^\s;,=]+))$/;
/** In the unit of `env.now`. */
const SECOND = 1_000_000;
const REASON = 'not in the sample';

export default definePlugin({
  name: 'sample',
  description: 'Copies a share of the connections, clients, requests or users.',
  options: z.object({
    share: option.percent().describe('how much is copied'),
    by: z
      .string()
      .regex(BY, 'must be connection, client, request, header:NAME, cookie:NAME or query:NAME')
      .default('connection')
      .describe('what is chosen: connection, client (its address), request, header:NAME, cookie:NAME, query:NAME'),
    seed: z.int().optional().describe('decides which are chosen; --seed where none is given, or else 0'),
    gradual: z.boolean().default(false).describe('begins at 1% and adds one point a second, up to the share'),
  }),
  shorthand: 'share',
  protocol: ({ by }) => (BY.exec(by)?.[2] === undefined ? [] : 'http'),
  phase: 'sample',
  examples: ['sample=10%', 'sample=0.5%,by=client', 'sample=10%,by=cookie:session,seed=7'],
  state: () => ({ requests: 0 }),
  apply(hooks, { share, by, seed: ownSeed, gradual }, env) {
    const seed = ownSeed ?? env.seed ?? 0;
    const [, whole, kind, name] = BY.exec(by)!;
    const begun = env.now();
    const shareNow = gradual ? () => Math.min(share, Math.floor((env.now() - begun) / SECOND) + 1) : () => share;
    /** Whether this one is among the share of its kind. */
    const chooses = (kind: string, id: string): boolean => seededPosition(seed, `${kind} ${id}`) < shareNow() / 100;
    const choosesConnection = ({ client }: ConnectionInfo): boolean => chooses('connection', formatEndpoint(client));

    if (whole === 'connection') {
      hooks.connection.tap('sample', (context) => judge(context, choosesConnection(context.connection)));
    } else if (whole === 'client') {
      hooks.connection.tap('sample', (context) =>
        judge(context, chooses('client', formatIp(context.connection.client.address))),
      );
    } else if (whole === 'request') {
      hooks.request.tap('sample', (context) => {
        const { client, state } = context.connection;
        judge(context, chooses('request', `${formatEndpoint(client)} ${state.requests++}`));
      });
    } else {
      hooks.http.request.tap('sample', (request, context) => {
        const key = readKey(request, kind as KeyKind, name!);
        judge(context, key === undefined ? choosesConnection(context.connection) : chooses(by, key));
      });
      // What is no request belongs to nobody who could be told from others.
      hooks.request.tap('sample:rest', (context) => {
        if (context.protocol !== 'http' || context.message === undefined) {
          judge(context, choosesConnection(context.connection));
        }
      });
    }
  },
});

function judge(context: { drop(reason: string): undefined }, chosen: boolean): void {
  if (!chosen) context.drop(REASON);
}
