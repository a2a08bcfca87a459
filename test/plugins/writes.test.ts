import { describe, expect, it } from 'vitest';
import { definePlugin } from 'tcpcopy/plugin';
import http from '../../plugins/http/index.ts';
import redis from '../../plugins/redis/index.ts';
import rewrite from '../../plugins/http-host-rewrite/index.ts';
import plugin from '../../plugins/writes/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';
import { resp } from './redis/transcript.ts';

const start = async (text: string, settings = 'http') =>
  PluginRig.start([
    [http, settings],
    [plugin, text],
  ]);
const post = (line: string, ...fields: string[]): string => `${request(line, 'Content-Length: 3', ...fields)}abc`;

/** Whether each message reaches the target. */
async function passing(text: string, settings: string, messages: readonly string[]): Promise<boolean[]> {
  const connection = (await start(text, settings)).connect();
  return messages.map((message) => connection.send(message) !== '');
}

describe('writes', () => {
  it('drops what writes, lets what reads through, and counts both', async () => {
    const rig = await start('writes');
    const connection = rig.connect();
    const reads = ['GET', 'HEAD', 'OPTIONS', 'TRACE'].map((method) => request(`${method} /`));
    const writes = ['POST', 'PUT', 'PATCH', 'DELETE', 'LINK', 'PURGE'].map((method) => post(`${method} /`));
    expect(connection.send([...reads, ...writes, ...reads].join(''))).toBe([...reads, ...reads].join(''));
    expect(connection.dropped).toEqual(writes.map(() => 'writes'));
    expect(rig.figures('writes')).toEqual({ read: 8, write: 6, unknown: 0 });
  });

  it('a method that a field names counts', async () => {
    const fields = ['X-HTTP-Method-Override: DELETE', 'x-http-method: put', 'X-Method-Override: get'];
    const messages = fields.map((field) => request('GET /', field));
    expect(await passing('writes', 'http', [...messages, post('POST /', 'X-Method-Override: GET')])).toEqual([
      ...[false, false, true, false],
    ]);
  });

  it('exceptions are the options of http', async () => {
    const settings = 'http,reads=POST /search*,* /^.v[12].query$/,writes=GET /logout,POST /search/save';
    const messages = [
      ...[post('POST /search?q=1'), post('POST /search/more'), post('PUT /v1/query'), post('POST /v3/query')],
      ...[request('GET /logout?x'), request('HEAD /logout'), post('POST /search/save'), post('PUT /search')],
    ];
    expect(await passing('writes', settings, messages)).toEqual([
      ...[true, true, true, false],
      ...[false, true, false, false],
    ]);
  });

  it('drops what it cannot tell, and what becomes unreadable', async () => {
    const smuggled =
      'POST /a HTTP/1.1\r\nHost: shop\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nDELETE / HTTP/1.1\r\n\r\n';
    const reads = 'http,reads=POST /a';
    expect(await passing('writes', 'http', ['*2\r\n$3\r\nDEL\r\n'])).toEqual([false]);
    expect(await passing('writes', 'http', ['GET / HTTP/1.1\r\nHost : x\r\n\r\n'])).toEqual([false]);
    expect((await start('writes', reads)).connect().send(smuggled)).not.toContain('DELETE');
    expect((await start('writes,unknown=allow', reads)).connect().send(smuggled)).toContain('DELETE');
    const upgrade = [request('GET /ws', 'Upgrade: websocket', 'Connection: Upgrade'), '\x81\x02hi'];
    expect(await passing('writes', 'http', upgrade)).toEqual([true, false]);
    expect(await passing('writes,unknown=allow', 'http', [...upgrade, post('POST /')])).toEqual([true, true, false]);
  });

  it('allow: sends and counts', async () => {
    const rig = await start('writes=allow');
    const opaque = rig.connect('192.0.2.2');
    expect([rig.connect().send(post('POST /')), opaque.send('PING\r\n')]).toEqual([post('POST /'), 'PING\r\n']);
    expect(rig.figures('writes')).toEqual({ read: 0, write: 1, unknown: 1 });
    expect(await passing('writes=allow,unknown=drop', 'http', ['PING\r\n'])).toEqual([false]);
  });

  it('reroutes to another host, whatever others say of it', async () => {
    const rig = await PluginRig.start([
      [plugin, 'writes=reroute=sink.example:81'],
      [rewrite, 'http-host-rewrite=staging'],
    ]);
    const connection = rig.connect();
    expect(connection.send(request('GET /'))).toBe(request('GET /', 'Host: staging'));
    expect(connection.send(post('POST /'))).toBe(post('POST /').replace('shop', 'sink.example:81'));
    expect(connection.send(post('PUT http://shop/x'))).toContain('PUT http://sink.example:81/x HTTP/1.1\r\n');
    expect(connection.send(request('CONNECT db:5432', 'Host: db:5432'))).toBe('');
    expect(rig.connect('192.0.2.2').send('SET a 1\r\n')).toBe('');
  });

  it('judges what is sent, not what was captured', async () => {
    const change = (name: string, apply: Parameters<typeof definePlugin>[0]['apply']) =>
      [definePlugin({ name, description: 'x', protocol: 'http', apply }), name] as const;
    const run = async (apply: Parameters<typeof definePlugin>[0]['apply'], message: string) =>
      (await PluginRig.start([[plugin, 'writes'], change('other', apply)])).connect().send(message);
    const delivered = await run(
      (hooks) => hooks.http.request.tap('other', (r) => void (r.method = 'GET')),
      post('PUT /'),
    );
    expect(delivered).toBe(post('GET /'));
    const deleted = run(
      (hooks) => hooks.http.request.tap('other', (r) => void (r.method = 'DELETE')),
      request('GET /'),
    );
    expect(await deleted).toBe('');
    const replaced = run(
      (hooks) => hooks.request.tap('other', (context) => context.replace(Buffer.from(post('POST /')))),
      request('GET /'),
    );
    expect(await replaced).toBe('');
  });

  it('asks Redis, where that is read', async () => {
    const rig = await PluginRig.start([
      [redis, 'redis,admin=pass'],
      [plugin, 'writes'],
    ]);
    const connection = rig.connect();
    const commands = (lines: readonly string[]): string => lines.map((line) => resp(...line.split(' '))).join('');
    const reads = ['GET k', 'SORT k', 'MULTI', 'EXEC', 'SELECT 1', 'CONFIG GET x', 'XREAD STREAMS k 0', 'PING'];
    const writes = ['SET k v', 'SORT k STORE d', 'EVAL s 0', 'FLUSHALL', 'PUBLISH c m', 'CONFIG SET x 1', 'GETDEL k'];
    expect(connection.send(commands([...reads, ...writes, 'JSON.SET k . 1', 'GET k']))).toBe(
      commands([...reads, 'GET k']),
    );
    expect(rig.figures('writes')).toEqual({ read: 9, write: 7, unknown: 1 });
    expect(connection.send('*x\r\nSET k v\r\n')).toBe('');
  });

  it('refuses wrong options', () => {
    for (const policy of ['keep', 'reroute', 'reroute=', 'reroute=a b', 'reroute=http://x/']) {
      expect(refusal(plugin, `writes=${policy}`)).toContain('must be drop, allow, or reroute=HOST');
    }
    expect(refusal(plugin, 'writes,unknown=pass')).toContain('unknown=pass');
    for (const wrong of ['/search', 'POST', 'POST /^.($/', 'PO ST /']) {
      expect(refusal(http, `http,reads=${wrong}`)).toContain(`'${wrong}' is no method and path`);
    }
  });
});
