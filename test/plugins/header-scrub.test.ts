import fc from 'fast-check';
import { definePlugin } from 'tcpcopy/plugin';
import { describe, expect, it } from 'vitest';
import http from '../../plugins/http/index.ts';
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

  describe('in JSON bodies', () => {
    const JSON_TYPE = 'Content-Type: application/json';
    const post = (body: string, ...fields: string[]) =>
      `${request('POST /', ...fields, `Content-Length: ${Buffer.byteLength(body, 'latin1')}`)}${body}`;
    const body =
      '{ "user": {"Password":"s3cret", "n": 12345678901234567890}, "card":{"number":4111,"cvc":1}, "a":[{"password":["s3cret"]}] }';

    it.each([
      ['', '{ "user": {"n": 12345678901234567890}, "card":{"cvc":1}, "a":[{}] }'],
      [
        '=mask',
        '{ "user": {"Password":"***", "n": 12345678901234567890}, "card":{"number":"***","cvc":1}, "a":[{"password":"***"}] }',
      ],
    ])('by name anywhere, and by pointer (header-scrub%s)', async (mode, after) => {
      const options = `${mode},json=password,/card/number`;
      expect((await connect(options)).send(post(body, JSON_TYPE))).toBe(post(after, JSON_TYPE));
      // However it is called, and in chunks.
      const plain = 'Content-Type: text/plain';
      expect((await connect(options)).send(post(body, plain))).toBe(post(after, plain));
      const size = (text: string) => text.length.toString(16);
      const chunked = (text: string) =>
        `${request('POST /', 'Transfer-Encoding: chunked')}${size(text)}\r\n${text}\r\n0\r\n\r\n`;
      const cut = chunked(body).replace(`${size(body)}\r\n{`, `1\r\n{\r\n${size(body.slice(1))}\r\n`);
      expect((await connect(options)).send(cut)).toBe(chunked(after));
    });

    it('gives pseudonyms', async () => {
      const connection = await connect('=pseudonym,json=id');
      const id = (text: string) => /"id":"([0-9a-f]{24})"/.exec(connection.send(post(text, JSON_TYPE)))?.[1];
      const one = id('{"id":"s3cret"}');
      expect(one).toBeDefined();
      expect(id('{"x":1,"id":"s3cret"}')).toBe(one);
      expect(id('{"id":5}')).not.toBe(one);
    });

    it('sends nothing that it cannot look into and that may hold some', async () => {
      const rig = await PluginRig.start([
        [http, 'http,bodyLimit=200'],
        [plugin, 'header-scrub,json=password'],
      ]);
      const connection = rig.connect();
      const secret = '{"password":"s3cret"';
      const held = [
        post(`{"a":"${'x'.repeat(200)}","password":"s3cret"}`, JSON_TYPE),
        post(`{"a":"${'x'.repeat(200)}","password":"s3cret"}`),
        post(`${secret}}`, 'Content-Encoding: gzip'),
        post(secret, JSON_TYPE),
        post(`\xef\xbb\xbf ${secret},}`, 'Content-Type: text/plain'),
        post(`${' '.repeat(99)}${secret}}{}`),
        post([...`${secret}}`].map((c) => `${c}\0`).join(''), 'Content-Type: text/plain'),
        post('password: s3cret', 'Content-Type: application/vnd.x+json;v=1'),
        `${request('POST /', 'Transfer-Encoding: chunked', JSON_TYPE)}${'5\r\n12345\r\n'.repeat(50)}14\r\n${secret}\r\n0\r\n\r\n`,
        `${request('POST /', 'Transfer-Encoding: gzip, chunked')}6\r\ns3cret\r\n0\r\n\r\n`,
      ];
      const sound = [
        post('a=b'),
        post('', JSON_TYPE),
        post('x'.repeat(300), 'Content-Type: image/png'),
        request('GET /'),
      ];
      // Pipelined on one connection: those between them are sent.
      const given = held.flatMap((each, i) => [each, sound[i % sound.length]!]);
      const sent = given.map((each) => connection.send(each)).join('');
      expect(sent).not.toContain('s3cret');
      expect(sent).toBe(held.map((_, i) => sound[i % sound.length]!).join(''));
      expect(new Set(connection.dropped)).toEqual(
        new Set(['body too long or cut off', 'body is encoded', 'body is no JSON']),
      );
    });

    it('goes by no type where there are two', async () => {
      const connection = await connect('=mask,json=password');
      const types = ['Content-Type: image/png', JSON_TYPE];
      expect(connection.send(post('{"password":"s3cret"}', ...types))).toBe(post('{"password":"***"}', ...types));
    });

    it('does not hold bodies where none is to be scrubbed', async () => {
      const head = request('POST /', JSON_TYPE, 'Content-Length: 9');
      expect((await connect()).send(head)).toBe(head);
      expect((await connect(',json=a')).send(head)).toBe('');
    });

    it('lets no secret through, wherever it stands in a JSON text and however that is cut', async () => {
      const rig = await PluginRig.start([[plugin, 'header-scrub,json=secret,/0/pin']]);
      const key = fc.constantFrom('secret', 'SECRET', 'a', 'pin', '\u0000');
      const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
        tree: fc.oneof(
          { depthSize: 'medium' },
          fc.constantFrom<unknown>(1, 'x', null),
          fc.array(tie('tree'), { maxLength: 4 }),
          fc.dictionary(key, tie('tree'), { maxKeys: 4 }),
        ),
      }));
      const hide = (value: unknown): unknown => {
        if (Array.isArray(value)) return value.map(hide);
        if (typeof value !== 'object' || value === null) return value;
        return Object.fromEntries(
          Object.entries(value as Record<string, unknown>).map(([k, v]) => [
            k,
            k.toLowerCase() === 'secret' ? { k: 's3cret', v } : hide(v),
          ]),
        );
      };
      fc.assert(
        fc.property(fc.array(tree), fc.nat(200), (value, cut) => {
          const given = post(JSON.stringify(hide(value)), JSON_TYPE);
          const one = rig.connect();
          const sent = one.send(given.slice(0, cut), 0) + one.send(given.slice(cut), 0);
          expect(sent).not.toContain('s3cret');
          expect(() => void JSON.parse(sent.slice(sent.indexOf('\r\n\r\n')))).not.toThrow();
        }),
      );
    });
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'header-scrub,json=/a~b')).toContain('json.0=/a~b');
    expect(refusal(plugin, 'header-scrub,json=')).toContain('json');
    expect(refusal(plugin, 'header-scrub=hide')).toContain('mode=hide');
    expect(refusal(plugin, 'header-scrub,headers=Content-Length')).toContain('is needed to send the request');
    expect(refusal(plugin, 'header-scrub,headers=a b')).toContain('is no name of a header field');
    expect(refusal(plugin, 'header-scrub,cookie=sid')).toContain('no option cookie');
  });
});

describe('header-scrub, of responses', () => {
  const RESPONSE =
    'HTTP/1.1 200 OK\r\nSet-Cookie: sid=s3cret; Path=/\r\nX-A: b\r\nContent-Length: 14\r\n\r\n{"pin":"1234"}';

  /** What a plugin that looks at responses is shown of one. */
  async function shown(options: string): Promise<readonly string[]> {
    const seen: string[] = [];
    const spy = definePlugin({
      name: 'spy',
      description: 'Looks at responses.',
      protocol: 'http',
      apply(hooks) {
        const tell = (response: { headers: Iterable<readonly string[]>; body: Uint8Array | undefined } | undefined) =>
          seen.push(JSON.stringify([...(response?.headers ?? [])]), String(response?.body?.length));
        hooks.http.responseHead.tap('spy', (head) => head.wantBody());
        hooks.http.response.tap('spy', (response) => void tell(response));
        hooks.http.exchange.tap('spy', ({ target }) => void tell(target));
      },
    });
    const rig = await PluginRig.start([
      [spy, 'spy'],
      [plugin, `header-scrub${options}`],
    ]);
    const connection = rig.connect();
    connection.send(request('GET /'));
    connection.respond(RESPONSE);
    await rig.finish();
    return seen;
  }

  it('other plugins are not shown secrets, wherever they are given', async () => {
    const fields = (...more: string[][]) => JSON.stringify([...more, ['X-A', 'b'], ['Content-Length', '14']]);
    expect(await shown('')).toEqual([fields(), '14', fields(), '14']);
    const masked = fields(['Set-Cookie', 'sid=***; Path=/']);
    expect(await shown('=mask')).toEqual([masked, '14', masked, '14']);
  });

  it('nor bodies where secrets in JSON are named', async () => {
    const seen = await shown(',json=pin');
    expect([seen[1], seen[3]]).toEqual(['undefined', 'undefined']);
  });
});
