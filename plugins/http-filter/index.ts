/** Copies HTTP requests by what they are: method, path, host, header fields, query parameters. */
import { definePlugin, option, parsePattern, z, type Condition, type ConditionSubject } from 'tcpcopy/plugin';
import { parseField } from './field.ts';

const KINDS = {
  method: (text: string) => test(parsePattern(text.toUpperCase()), (matches, { method }) => matches(method)),
  path: (text: string) => test(parsePattern(text), (matches, { path }) => matches(path)),
  host: (text: string) =>
    test(parsePattern(text), (matches, { host = '' }) => {
      const lower = host.toLowerCase();
      return matches(lower) || matches(lower.replace(/:[0-9]*$/, ''));
    }),
  header: (text: string) =>
    test(parseField(text), ({ name, matches }, { headers }) => headers.getAll(name).some(matches)),
  query: (text: string) => test(parseField(text), ({ name, matches }, { query }) => query.getAll(name).some(matches)),
};

type Kind = keyof typeof KINDS;

export default definePlugin({
  name: 'http-filter',
  description: 'Copies HTTP requests by method, path, host, header fields and query parameters.',
  options: z
    .object({
      path: tests('path', 'paths to copy, as in /api/* or /^.api.v[12]/'),
      method: tests('method', 'methods to copy'),
      host: tests('host', 'hosts to copy, as in *.example.com'),
      header: tests('header', 'header fields to copy requests with: NAME, or NAME=PATTERN'),
      query: tests('query', 'query parameters to copy requests with: NAME, or NAME=PATTERN'),
      denyPath: tests('path', 'paths not to copy'),
      denyMethod: tests('method', 'methods not to copy'),
      denyHost: tests('host', 'hosts not to copy'),
      denyHeader: tests('header', 'header fields not to copy requests with'),
      denyQuery: tests('query', 'query parameters not to copy requests with'),
      expr: option.condition().optional().describe('a condition that requests to copy meet'),
      others: z
        .enum(['pass', 'drop'])
        .default('pass')
        .describe('what is no HTTP request: other protocols, tunnels, bytes that cannot be read'),
    })
    .refine(
      ({ others, expr, ...lists }) =>
        others === 'drop' || expr !== undefined || Object.values(lists).some(({ length }) => length > 0),
      'nothing is allowed or denied: give path, method, denyPath, expr…',
    ),
  shorthand: 'path',
  protocol: 'http',
  phase: 'filter',
  examples: [
    'http-filter=/api/*',
    'http-filter,method=GET,HEAD,denyPath=/admin*',
    `http-filter,expr=method == 'POST' && path ~ '^/api' || header['X-A']`,
  ],
  apply(hooks, options) {
    const { path, method, host, header, query, expr, others } = options;
    const allowed = Object.entries({ path, method, host, header, query }).filter(([, list]) => list.length > 0);
    const { denyPath, denyMethod, denyHost, denyHeader, denyQuery } = options;
    const denied = Object.entries({ denyPath, denyMethod, denyHost, denyHeader, denyQuery });

    hooks.http.request.tap('http-filter', (request, context) => {
      const applies = (test: Condition): boolean => test(request);
      const against = denied.find(([, list]) => list.some(applies));
      if (against !== undefined) return context.drop(against[0]);
      const missed = allowed.find(([, list]) => !list.some(applies));
      if (missed !== undefined) return context.drop(`${missed[0]} not allowed`);
      return expr === undefined || expr(request) ? undefined : context.drop('expr not met');
    });
    if (others === 'pass') return;
    hooks.http.connection.tap('http-filter', (reading) => reading.refuseUnparsable());
    hooks.request.tap('http-filter:others', (context) => {
      if (context.protocol !== 'http' || context.message === undefined) context.drop('no HTTP request');
    });
  },
});

/** An option: texts, each made a test. */
function tests(kind: Kind, text: string) {
  return option.each<Condition>(KINDS[kind], 'has no name, or is no regular expression').describe(text);
}

function test<T>(
  parsed: T | undefined,
  judge: (parsed: T, request: ConditionSubject) => boolean,
): Condition | undefined {
  return parsed && ((request) => judge(parsed, request));
}
