import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/shadow-header/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const connect = async (text: string, seed = 1) => (await PluginRig.start([[plugin, text]], { seed })).connect();
const traces = (sent: string): string[] => [...sent.matchAll(/traceparent: (.*)\r\n/g)].map(([, trace]) => trace!);

describe('shadow-header', () => {
  it('marks every request, and changes nothing else', async () => {
    const connection = await connect('shadow-header');
    const post = (...more: string[]) => `${request('POST /1', 'Content-Length: 3', ...more)}abc`;
    const mark = 'X-Shadow-Traffic: tcpcopy';
    expect(connection.send(post() + request('GET /2'))).toBe(post(mark) + request('GET /2', mark));
  });

  it('with the field and value given, once', async () => {
    const connection = await connect('shadow-header=load test,header=X-Origin');
    expect(connection.send(request('GET /', 'x-origin: forged', 'A: b', 'X-ORIGIN: again'))).toBe(
      request('GET /', 'x-origin: load test', 'A: b'),
    );
  });

  it('begins a new trace for each request', async () => {
    const message = request('GET /', `traceparent: 00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`, 'tracestate: x=1');
    const sent = (await connect('shadow-header,traceparent')).send(message + request('GET /2'));
    const found = traces(sent);
    expect(sent).not.toMatch(/tracestate|aaaa/);
    for (const trace of found) expect(trace).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
    expect(new Set(found).size).toBe(2);
    const other = (await PluginRig.start([[plugin, 'shadow-header,traceparent']])).connect('192.0.2.2');
    expect(found).not.toContain(traces(other.send(message))[0]);
    expect(traces((await connect('shadow-header,traceparent')).send(message + message))).toEqual(found);
    expect(traces((await connect('shadow-header,traceparent', 2)).send(message))).not.toContain(found[0]);
  });

  it('passes what is no request', async () => {
    const odd = 'GET / HTTP/1.1\r\nHost : x\r\n\r\n';
    expect((await connect('shadow-header')).send(odd)).toBe(odd);
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'shadow-header,header=X Y')).toContain('is no name of a header field');
    expect(refusal(plugin, 'shadow-header,header=content-Length')).toContain('says where a message ends');
    expect(refusal(plugin, 'shadow-header=a\r\nb')).toContain('must be visible ASCII');
    expect(refusal(plugin, 'shadow-header,traceparent=perhaps')).toContain('traceparent=perhaps');
  });
});
