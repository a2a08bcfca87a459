import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/http-host-rewrite/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const sent = async (text: string): Promise<string> =>
  (await PluginRig.start([[plugin, 'http-host-rewrite=staging.example:8080']])).connect().send(text);

describe('http-host-rewrite', () => {
  it('changes the host and nothing else', async () => {
    const message = (host: string): string =>
      `POST /a?b=%20 HTTP/1.1\r\nACCEPT:  */*\r\nhoSt:${host}\r\nX-Odd: \t\r\nContent-Length: 5\r\n\r\nHost:`;
    expect(await sent(message('shop.example'))).toBe(message('staging.example:8080'));
  });

  it('of every request of a connection, however they come', async () => {
    const connection = (await PluginRig.start([[plugin, 'http-host-rewrite=b']])).connect();
    const chunked = (host: string): string =>
      `${request('PUT /2', `Host: ${host}`, 'Transfer-Encoding: chunked')}3\r\nabc\r\n0\r\n\r\n`;
    const [one, three] = [
      (h: string) => request('GET /1', `Host: ${h}`),
      (h: string) => request('GET /3', `Host: ${h}`),
    ];
    const given = one('shop') + chunked('shop') + three('shop');
    let out = '';
    for (let i = 0; i < given.length; i += 7) out += connection.send(given.slice(i, i + 7), 0);
    expect(out).toBe(one('b') + chunked('b') + three('b'));
  });

  it('also where the target names the host, but not through what tunnel', async () => {
    expect(await sent(request('GET http://u@shop/x?y', 'Host: shop'))).toBe(
      request('GET http://u@staging.example:8080/x?y', 'Host: staging.example:8080'),
    );
    expect(await sent(request('CONNECT far:443', 'Host: far:443'))).toBe(
      request('CONNECT far:443', 'Host: staging.example:8080'),
    );
  });

  it('adds one where there is none', async () => {
    expect(await sent('GET / HTTP/1.0\r\n\r\n')).toBe('GET / HTTP/1.0\r\nHost: staging.example:8080\r\n\r\n');
  });

  it.each(['', '=', '=a b', '=http://a', '=a:b', '=a/b', '=a\r\nX: y'])('refuses http-host-rewrite%s', (text) => {
    expect(refusal(plugin, `http-host-rewrite${text}`)).toMatch(/host/);
  });
});
