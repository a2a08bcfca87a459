import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import http from '../../plugins/http/index.ts';
import plugin from '../../plugins/http-rewrite/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const start = (options: string) => PluginRig.start([[plugin, `http-rewrite,${options}`]]);
const connect = async (options: string) => (await start(options)).connect();
const sent = async (options: string, given: string) => (await connect(options)).send(given);

function post(body: string, ...fields: string[]): string {
  const length = `Content-Length: ${Buffer.byteLength(body, 'latin1')}`;
  return `${request('POST /p', length, ...fields)}${body}`;
}

const JSON_TYPE = 'Content-Type: application/json; charset=utf-8';

describe('http-rewrite', () => {
  it.each([
    ['method=PUT', 'GET /a', 'PUT /a'],
    ['path./v1/*=/v2/$1', 'GET /v1/a/b?x=1', 'GET /v2/a/b?x=1'],
    ['path./v1/*=/v2/$1', 'GET /v10/a', 'GET /v10/a'],
    ['path./v?/*=/$2/$1', 'GET http://shop/v1/a', 'GET http://shop/a/1'],
    ['path./o+/=0', 'GET /foo/boo?oo', 'GET /f0/b0?oo'],
    ['path./^.user.(\\d+)$/=/u/$1/$$', 'GET /user/17', 'GET /u/17/$'],
    ['path./a=/b,path./b=/c', 'GET /a', 'GET /c'],
    ['query.a=x y&z', 'GET /?b=%20&a=1&a=2', 'GET /?b=%20&a=x%20y%26z'],
    ['addQuery.a=2', 'GET /?a=1', 'GET /?a=1&a=2'],
    ['removeQuery=a,b,query.a=1', 'GET /?b&a=2&c=%41&a=3', 'GET /?c=%41&a=1'],
    ['removeQuery=a', 'GET /?a', 'GET /'],
    ['query.a=1,path.*=/x', 'OPTIONS *', 'OPTIONS *'],
    ['method=PUT,path./*=/x,query.a=1', 'CONNECT shop:443', 'CONNECT shop:443'],
  ])('%s: %s', async (options, before, after) => {
    expect(await sent(options, request(before, 'A:  b'))).toBe(request(after, 'A:  b'));
  });

  it('changes header fields', async () => {
    const options = 'header.X-Env=staging,header.New=1,addHeader.Via=2,removeHeader=Cookie,X-Gone';
    expect(await sent(options, request('GET /', 'x-env: a', 'Cookie: b', 'Via:1', 'X-ENV: c'))).toBe(
      request('GET /', 'x-env: staging', 'Via:1', 'New: 1', 'Via: 2'),
    );
  });

  it('changes JSON where it stands, and fixes the length', async () => {
    const options = 'json./user/id=7,json./tags/-=new,json./text="7",json./no/where=1,removeJson=/card,/list/0';
    const before = '{ "user": {"id": 123456}, "big": 12345678901234567890, "card": "4111", "tags": [], "list": [1,2] }';
    const after = '{ "user": {"id": 7}, "big": 12345678901234567890, "tags": ["new"], "list": [2],"text":7 }';
    expect(await sent(options, post(before, JSON_TYPE))).toBe(post(after, JSON_TYPE));
    expect(await sent(`json./a='"7"',json./b=true`, post('{}', JSON_TYPE))).toBe(post('{"a":"7","b":true}', JSON_TYPE));
  });

  it('leaves bodies alone that are not called JSON, or have nothing there', async () => {
    for (const given of [post('{"a":1}', 'Content-Type: text/plain'), post('{"a":1}'), post('{"b":1}', JSON_TYPE)]) {
      expect(await sent('removeJson=/a', given)).toBe(given);
    }
  });

  it('changes text, in UTF-8, and chunks', async () => {
    const options = 'body./\\d{4}/=#,body.straße=road';
    const body = Buffer.from('1234 straße 56789').toString('latin1');
    expect(await sent(options, post(body))).toBe(post('# road #9'));
    const chunked = `${request('POST /', 'Transfer-Encoding: chunked', 'Trailer: T')}4\r\n1234\r\n3;x=y\r\n567\r\n0\r\nT: 1\r\n\r\n`;
    expect(await sent('body./\\d{4}/=#', chunked)).toBe(
      `${request('POST /', 'Transfer-Encoding: chunked', 'Trailer: T')}4\r\n#567\r\n0\r\nT: 1\r\n\r\n`,
    );
    expect(await sent('body.zzz=', chunked)).toBe(chunked);
  });

  it('passes what it cannot read as it is, and counts it', async () => {
    const rig = await PluginRig.start([
      [http, 'http,bodyLimit=64'],
      [plugin, 'http-rewrite,body.a=b,removeJson=/a'],
    ]);
    const connection = rig.connect();
    const odd = [
      post('a'.repeat(65)),
      post('a', 'Content-Encoding: gzip'),
      post('\xff a'),
      post('{"a":1', JSON_TYPE).replace('"a"', '"c"'),
    ];
    // All on one connection, pipelined.
    expect(connection.send(odd.join(''))).toBe(odd.join(''));
    expect(rig.figures('http-rewrite')).toEqual({ 'bodies not read': 4 });
    expect(connection.send(post('a') + request('GET /'))).toBe(post('b') + request('GET /'));
    expect(rig.figures('http-rewrite')).toEqual({ 'bodies not read': 4 });
  });

  it('changes only requests that meet the condition', async () => {
    const options = `body.a=bb,header.X=1,when=method == 'POST' && !header['Keep']`;
    const [get, kept] = [request('GET /a'), post('a', 'Keep: 1')];
    expect(await sent(options, get + kept + post('a'))).toBe(get + kept + post('bb', 'X: 1'));
  });

  it('leaves alone what is no HTTP, and a path that would not be one', async () => {
    for (const odd of ['GET / HTTP/1.1\r\nHost : x\r\n\r\n', 'hello\r\n', '\x16\x03\x01\x02']) {
      expect(await sent('header.A=b', odd)).toBe(odd);
    }
    const rig = await start('path./^./=');
    expect(rig.connect().send(request('GET /a'))).toBe(request('GET /a'));
    expect(rig.lines[0]).toContain('plugin http-rewrite failed on http.request: TypeError at');
  });

  it('gives the same however the bytes are cut', async () => {
    const rig = await start('path./p=/longer/path,body.e=eee,json./a=9,header.X=y');
    const given = [
      post('{"a":1}', JSON_TYPE),
      request('GET /p?q'),
      `${request('PUT /p', 'Transfer-Encoding: chunked')}2\r\nee\r\n1\r\ne\r\n0\r\n\r\n`,
      post('e', 'Expect: 100-continue'),
    ].join('');
    const whole = rig.connect().send(given);
    expect(whole.match(/X: y/g)).toHaveLength(4);
    expect(whole).toContain('{"a":9}');
    fc.assert(
      fc.property(fc.array(fc.nat(given.length), { maxLength: 12 }), (cuts) => {
        const connection = rig.connect();
        const at = [0, ...cuts.toSorted((a, b) => a - b), given.length];
        const out = at.slice(1).map((end, i) => (end > at[i]! ? connection.send(given.slice(at[i], end), 0) : ''));
        expect(out.join('')).toBe(whole);
      }),
    );
  });

  it('refuses wrong options', () => {
    const wrong = (options: string) => refusal(plugin, `http-rewrite${options}`);
    expect(wrong('')).toContain('nothing is to be changed');
    expect(wrong(`,when=path ~ 'x'`)).toContain('nothing is to be changed');
    expect(wrong(',method=GE T')).toContain('method=GE T: is no method');
    expect(wrong(',method=connect')).toContain('opens a tunnel');
    expect(wrong(',path./[/=x')).toContain(`'/[/' is no regular expression`);
    expect(wrong(',header.Content-Length=1')).toContain('follows the body by itself');
    expect(wrong(',header.A b=1')).toContain('is no name of a header field');
    expect(wrong(',header.A=\u20ac')).toContain('not Latin-1');
    expect(wrong(',json.a=1')).toContain('is no JSON pointer');
    expect(wrong(',removeJson=')).toContain('cannot be removed');
    expect(wrong(',when=path = 1,header.A=b')).toContain('expected &&, || or the end at character 6');
  });
});
