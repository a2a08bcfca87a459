/** Marks copied HTTP requests, so that the service under test can tell them from others. */
import { createHmac, randomInt } from 'node:crypto';
import { definePlugin, formatEndpoint, z } from 'tcpcopy/plugin';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\x21-\x7e]([\t\x20-\x7e]*[\x21-\x7e])?$/;
const FRAMING = ['content-length', 'transfer-encoding'];

export default definePlugin({
  name: 'shadow-header',
  description: 'Marks copied HTTP requests with a header field.',
  options: z.object({
    value: z.string().regex(VALUE, 'must be visible ASCII').default('tcpcopy').describe('what the field says'),
    header: z
      .string()
      .regex(TOKEN, 'is no name of a header field')
      .refine((name) => !FRAMING.includes(name.toLowerCase()), 'says where a message ends, and cannot be set')
      .default('X-Shadow-Traffic')
      .describe("the field's name; one that the client sent is replaced"),
    traceparent: z
      .boolean()
      .default(false)
      .describe("begins a trace of its own for each request (W3C Trace Context), in place of the client's"),
  }),
  shorthand: 'value',
  protocol: 'http',
  phase: 'rewrite',
  examples: ['shadow-header', 'shadow-header=load-test,header=X-Origin', 'shadow-header,traceparent'],
  state: () => ({ requests: 0 }),
  apply(hooks, { header, value, traceparent }, { seed = randomInt(2 ** 32) }) {
    hooks.http.request.tap('shadow-header', (request, { connection, piece }) => {
      request.headers.set(header, value);
      if (!traceparent) return;
      // No other request has all three, whichever host or process copies it; and a recording gives the same again.
      const id = `${formatEndpoint(connection.client)} ${piece.time} ${connection.state.requests++}`;
      request.headers.set('traceparent', traceOf(seed, id));
      // It belongs to the trace that was replaced.
      request.headers.delete('tracestate');
    });
  },
});

/** Version 00, ids that look random and follow from the seed, sampled (W3C Trace Context §3.2). */
function traceOf(seed: number, id: string): string {
  const ids = createHmac('sha256', String(seed)).update(`trace ${id}`).digest('hex');
  return `00-${ids.slice(0, 32)}-${ids.slice(32, 48)}-01`;
}
