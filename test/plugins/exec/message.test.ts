import { describe, expect, it } from 'vitest';
import { applyAnswer, describeMessage, parseAnswer } from '../../../plugins/exec/message.ts';
import { definePlugin, type RequestContext } from 'tcpcopy/plugin';
import { PluginRig, request } from '../plugin-rig.ts';

type Change = Record<string, unknown>;

/** What a program would be told of a message, and what is sent when it answers so. */
async function answered(message: string, change: (told: Change) => Change, opaque = false) {
  let told: Change | undefined;
  const plugin = definePlugin({
    name: 'asks',
    description: 'Answers as a program would.',
    apply(hooks) {
      if (!opaque) hooks.http.head.tap('asks', (head) => head.wantBody());
      hooks.request.tap('asks', (context: RequestContext) => {
        const line = describeMessage(7, context);
        told = JSON.parse(line) as Change;
        expect(line).toBe(`${JSON.stringify(told)}\n`);
        const answer = parseAnswer({ id: 7, ...change(structuredClone(told)) });
        if (answer === undefined) throw new TypeError('no answer');
        applyAnswer(answer, context);
      });
    },
  });
  const rig = await PluginRig.start([[plugin, 'asks']], { opaque });
  const connection = rig.connect();
  return { sent: connection.send(message), told, connection, rig };
}

const POST = `${request('POST /a?b=1', 'X-A: 1', 'x-a:  2', 'Content-Length: 5', 'Cookie: c')}h\xc3\xa9llo`.replace(
  'Content-Length: 5',
  'Content-Length: 6',
);

describe('what a program is told', () => {
  it('of an HTTP request', async () => {
    const { told, sent } = await answered(POST, () => ({}));
    expect(told).toEqual({
      id: 7,
      protocol: 'http',
      connection: { client: '192.0.2.1:40000', server: '198.51.100.1:80' },
      effect: 'write',
      method: 'POST',
      target: '/a?b=1',
      version: '1.1',
      headers: [
        ['Host', 'shop'],
        ['X-A', '1'],
        ['x-a', '2'],
        ['Content-Length', '6'],
        ['Cookie', 'c'],
      ],
      body: 'héllo',
    });
    expect(sent).toBe(POST);
  });

  it('of a body that is no text, or streams past', async () => {
    const binary = `${request('POST /', 'Content-Length: 2')}\xff\xfe`;
    expect((await answered(binary, () => ({}))).told).toMatchObject({ bodyBase64: '//4=' });
    const long = `${request('POST /', 'Content-Length: 2000000')}${'x'.repeat(2_000_000)}`;
    const { told, sent } = await answered(long, () => ({ target: '/b' }));
    expect(Object.keys(told!)).not.toEqual(expect.arrayContaining(['body']));
    expect(sent).toBe(long.replace('POST / ', 'POST /b '));
  });

  it('of what nobody reads', async () => {
    const { told, sent } = await answered('PING\r\n', () => ({}), true);
    expect(told).toMatchObject({ protocol: 'opaque', effect: 'unknown', bytes: 'UElORw0K' });
    expect([told?.['headers'], sent]).toEqual([undefined, 'PING\r\n']);
  });
});

describe('an answer', () => {
  it('that is what was told changes no byte', async () => {
    expect((await answered(POST, (told) => told)).sent).toBe(POST);
    expect((await answered('PING\r\n', (told) => told, true)).sent).toBe('PING\r\n');
  });

  it.each<[string, Change, string]>([
    ['method and target', { method: 'PUT', target: '/x' }, POST.replace('POST /a?b=1', 'PUT /x')],
    ['a field', { headers: { 'X-B': '3' } }, POST.replace('Cookie: c\r\n', 'Cookie: c\r\nX-B: 3\r\n')],
    ['no field', { headers: { cookie: null, 'X-No': null } }, POST.replace('Cookie: c\r\n', '')],
    [
      'several of a name',
      { headers: { 'X-A': ['9', '8', '7'] } },
      POST.replace('X-A: 1\r\nx-a:  2', 'X-A: 9').replace('Cookie: c\r\n', 'Cookie: c\r\nX-A: 8\r\nX-A: 7\r\n'),
    ],
    [
      'all fields',
      {
        headers: [
          ['Host', 'other'],
          ['X-A', '1'],
          ['X-A', '2'],
        ],
      },
      POST.replace('shop', 'other').replace('Cookie: c\r\n', ''),
    ],
    ['a body', { body: 'hé' }, POST.replace('h\xc3\xa9llo', 'h\xc3\xa9').replace('Length: 6', 'Length: 3')],
    ['no body', { body: '' }, POST.replace('h\xc3\xa9llo', '').replace('Length: 6', 'Length: 0')],
    [
      'bytes for a body',
      { bodyBase64: '//4=' },
      POST.replace('h\xc3\xa9llo', '\xff\xfe').replace('Length: 6', 'Length: 2'),
    ],
  ])('changes %s', async (_what, change, expected) => {
    expect((await answered(POST, () => change)).sent).toBe(expected);
  });

  it('drops, with a reason, and delays', async () => {
    const dropped = await answered(POST, () => ({ drop: 'not this one' }));
    expect([dropped.sent, dropped.connection.dropped]).toEqual(['', ['not this one']]);
    expect((await answered(POST, () => ({ delay: 250 }))).connection.delays).toEqual([250]);
  });

  it('replaces bytes', async () => {
    expect((await answered('PING\r\n', () => ({ bytes: 'UVVJVA0K' }), true)).sent).toBe('QUIT\r\n');
  });

  it.each<[string, Change]>([
    ['an unknown field', { header: {} }],
    ['a field of another type', { target: 5 }],
    ['an empty reason', { drop: '' }],
    ['a delay that is none', { delay: -1 }],
    ['a method that is none', { target: '/changed', method: 'NO SUCH' }],
    ['a line smuggled in', { target: '/changed', headers: { 'X-B': 'a\r\nX-C: d' } }],
    ['bytes of a request', { bytes: 'UVVJVA0K' }],
    ['what is no base64', { bodyBase64: '!' }],
  ])('with %s changes nothing', async (_what, change) => {
    const { sent, rig } = await answered(POST, () => change);
    expect(sent).toBe(POST);
    expect(rig.lines[0]).toContain('plugin asks failed on request: TypeError');
  });

  it('for bytes that nobody reads has no fields of a request', async () => {
    const { sent, rig } = await answered('PING\r\n', () => ({ target: '/' }), true);
    expect([sent, rig.lines[0]]).toEqual(['PING\r\n', expect.stringContaining('failed on request: TypeError')]);
  });
});
