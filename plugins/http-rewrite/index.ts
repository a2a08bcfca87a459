/** Changes HTTP requests: method, path, query, header fields, and bodies by JSON pointer or by pattern. */
import { definePlugin, option, parseReplacement, z, type HttpRequest, type Replace } from 'tcpcopy/plugin';
import { rewriteBody } from './body.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FIELD_CONTENT = /^[\t\x20-\x7e\x80-\xff]*$/;
const FRAMING = ['content-length', 'transfer-encoding'];

const fieldName = z
  .string()
  .regex(TOKEN, 'is no name of a header field')
  .refine((name) => !FRAMING.includes(name.toLowerCase()), 'follows the body by itself');
const fieldValue = z.string().regex(FIELD_CONTENT, 'holds control characters, or some that are not Latin-1');
const parameter = z.string().min(1);

export default definePlugin({
  name: 'http-rewrite',
  description: 'Changes HTTP requests: method, path, query, header fields, JSON and text in bodies.',
  options: z
    .object({
      method: z
        .string()
        .regex(TOKEN, 'is no method')
        .refine((name) => name.toUpperCase() !== 'CONNECT', 'opens a tunnel, which a request cannot be made')
        .optional()
        .describe('the method'),
      path: replacements(true).describe('paths: FROM as in /v1/* or /^.v[12]./, what it matches becomes text with $1'),
      query: z.record(parameter, z.string()).default({}).describe('query parameters to set'),
      addQuery: z.record(parameter, z.string()).default({}).describe('query parameters to add'),
      removeQuery: z.array(parameter).default([]).describe('query parameters to remove'),
      header: z.record(fieldName, fieldValue).default({}).describe('header fields to set'),
      addHeader: z.record(fieldName, fieldValue).default({}).describe('header fields to add'),
      removeHeader: z.array(fieldName).default([]).describe('header fields to remove'),
      json: z
        .record(option.jsonPointer(), z.unknown())
        .default({})
        .describe('JSON bodies: what to put where a pointer leads, as JSON or as text'),
      removeJson: z
        .array(option.jsonPointer().min(1, 'means the whole body, which cannot be removed'))
        .default([])
        .describe('JSON bodies: pointers to what to remove'),
      body: replacements(false).describe('bodies: FROM as in a text, or /regex/, what it matches becomes text with $1'),
      when: option.condition().optional().describe('only requests that meet this condition'),
    })
    .refine(
      ({ when: _, method, ...rest }) =>
        method !== undefined || Object.values(rest).some((given) => Object.keys(given).length > 0),
      'nothing is to be changed: give path, header, json…',
    ),
  protocol: 'http',
  phase: 'rewrite',
  examples: [
    'http-rewrite,path./v1/*=/v2/$1,header.X-Env=staging,removeHeader=Via',
    'http-rewrite,path./^.shop.([0-9]+)/=/s/$1,query.debug=1',
    `http-rewrite,json./user/id=7,removeJson=/card,when=method == 'POST'`,
  ],
  apply(hooks, options) {
    const { when, json, removeJson, body } = options;
    const changes = {
      set: Object.entries(json).map(([pointer, value]) => [pointer, asJson(value)] as const),
      remove: removeJson,
      replace: body,
    };
    let unread = 0;
    if (changes.set.length + changes.remove.length + changes.replace.length > 0) {
      hooks.http.head.tap('http-rewrite', (head) => {
        if (when?.(head.request) !== false) head.wantBody();
      });
      hooks.stats.tap('http-rewrite', (context) => context.figure('bodies not read', unread));
    }
    hooks.http.request.tap('http-rewrite', (request) => {
      if (when?.(request) === false) return;
      if (request.method !== 'CONNECT') rewriteLine(request, options);
      for (const name of options.removeHeader) request.headers.delete(name);
      for (const [name, value] of Object.entries(options.header)) request.headers.set(name, value);
      for (const [name, value] of Object.entries(options.addHeader)) request.headers.add(name, value);
      if (!rewriteBody(request, changes)) unread++;
    });
  },
});

interface LineChanges {
  readonly method?: string | undefined;
  readonly path: readonly Replace[];
  readonly query: Readonly<Record<string, string>>;
  readonly addQuery: Readonly<Record<string, string>>;
  readonly removeQuery: readonly string[];
}

function rewriteLine(request: HttpRequest, { method, path, query, addQuery, removeQuery }: LineChanges): void {
  if (method !== undefined) request.method = method;
  // Of the server as a whole: there is no path.
  if (request.target === '*') return;
  const rewritten = path.reduce((text, replace) => replace(text), request.path);
  if (rewritten !== request.path) request.path = rewritten;
  for (const key of removeQuery) request.query.delete(key);
  for (const [key, value] of Object.entries(query)) request.query.set(key, value);
  for (const [key, value] of Object.entries(addQuery)) request.query.add(key, value);
}

/** An option `KEY.FROM=TO`, one after another. */
function replacements(whole: boolean): z.ZodType<readonly Replace[], Readonly<Record<string, string>> | undefined> {
  return z
    .record(z.string().min(1), z.string())
    .default({})
    .transform((texts, context) =>
      Object.entries(texts).flatMap(([from, to]) => {
        const found = parseReplacement(from, to, whole);
        if (found !== undefined) return [found];
        context.addIssue({ code: 'custom', message: `'${from}' is no regular expression` });
        return [];
      }),
    );
}

/** What is no JSON is a text. */
function asJson(value: unknown): unknown {
  if (typeof value !== 'string') return value;
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}
