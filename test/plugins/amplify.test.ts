import { describe, expect, it } from 'vitest';
import plugin from '../../plugins/amplify/index.ts';
import { ownValue } from '../../plugins/amplify/own-value.ts';
import sample from '../../plugins/sample/index.ts';
import { PluginRig, refusal, request } from './plugin-rig.ts';

const CONNECTIONS = 2_000;

const copies = async (text: string, seed = 1, connections = CONNECTIONS): Promise<number[]> => {
  const rig = await PluginRig.start([[plugin, text]], { seed, opaque: true });
  return Array.from({ length: connections }, (_, i) => rig.connect('192.0.2.1', 1_024 + i).plan!.copyCount!);
};

describe('amplify', () => {
  it('sends every connection as often as a whole factor says', async () => {
    expect(new Set(await copies('amplify=3'))).toEqual(new Set([3]));
    expect(new Set(await copies('amplify=1'))).toEqual(new Set([1]));
    expect(new Set(await copies('amplify=1023', 1, 5))).toEqual(new Set([1023]));
  });

  it('sends the share that a fraction says once more', async () => {
    const counts = await copies('amplify=2.25');
    expect(new Set(counts)).toEqual(new Set([2, 3]));
    const mean = counts.reduce((sum, n) => sum + n, 0) / CONNECTIONS;
    // Six standard deviations.
    expect(Math.abs(mean - 2.25)).toBeLessThan(6 * Math.sqrt((0.25 * 0.75) / CONNECTIONS));
  });

  it('chooses the same for the same seed, and of fewer only such that are among more', async () => {
    const half = await copies('amplify=2.5');
    expect(await copies('amplify=2.5')).toEqual(half);
    expect(await copies('amplify=2.5,seed=1', 5)).toEqual(half);
    expect(await copies('amplify=2.5', 2)).not.toEqual(half);
    const fifth = await copies('amplify=2.2');
    expect(fifth.every((n, i) => n <= half[i]!)).toBe(true);
  });

  it('counts what others leave out as often as it would have been sent', async () => {
    const rig = await PluginRig.start([
      [sample, 'sample=0%'],
      [plugin, 'amplify=3'],
    ]);
    rig.connect().send(request('GET /'));
    expect((await rig.finish()).units).toEqual({ 'sampled-out': 3 });
  });

  it('holds copies back, each of a connection by a time of its own, whatever the protocol', async () => {
    for (const options of ['', ',unique=header:Id']) {
      const rig = await PluginRig.start([[plugin, `amplify=3,jitter=100ms${options}`]]);
      const one = rig.connect();
      const [a, b] = [request('GET /a', 'Id: 1'), request('GET /b')];
      expect(one.send(a + b)).toBe(a + b);
      expect([one.sent(1).length, one.sent(2).length]).toEqual([0, 0]);
      const times = [0, 0];
      for (let ms = 1; ms <= 101; ms++) {
        await rig.pass(1);
        times.forEach((time, i) => (times[i] = time === 0 && one.sent(i + 1).length > 0 ? ms : time));
      }
      expect(times.every((time) => time > 0)).toBe(true);
      expect(times[0]).not.toBe(times[1]);
      expect([one.sent(1).length, one.sent(2).length]).toEqual([a.length + b.length, a.length + b.length]);
      expect((await rig.finish()).balanced).toBe(true);
    }
  });

  describe('unique', () => {
    const run = async (unique: string, given: string): Promise<string[]> => {
      const rig = await PluginRig.start([[plugin, `amplify=3,unique=${unique}`]]);
      const connection = rig.connect();
      connection.send(given);
      expect(rig.lines).toEqual([]);
      return [0, 1, 2].map((copy) => connection.sent(copy).toString('latin1'));
    };

    it('gives each copy but the first its own header field, parameter, and JSON value', async () => {
      const id = '3f2504e0-4f89-41d3-9a0c-0305e82c3301';
      const body = `{"order" : {"id":4711, "big":12345678901234567890},"key":"${id}"}`;
      const given = [
        request('GET /?token=xB3&x=%20', `X-Request-Id: ${id}`, 'A:  b'),
        `${request('POST /', 'Content-Type: application/json', `Content-Length: ${body.length}`)}${body}`,
        request('GET /', 'A: b'),
      ].join('');
      const sent = await run('header:x-request-id,query:token,json:/order/id,json:/key', given);
      const shape =
        /^GET \/\?token=([a-z][A-Z]\d)&x=%20 HTTP\/1\.1\r\nHost: shop\r\nX-Request-Id: ([0-9a-f-]{36})\r\nA: {2}b\r\n\r\nPOST .*\r\n\r\n\{"order" : \{"id":([1-9]\d{3}), "big":12345678901234567890\},"key":"([0-9a-f-]{36})"\}GET \/ HTTP\/1.1\r\nHost: shop\r\nA: b\r\n\r\n$/s;
      const values = sent.map((text) => shape.exec(text)?.slice(1) ?? []);
      expect(sent[0]).toBe(given);
      expect(values[0]).toEqual(['xB3', id, '4711', id]);
      for (const place of [0, 1, 2, 3]) expect(new Set(values.map((each) => each[place])).size).toBe(3);
      // The same value is the same copy's wherever it comes back, and the version of a UUID stays.
      for (const each of values) expect(each[1]).toBe(each[3]);
      for (const each of values) expect(each[1]).toMatch(/^.{8}-.{4}-4.{3}-9/);
      expect(await run('header:x-request-id,query:token,json:/order/id,json:/key', given)).toEqual(sent);
    });

    it('changes chunked bodies and heads of streaming ones, and keeps everything else', async () => {
      const chunked = `${request('POST /', 'Transfer-Encoding: chunked', 'Content-Type: application/json', 'Id: 77')}8\r\n{"id":"a\r\n3\r\nb"}\r\n0\r\n\r\n`;
      const upload = `${request('PUT /', 'Content-Length: 9', 'Id: 78')}streaming`;
      const odd = 'GET / HTTP/1.1\r\nId : 79\r\n\r\n';
      const sent = await run('header:id,json:/id', chunked + upload + odd);
      expect(sent[0]).toBe(chunked + upload + odd);
      for (const text of sent.slice(1)) {
        expect(text).toMatch(
          /Id: \d\d\r\n\r\nb\r\n\{"id":"[a-z]{2}"\}\r\n0\r\n\r\nPUT .*Id: \d\d\r\n\r\nstreamingGET/s,
        );
        expect(text).toMatch(/Id : 79\r\n\r\n$/);
        expect(text).not.toMatch(/Id: 7[78]\r\n.*Id: 7[78]\r\n/s);
      }
    });

    it('counts bodies that it cannot read, which all copies send alike', async () => {
      const rig = await PluginRig.start([[plugin, 'amplify=2,unique=json:/id']]);
      const connection = rig.connect();
      const json = 'Content-Type: application/json';
      const given = [
        `${request('POST /', json, 'Content-Length: 8')}{"id":1,`,
        `${request('POST /', json, 'Content-Length: 8', 'Content-Encoding: gzip')}{"id":1}`,
        request('GET /', json),
      ];
      for (const each of given) connection.send(each);
      expect(connection.sent(1).toString()).toBe(given.join(''));
      expect(rig.figures('amplify')).toEqual({ 'bodies not read': 2 });
    });

    it('values have the shape of what they stand for', () => {
      for (const value of ['0', '7', '100', 'deadBEEF01', 'Order-99/x_é', '', '---', 'z'.repeat(200)]) {
        const own = ownValue(1, 1, value);
        const kinds = (text: string) =>
          text.replaceAll(/[0-9]/g, '0').replaceAll(/[a-z]/g, 'a').replaceAll(/[A-Z]/g, 'A');
        expect(own).toHaveLength(value.length);
        if (!value.startsWith('dead')) expect(kinds(own)).toBe(kinds(value));
        else expect(own).toMatch(/^[0-9a-fA-F]{10}$/);
      }
      expect(ownValue(1, 1, '100')).toMatch(/^[1-9]/);
      expect(ownValue(1, 1, 'z'.repeat(200)).slice(64)).toBe('z'.repeat(136));
      const many = new Set(Array.from({ length: 2_000 }, (_, i) => ownValue(1, 1 + (i % 3), `request-${100_000 + i}`)));
      expect(many.size).toBe(2_000);
    });
  });

  it('refuses wrong options', () => {
    expect(refusal(plugin, 'amplify=2,unique=cookie:a')).toContain(
      `'cookie:a' is not header:NAME, query:NAME or json:`,
    );
    expect(refusal(plugin, 'amplify=2,unique=json:a')).toContain(`'json:a' is not`);
    expect(refusal(plugin, 'amplify=2,jitter=2h')).toContain('jitter=2h: must be at most 1h');
    expect(refusal(plugin, 'amplify')).toContain('factor: is required');
    for (const wrong of ['0', '0.5', '-1', '1024', '1023.5', 'many']) {
      expect(refusal(plugin, `amplify=${wrong}`)).toContain(`factor=${wrong}`);
    }
  });
});
