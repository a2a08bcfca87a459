import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/compare/index.ts';
import http from '../../plugins/http/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const reply = (body: string | Uint8Array, status = 200, ...fields: string[]): Uint8Array => {
  const bytes = Buffer.from(body as string, 'latin1');
  const head = [`HTTP/1.1 ${status} X`, `Content-Length: ${bytes.length}`, ...fields, '', ''].join('\r\n');
  return Buffer.concat([Buffer.from(head), bytes]);
};

/** What is told, in lines and figures, of these pairs of responses. */
async function told(spec: string, ...pairs: readonly (readonly [online: Uint8Array, target: Uint8Array])[]) {
  const run = await PluginRig.start([[plugin, spec]]);
  const connection = run.connect();
  for (const [online, target] of pairs) {
    connection.send(request('POST /a?secret=1', 'Content-Length: 0'));
    connection.answered(online);
    connection.respond(target);
  }
  connection.end();
  const figures = run.figures('compare');
  const { balanced } = await run.finish();
  expect(balanced).toBe(true);
  return { lines: run.lines.map((line) => line.replace(/^.*POST /, '')), figures };
}

describe('compare', () => {
  it('counts what is equal, and says where the rest differs, without saying what stands there', async () => {
    const json = (id: number, name: string) => JSON.stringify({ id, user: { name, tags: ['x', name] } });
    const { lines, figures } = await told(
      'compare',
      [reply('same'), reply('same')],
      [reply('a', 200), reply('secret', 503)],
      [reply('a', 200, 'Content-Type: text/plain'), reply('a', 200, 'Content-Type: text/html')],
      [reply(json(1, 'ann')), reply(json(1, 'bob'))],
      [reply('abcd'), reply('abXd')],
      [reply('abc'), reply('abcdef')],
      [reply(''), reply('abc')],
      [reply('1'), reply('[1]')],
    );
    expect(lines).toEqual([
      'shop/a: status 200 online, 503 from the target',
      'shop/a: header Content-Type differs',
      'shop/a: body differs at /user/name',
      'shop/a: body differs at byte 2',
      'shop/a: body differs in length: 3 online, 6 from the target',
      'shop/a: body differs in length: 0 online, 3 from the target',
      'shop/a: body differs as a whole',
    ]);
    expect(figures).toEqual({ equal: 1, 'status differs': 1, 'header differs': 1, 'body differs': 5 });
  });

  it('leaves out what may differ, in JSON whatever the order of its keys and however it is packed', async () => {
    const online = { at: 1, items: [{ id: 1, 'a/b': 2 }, { id: 2 }] };
    const target = { items: [{ 'a/b': 2, id: 8 }, { id: 9 }], at: 2 };
    const packed = [
      reply(gzipSync(JSON.stringify(online)), 200, 'Content-Encoding: gzip'),
      reply(JSON.stringify(target)),
    ];
    const { figures } = await told('compare,ignore=/at,/items/*/id', packed as [Uint8Array, Uint8Array]);
    expect(figures).toEqual({ equal: 1 });
    const other = await told('compare,ignore=/at', packed as [Uint8Array, Uint8Array]);
    expect(other.lines).toEqual(['shop/a: body differs at /items/0/id']);
  });

  it('looks at the fields it is told to, and not at bodies', async () => {
    const pair = [reply('a', 302, 'Location: /x'), reply('b', 302, 'Location: /x')] as const;
    expect((await told('compare=Location,body=no', pair)).figures).toEqual({ equal: 1 });
  });

  it('says how many could not be compared: without an answer, or with a longer body than is kept', async () => {
    const run = await PluginRig.start([[plugin, 'compare']]);
    const connection = run.connect();
    connection.send(request('GET /'));
    connection.respond(reply('a'));
    connection.reset();
    expect(run.figures('compare')).toEqual({ 'not compared': 1 });
    const short = await PluginRig.start([
      [http, 'http,bodyLimit=1k'],
      [plugin, 'compare'],
    ]);
    const other = short.connect();
    other.send(request('GET /'));
    other.answered(reply('a'.repeat(2_000)));
    other.respond(reply('a'.repeat(2_000)));
    expect(short.figures('compare')).toEqual({ 'body not compared': 1 });
  });

  it('writes no more lines than it may', async () => {
    const { lines, figures } = await told(
      'compare,rate=2',
      ...Array.from({ length: 5 }, () => [reply('a'), reply('b')] as const),
    );
    expect(lines).toHaveLength(2);
    expect(figures).toEqual({ 'body differs': 5 });
  });

  it('refuses what is no pointer', () => {
    expect(refusal(plugin, 'compare,ignore=user')).toContain('is no JSON pointer');
  });
});
