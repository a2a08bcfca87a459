/**
 * Sends requests with the token of a test account where they had a customer's. Which one that is, a service knows:
 *
 *     POST URL  {"token": "…"}  →  200 {"token": "…"}, or 404 where there is none
 *
 * No request leaves with a token of production: what the service does not know is dropped, and so is what it does not
 * answer in time (`failClosed`).
 */
import { definePlugin, LruMap, option, z } from 'tcpcopy/plugin';

const BEARER = /^Bearer ([\w~+/.-]+=*)$/i;

export default definePlugin({
  name: 'token-lookup',
  description: 'Replaces tokens of customers with those of test accounts.',
  protocol: 'http',
  phase: 'decode',
  failClosed: true,
  options: z.object({
    url: z.url().describe('the service that knows the tokens'),
    deadline: option.duration().prefault('200ms').describe('how long it may take'),
    remember: z.number().int().min(1).default(100_000).describe('how many tokens to remember'),
  }),
  shorthand: 'url',
  examples: ['token-lookup=http://accounts.test/tokens', 'token-lookup=http://accounts.test/tokens,deadline=50ms'],
  apply(hooks, { url, deadline, remember }) {
    /** Answers, and questions under way: many requests with one token ask once. */
    const known = new LruMap<string, Promise<string | undefined>>(remember);

    const lookUp = (token: string): Promise<string | undefined> => {
      const before = known.get(token);
      if (before !== undefined) return before;
      const answer = ask(url, token, deadline);
      known.set(token, answer);
      // A failure is not remembered: the next request asks again.
      answer.catch(() => known.peek(token) === answer && known.delete(token));
      return answer;
    };

    hooks.http.request.tapPromise({ name: 'token-lookup', deadline }, async (request, context) => {
      const authorization = request.headers.get('Authorization');
      if (authorization === undefined) return;
      const token = BEARER.exec(authorization)?.[1];
      const replacement = token === undefined ? undefined : await lookUp(token);
      if (replacement === undefined) context.drop('no test account');
      else request.headers.set('Authorization', `Bearer ${replacement}`);
    });

    hooks.stats.tap('token-lookup', (stats) => stats.figure('tokens remembered', known.size));
    hooks.shutdown.tap('token-lookup', () => known.clear());
  },
});

/** `undefined`: the service has no test account for it. */
async function ask(url: string, token: string, deadline: number): Promise<string | undefined> {
  const response = await fetch(url, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ token }),
    signal: AbortSignal.timeout(deadline),
  });
  if (response.status === 404) return undefined;
  if (!response.ok) throw new Error(`the service answered ${response.status}`);
  return z.object({ token: z.string().regex(/^[\w~+/.-]+=*$/) }).parse(await response.json()).token;
}
