/** Sends requests of one version of an API to another: `/v1/cart` becomes `/v2/cart`, and says where it came from. */
import { definePlugin, z } from 'tcpcopy/plugin';

const version = () => z.string().regex(/^\/[\w.-]+$/, 'is the first part of a path, as in /v1');

export default definePlugin({
  name: 'api-version',
  description: 'Sends requests of one version of an API to another.',
  protocol: 'http',
  phase: 'rewrite',
  options: z.object({
    from: version().describe('how the paths of the old version begin'),
    to: version().describe('how those of the new one begin'),
  }),
  examples: ['api-version,from=/v1,to=/v2'],
  apply(hooks, { from, to }) {
    let rewritten = 0;
    hooks.http.request.tap('api-version', (request) => {
      const { path } = request;
      // /v1 and what is below it, not /v10. What has no path, as OPTIONS *, stays as it is.
      if (path !== from && path?.startsWith(`${from}/`) !== true) return;
      request.path = to + path.slice(from.length);
      request.headers.set('X-Original-Path', path);
      rewritten++;
    });
    hooks.stats.tap('api-version', (stats) => stats.figure('rewritten', rewritten));
  },
});
