import { describe, expect, it } from 'vitest';
import rewrite from '../../plugins/http-host-rewrite/index.ts';
import plugin from '../../plugins/log/index.ts';
import filter from '../../plugins/http-filter/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const logged = async (text: string, ...messages: string[]): Promise<string[]> => {
  const rig = await PluginRig.start([[plugin, text]]);
  const connection = rig.connect();
  for (const message of messages) expect(connection.send(message)).toBe(message);
  return rig.lines;
};

describe('log', () => {
  it('writes a line for each request, without what may be secret', async () => {
    const post = `${request('POST /login?token=s3cret', 'Authorization: s3cret', 'Content-Length: 6')}s3cret`;
    const absolute = request('GET http://me:s3cret@shop/x#s3cret');
    expect(await logged('log', request('GET /1') + post, absolute)).toEqual([
      'info: plugin log: 192.0.2.1:40000 GET shop /1',
      'info: plugin log: 192.0.2.1:40000 POST shop /login',
      'info: plugin log: 192.0.2.1:40000 GET shop http://shop/x',
    ]);
  });

  it('with the query and at the level that are asked for', async () => {
    expect(await logged('log=warn,query', request('GET /1?a=b'))).toEqual([
      'warn: plugin log: 192.0.2.1:40000 GET shop /1?a=b',
    ]);
  });

  it('says what is sent, not what was captured', async () => {
    const rig = await PluginRig.start([
      [plugin, 'log'],
      [rewrite, 'http-host-rewrite=staging'],
      [filter, 'http-filter,denyPath=/no'],
    ]);
    rig.connect().send(request('GET /no') + request('GET /yes'));
    expect(rig.lines).toEqual(['info: plugin log: 192.0.2.1:40000 GET staging /yes']);
  });

  it('keeps to a line, and to what a terminal shows', async () => {
    const [line] = await logged('log', request(`GET /${'a'.repeat(3_000)}`, 'Host: \xff\x9b31m'));
    expect(line).toMatch(/^info: plugin log: 192\.0\.2\.1:40000 GET \?\?31m \/a+…$/);
    expect(line!.length).toBeLessThan(600);
  });

  it('is silent about other protocols, but where it is asked', async () => {
    expect(await logged('log', 'PING\r\n')).toEqual([]);
    expect(await logged('log,others', 'PING\r\n', 'QUIT\r\n')).toEqual([
      'info: plugin log: 192.0.2.1:40000 opaque, 6 bytes',
      'info: plugin log: 192.0.2.1:40000 opaque, 6 bytes',
    ]);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'log=loud')).toContain('level=loud');
    expect(refusal(plugin, 'log,body')).toContain('no option body');
  });
});
