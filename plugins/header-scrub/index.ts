/**
 * Removes secrets from HTTP requests, and lets nothing pass in which it could not look for them; and from responses, for
 * other plugins that look at these.
 */
import { createHmac, randomBytes } from 'node:crypto';
import { definePlugin, option, z, type HttpHeaders } from 'tcpcopy/plugin';
import { mayHoldJson, scrubJson, secretPlaces } from './json-body.ts';
import { scrubCookies, scrubCredentials, scrubSetCookie, type Scrub } from './scrub.ts';

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const FRAMING = ['content-length', 'transfer-encoding', 'host'];
const CREDENTIALS = ['authorization', 'proxy-authorization'];
const MASK = '***';
/** Hexadecimal digits of a pseudonym: enough that no two of a run are equal by chance. */
const PSEUDONYM_DIGITS = 24;

const fieldName = z
  .string()
  .regex(TOKEN, 'is no name of a header field')
  .refine((name) => !FRAMING.includes(name.toLowerCase()), 'is needed to send the request');

export default definePlugin({
  name: 'header-scrub',
  description: 'Removes secrets from HTTP requests: credentials, cookies, other header fields, values in JSON bodies.',
  options: z.object({
    mode: z
      .enum(['drop', 'mask', 'pseudonym'])
      .default('drop')
      .describe('remove it; put *** there; or put a name there that is the same for the same secret, in this run only'),
    headers: z
      .array(fieldName)
      .default(['Authorization', 'Proxy-Authorization', 'Cookie', 'Set-Cookie'])
      .describe('header fields that hold secrets'),
    cookies: z.array(z.string().min(1)).optional().describe('only these cookies are secret; all where none is named'),
    json: z
      .array(z.union([option.jsonPointer().min(1), z.string().regex(/^[^/]/)]))
      .default([])
      .describe('secrets in JSON bodies: names of keys, wherever they stand and in any case, or pointers (/user/pin)'),
    others: z
      .enum(['drop', 'pass'])
      .default('drop')
      .describe('what is no HTTP request: other protocols, tunnels, bytes that cannot be read'),
  }),
  shorthand: 'mode',
  protocol: 'http',
  phase: 'rewrite',
  failClosed: true,
  examples: [
    'header-scrub',
    'header-scrub=pseudonym,cookies=session',
    'header-scrub=mask,headers=Authorization,X-Api-Key',
    'header-scrub=mask,json=password,/card/number',
  ],
  apply(hooks, { mode, headers, cookies, json, others }) {
    const scrub = SCRUBS[mode]();
    const names = cookies && new Set(cookies);
    const scrubField = (field: string, value: string): string | undefined => {
      if (field === 'cookie') return scrubCookies(value, names, scrub);
      if (field === 'set-cookie') return scrubSetCookie(value, names, scrub);
      return CREDENTIALS.includes(field) ? scrubCredentials(value, scrub) : scrub(value);
    };
    const fields = [...new Set(headers.map((name) => name.toLowerCase()))];

    const scrubFields = (headers: HttpHeaders): void => {
      for (const field of fields) {
        const values = headers.getAll(field);
        const [first, ...rest] = values.flatMap((value) => scrubField(field, value) ?? []);
        if (values.length === 0) continue;
        if (first === undefined) headers.delete(field);
        else headers.set(field, first);
        for (const value of rest) headers.add(field, value);
      }
    };
    const isSecret = secretPlaces(json);

    if (json.length > 0) {
      hooks.http.head.tap('header-scrub', (head) => {
        if (mayHoldJson(head.request)) head.wantBody();
      });
    }
    hooks.http.request.tap('header-scrub', (request, context) => {
      const unread = json.length > 0 ? scrubJson(request, isSecret, scrub) : undefined;
      if (unread !== undefined) return context.drop(unread);
      scrubFields(request.headers);
      return undefined;
    });
    // Nobody is sent responses, but other plugins may look at them.
    hooks.http.response.tap({ name: 'header-scrub', passive: true }, (response) => {
      scrubFields(response.headers);
      if (json.length > 0) response.body = undefined;
    });
    if (others === 'pass') return;
    hooks.http.connection.tap('header-scrub', (reading) => reading.refuseUnparsable());
    hooks.request.tap('header-scrub:others', (context) => {
      if (context.protocol !== 'http' || context.message === undefined) context.drop('no HTTP request to scrub');
    });
  },
});

const SCRUBS: Readonly<Record<'drop' | 'mask' | 'pseudonym', () => Scrub>> = {
  drop: () => () => undefined,
  mask: () => () => MASK,
  pseudonym: () => {
    // Not the run's seed: who knows or guesses that could try secrets until the pseudonym fits.
    const key = randomBytes(32);
    return (secret) => createHmac('sha256', key).update(secret).digest('hex').slice(0, PSEUDONYM_DIGITS);
  },
};
