import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/header-scrub/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const connect = async (options = '') => (await PluginRig.start([[plugin, `header-scrub${options}`]])).connect();
const sent = async (options: string, ...fields: string[]) => (await connect(options)).send(request('GET /', ...fields));

const FIELDS = [
  'Authorization: Bearer s3cret',
  'A: b',
  'Cookie: sid=s3cret; theme=s3cret',
  'proxy-authorization: s3cret',
  'COOKIE: s3cret',
  'Set-Cookie: sid=s3cret; Path=/; Secure',
];

describe('header-scrub', () => {
  it('removes what holds secrets, and changes nothing else', async () => {
    expect(await sent('', ...FIELDS)).toBe(request('GET /', 'A: b'));
    expect(await sent('', 'A: b', 'Accept:  */*')).toBe(request('GET /', 'A: b', 'Accept:  */*'));
    const body = 'Authorization: kept';
    const post = (...fields: string[]) => `${request('POST /', `Content-Length: ${body.length}`, ...fields)}${body}`;
    expect((await connect()).send(post('Cookie: a=b'))).toBe(post());
  });

  it('masks', async () => {
    expect(await sent('=mask', ...FIELDS)).toBe(
      request(
        'GET /',
        'Authorization: Bearer ***',
        'A: b',
        'Cookie: sid=***; theme=***',
        'proxy-authorization: ***',
        'Set-Cookie: sid=***; Path=/; Secure',
        'cookie: ***',
      ),
    );
  });

  it('gives pseudonyms: the same for the same secret, others for others and in other runs', async () => {
    const connection = await connect('=pseudonym');
    const name = (secret: string, by = connection) =>
      /Bearer ([0-9a-f]{24})\r\n/.exec(by.send(request('GET /', `Authorization: Bearer ${secret}`)))?.[1];
    const one = name('s3cret');
    expect(one).toMatch(/^[0-9a-f]{24}$/);
    expect(name('s3cret')).toBe(one);
    expect(name('s3crets')).not.toBe(one);
    expect(name('s3cret', await connect('=pseudonym'))).not.toBe(one);
  });

  it('of the cookies only those named', async () => {
    expect(await sent(',cookies=sid', 'Cookie: a=1;sid=s3cret ; b=2', 'Set-Cookie: c=3; Path=/')).toBe(
      request('GET /', 'Cookie: a=1; b=2', 'Set-Cookie: c=3; Path=/'),
    );
    expect(await sent(',cookies=sid', 'Cookie: sid=s3cret')).toBe(request('GET /'));
    expect(await sent('=mask,cookies=sid,other', 'Cookie: a=1; sid=s3cret; other=s3cret=')).toBe(
      request('GET /', 'Cookie: a=1; sid=***; other=***'),
    );
  });

  it('of the fields only those named', async () => {
    expect(await sent(',headers=X-Api-Key', 'x-api-key: s3cret', 'Cookie: a=b')).toBe(request('GET /', 'Cookie: a=b'));
  });

  it('sends nothing that it cannot read', async () => {
    const secret = 'Authorization: s3cret';
    const odd = `GET / HTTP/1.1\r\nHost : x\r\n${secret}\r\n\r\n`;
    const chunked = `${request('POST /', 'Transfer-Encoding: chunked')}zz\r\n${odd}`;
    const upgraded = request('GET /chat', 'Connection: Upgrade', 'Upgrade: chat');
    expect(await connect().then((c) => c.send(odd))).toBe('');
    expect(await connect().then((c) => c.send(chunked))).not.toContain('s3cret');
    expect(await connect().then((c) => c.send(upgraded + secret))).toBe(upgraded);
    expect(await connect().then((c) => c.send(`${secret}\r\n`))).toBe('');
    expect(await connect(',others=pass').then((c) => c.send(odd))).toBe(odd);
  });

  it('lets no secret through, wherever it stands among fields and bytes', async () => {
    const field = fc.constantFrom(
      ...FIELDS,
      'X: y',
      'Cookie:s3cret; ;=s3cret;=',
      'Cookie: =',
      'Authorization:',
      'Cookie:',
    );
    const rigs = await Promise.all(
      ['', '=mask', '=pseudonym'].map((mode) => PluginRig.start([[plugin, `header-scrub${mode}`]])),
    );
    fc.assert(
      fc.property(fc.array(field), fc.nat(2), fc.integer({ min: 1, max: 40 }), (fields, mode, step) => {
        const given = request('GET /', ...fields) + request('GET /2', ...fields);
        const connection = rigs[mode]!.connect();
        let out = '';
        for (let i = 0; i < given.length; i += step) out += connection.send(given.slice(i, i + step), 0);
        expect(out).not.toContain('s3cret');
        expect(out.match(/GET \/2? ?HTTP/g)).toHaveLength(2);
        expect(out.match(/X: y/g)?.length).toBe(given.match(/X: y/g)?.length);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'header-scrub=hide')).toContain('mode=hide');
    expect(refusal(plugin, 'header-scrub,headers=Content-Length')).toContain('is needed to send the request');
    expect(refusal(plugin, 'header-scrub,headers=a b')).toContain('is no name of a header field');
    expect(refusal(plugin, 'header-scrub,cookie=sid')).toContain('no option cookie');
  });
});
