/** Sends every HTTP request to another virtual host. */
import { definePlugin, z } from 'tcpcopy/plugin';

/** A name or an IPv4 address, or an IPv6 address in brackets; with or without a port (RFC 9110 §7.2). */
const HOST = /^([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?$/;

export default definePlugin({
  name: 'http-host-rewrite',
  description: 'Sends every HTTP request to another virtual host.',
  options: z.object({
    host: z
      .string()
      .regex(HOST, 'is no host: a name or an address, an IPv6 address in brackets, with :PORT if need be')
      .describe('the host that requests are for'),
  }),
  shorthand: 'host',
  protocol: 'http',
  phase: 'rewrite',
  examples: ['http-host-rewrite=staging.example.com', 'http-host-rewrite=[2001:db8::1]:8080'],
  apply(hooks, { host }) {
    hooks.http.request.tap('http-host-rewrite', (request) => {
      // The target of a CONNECT is the other side of the tunnel, not who is asked.
      if (request.method === 'CONNECT') request.headers.set('Host', host);
      else request.host = host;
    });
  },
});
