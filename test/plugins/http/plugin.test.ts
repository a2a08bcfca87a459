import { definePlugin } from 'tcpcopy/plugin';
import { describe, expect, it } from 'vitest';
import http from '../../../plugins/http/index.ts';
import { PluginRig, refusal, request } from '../plugin-rig.ts';

const seen: string[] = [];
const looker = definePlugin({
  name: 'looker',
  description: 'Notes requests, and changes some.',
  protocol: 'http',
  apply(hooks) {
    hooks.http.head.tap('looker', (head) => (head.request.path === '/wanted' ? head.wantBody() : undefined));
    hooks.http.request.tap('looker', (message) => {
      seen.push(`${message.method} ${message.path} ${message.body?.length ?? 'streams'}`);
      if (message.path === '/wanted') message.body = Buffer.from('other');
    });
  },
});
const strict = definePlugin({
  name: 'strict',
  description: 'Refuses what cannot be read.',
  protocol: 'http',
  apply: (hooks) => hooks.http.connection.tap('strict', (reading) => reading.refuseUnparsable()),
});

describe('the plugin http', () => {
  it('shows requests to other plugins, and bodies to those that ask for them', async () => {
    seen.length = 0;
    const connection = (await PluginRig.start([[looker, 'looker']])).connect();
    expect(connection.send(request('POST /wanted', 'Content-Length: 3'))).toBe('');
    expect(connection.send('abc')).toBe(`${request('POST /wanted', 'Content-Length: 5')}other`);
    const other = `${request('POST /other', 'Content-Length: 3')}abc`;
    expect(connection.send(other)).toBe(other);
    expect(seen).toEqual(['POST /wanted 3', 'POST /other streams']);
  });

  it('holds bodies up to its limit', async () => {
    seen.length = 0;
    const plugins = [[http, 'http,bodyLimit=2'] as const, [looker, 'looker'] as const];
    const failing = await PluginRig.start(plugins);
    const message = `${request('POST /wanted', 'Content-Length: 3')}abc`;
    expect(failing.connect().send(message)).toBe(message);
    expect(seen).toEqual(['POST /wanted streams']);
    expect(failing.figures('http')['bodies over the limit']).toBe(1);
  });

  it('passes other protocols, and what cannot be read, as they are', async () => {
    seen.length = 0;
    const rig = await PluginRig.start([[looker, 'looker']]);
    expect(rig.connect().send('*1\r\n$4\r\nPING\r\n')).toBe('*1\r\n$4\r\nPING\r\n');
    const odd = 'GET / HTTP/1.1\r\nHost : x\r\n\r\n';
    expect(rig.connect().send(odd)).toBe(odd);
    expect(seen).toEqual([]);
    expect(rig.lines).toEqual([]);
  });

  it('sends nothing of what cannot be read where an option or a plugin says so', async () => {
    const odd = `${request('GET /1')}GET / HTTP/1.1\r\nHost : x\r\n\r\n`;
    const byOption = await PluginRig.start([[http, 'http,unparsable=drop']]);
    expect(byOption.connect().send(odd)).toBe(request('GET /1'));
    const byPlugin = await PluginRig.start([[strict, 'strict']]);
    expect(byPlugin.connect().send(odd)).toBe(request('GET /1'));
  });

  it('refuses wrong options', () => {
    expect(refusal(http, 'http,unparsable=maybe')).toMatch(/unparsable=maybe: must be raw|unparsable/);
    expect(refusal(http, 'http,headLimit=1')).toContain('from 64 bytes');
    expect(refusal(http, 'http,bodyLimit=much')).toContain('bodyLimit=much');
  });
});
