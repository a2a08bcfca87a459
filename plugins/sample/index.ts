/**
 * Copies a share of the traffic. What is chosen follows from a keyed hash of what identifies it, so with the same seed
 * it is the same on every host and in every run, and 5 % is part of 10 %.
 */
import { createHmac } from 'node:crypto';
import { definePlugin, formatEndpoint, formatIp, option, z, type ConnectionInfo } from 'tcpcopy/plugin';
import { readKey, type KeyKind } from './key.ts';

const BY = /^(?:(connection|client|request)|(header|cookie|query):([^\s;,=]+))$/;
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
    seed: z.int().optional().describe('decides which are chosen; --seed where none is given'),
  }),
  shorthand: 'share',
  phase: 'sample',
  examples: ['sample=10%', 'sample=0.5%,by=client', 'sample=10%,by=cookie:session,seed=7'],
  state: () => ({ requests: 0 }),
  apply(hooks, { share, by, seed }, env) {
    const [, whole, kind, name] = BY.exec(by)!;
    const chooses = chooser(share, seed ?? env.seed);
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

/** Whether this one is among the share of its kind. */
function chooser(share: number, seed: number): (kind: string, id: string) => boolean {
  const threshold = (share / 100) * 2 ** 32;
  const key = String(seed);
  return (kind, id) => createHmac('sha256', key).update(`${kind}\n${id}`).digest().readUInt32BE(0) < threshold;
}
