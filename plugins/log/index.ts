/** Writes one line for each request that is sent. */
import { definePlugin, formatEndpoint, z } from 'tcpcopy/plugin';

const LONGEST = 500;

export default definePlugin({
  name: 'log',
  description: 'Writes one line for each request that is sent.',
  options: z.object({
    level: z.enum(['debug', 'info', 'warn']).default('info').describe('as what the lines are logged'),
    query: z.boolean().default(false).describe('with the query of HTTP requests, which may hold secrets'),
    others: z.boolean().default(false).describe('also what no plugin can read, with its length only'),
  }),
  shorthand: 'level',
  phase: 'observe',
  examples: ['log', 'log,query', 'log=debug,others'],
  apply(hooks, { level, query, others }, { log }) {
    hooks.whenProvided('http', (http) => {
      http.request.tap('log', (request, { connection }) => {
        const target = query ? request.target : targetWithoutQuery(request.target);
        const host = request.host ?? '-';
        log[level](`${formatEndpoint(connection.client)} ${visible(`${request.method} ${host} ${target}`)}`);
      });
    });
    if (!others) return;
    hooks.request.tap('log:others', (context) => {
      if (context.message !== undefined) return;
      const { connection, protocol, piece } = context;
      log[level](`${formatEndpoint(connection.client)} ${protocol}, ${piece.length} bytes`);
    });
  },
});

/** Neither query nor fragment, nor the password of a target that names a user. */
function targetWithoutQuery(target: string): string {
  return target.replace(/[?#].*$/, '').replace(/^([A-Za-z]+:\/\/)[^/]*@/, '$1');
}

/** As much of it as fits a line, without what a terminal would take for commands. */
function visible(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(/[^\x20-\x7e…]/g, '?');
}
