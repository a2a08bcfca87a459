import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../plugins/http/index.ts';
import { JsonText, type HttpJson } from '../../../plugins/http/json.ts';
import { text } from '../../support/codec-driving.ts';
import { feed } from './transcript.ts';

/** `given` after `edit`. */
function edited(given: string, edit: (json: HttpJson) => unknown): string {
  let now = given;
  const json = JsonText.read(Buffer.from(given), (bytes) => (now = Buffer.from(bytes).toString()));
  expect(json, given).toBeDefined();
  edit(json!);
  return now;
}

const ODD = ' {"a" : 1.0e0,\n "b":[ 1 ,2, {"c":"\\u0041"} ] , "a":12345678901234567890, "":null,"x/y~z":{} }\n';

describe('JSON in a body', () => {
  it.each([
    ['/b/0', 1],
    ['/b/2/c', 'A'],
    ['/b', [1, 2, { c: 'A' }]],
    ['/', null],
    ['/x~1y~0z', {}],
    ['/a', Number('12345678901234567890')],
    ['/b/3', undefined],
    ['/b/-', undefined],
    ['/b/00', undefined],
    ['/c', undefined],
    ['/a/b', undefined],
    ['/__proto__', undefined],
  ])('get %s', (pointer, value) => {
    edited(ODD, (json) => expect(json.get(pointer)).toEqual(value));
  });

  it.each([
    ['/b/2/c', 'é"', ODD.replace('"\\u0041"', '"é\\""')],
    ['/b/0', null, ODD.replace('[ 1 ,', '[ null ,')],
    ['/b/-', 3, ODD.replace('"} ]', '"},3 ]')],
    ['/b/3', [], ODD.replace('"} ]', '"},[] ]')],
    ['/b/4', 1, ODD],
    ['/x~1y~0z/n', 1, ODD.replace('{} }', '{"n":1} }')],
    ['/new', { q: 1 }, ODD.replace('{} }', '{},"new":{"q":1} }')],
    ['/b', 0, ODD.replace('[ 1 ,2, {"c":"\\u0041"} ]', '0')],
    ['/a', 0, ODD.replace('1.0e0', '0').replace('12345678901234567890', '0')],
    ['', 5, ' 5\n'],
    ['/no/where', 1, ODD],
    ['/a/b', 1, ODD],
  ])('set %s to %j', (pointer, value, after) => {
    expect(edited(ODD, (json) => expect(json.set(pointer, value)).toBe(after !== ODD))).toBe(after);
  });

  it.each([
    ['{"a":1,"b":2,"c":3}', ['/a'], '{"b":2,"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['/b'], '{"a":1,"c":3}'],
    ['{"a":1,"b":2,"c":3}', ['/c'], '{"a":1,"b":2}'],
    ['{"a":1,"b":2,"c":3}', ['/a', '/c'], '{"b":2}'],
    ['{ "a" : 1 , "a" : 2 }', ['/a'], '{  }'],
    ['[1, [2, 3], 4]', ['/1/0'], '[1, [3], 4]'],
    ['[1, [2, 3], 4]', ['/1'], '[1, 4]'],
    ['[1]', ['/0'], '[]'],
    ['{"a":1}', ['/b', '/a/b'], '{"a":1}'],
  ])('%s without %j', (given, pointers, after) => {
    expect(edited(given, (json) => pointers.forEach((pointer) => json.delete(pointer)))).toBe(after);
  });

  it('is none where it is none, or too deep', () => {
    const bytes = [...['', '{', '[1,]', "{'a':1}", 'NaN', '{"a":1}x', '\ufeff{}', '"\t"'].map((t) => Buffer.from(t))];
    bytes.push(Buffer.from([0x22, 0xff, 0x22]), Buffer.from('['.repeat(1_001) + ']'.repeat(1_001)));
    for (const content of bytes) expect(JsonText.read(content, () => undefined)).toBeUndefined();
    expect(JsonText.read(Buffer.from('['.repeat(1_000) + ']'.repeat(1_000)), () => undefined)).toBeDefined();
  });

  it('refuses pointers and values that are none', () => {
    edited('{}', (json) => {
      for (const wrong of ['a', '/~', '/~2', '#/a']) expect(() => json.get(wrong)).toThrow('not a JSON pointer');
      expect(() => json.set('/a', undefined)).toThrow('not a JSON value');
      expect(() => json.delete('')).toThrow('cannot be removed');
      expect(() => json.edit(() => 'remove')).toThrow('cannot be removed');
    });
  });

  it('edited is what a dull edit of its value makes of it', () => {
    const model = (value: unknown): unknown => {
      if (Array.isArray(value)) return value.filter((item) => item !== 'gone').map(model);
      if (typeof value !== 'object' || value === null) return value === 'other' ? { put: 1 } : value;
      const kept = Object.entries(value).filter(([key, item]) => key !== 'gone' && item !== 'gone');
      return Object.fromEntries(kept.map(([key, item]) => [key, key === 'other' ? { put: 1 } : model(item)]));
    };
    const key = fc.constantFrom('gone', 'other', 'a', 'b', '"', '\\', '/~');
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'medium' },
        fc.constantFrom<unknown>(1, -0.5, 'other', 'gone', '\\"', null, true, ''),
        fc.array(tie('tree'), { maxLength: 5 }),
        fc.dictionary(key, tie('tree'), { maxKeys: 5 }),
      ),
    }));
    fc.assert(
      fc.property(fc.array(tree), fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
        const given = JSON.stringify(value, undefined, indent);
        const after = edited(given, (json) =>
          json.edit((path, read) => {
            if (path.length === 0) return 'keep';
            const last = path.at(-1);
            if (last === 'gone' || read() === 'gone') return 'remove';
            return last === 'other' || read() === 'other' ? { value: { put: 1 } } : 'keep';
          }),
        );
        expect(JSON.parse(after)).toEqual(JSON.parse(JSON.stringify(model(value))));
      }),
    );
  });
});

describe('a request with JSON', () => {
  const request = (fields: string, body: string): HttpRequest => {
    const bytes = Buffer.byteLength(body);
    const chunks = fields.includes('chunked') ? `${bytes.toString(16)}\r\n${body}\r\n0\r\n\r\n` : body;
    const length = fields.includes('chunked') ? '' : `Content-Length: ${bytes}\r\n`;
    const { messages } = feed([text(`POST / HTTP/1.1\r\nHost: x\r\n${length}${fields}\r\n${chunks}`)], {
      settings: { wantsBody: () => true },
    });
    return messages[0]!.request;
  };
  const written = (r: HttpRequest): string => Buffer.from(r.serialize()).toString('latin1');

  it('has its length fixed, or its chunks', () => {
    const plain = request('', '{"a":1}');
    expect(plain.json!.set('/a', 'long')).toBe(true);
    expect(written(plain)).toBe('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 12\r\n\r\n{"a":"long"}');
    const chunked = request('Transfer-Encoding: chunked\r\n', '{"a":1}');
    expect(chunked.json!.delete('/a')).toBe(true);
    expect(written(chunked)).toMatch(/\r\n\r\n2\r\n\{\}\r\n0\r\n\r\n$/);
    expect(plain.json!.get('/a')).toBe('long');
  });

  it('is left alone where nothing changes, is encoded, or is none', () => {
    const r = request('', '{ "a":1 }');
    expect(r.json!.set('/b/c', 1)).toBe(false);
    expect(r.changed).toBe(false);
    expect(request('Content-Encoding: gzip\r\n', '{}').json).toBeUndefined();
    expect(request('Content-Encoding: Identity\r\n', '{}').json).toBeDefined();
    expect(request('', 'a=b').json).toBeUndefined();
    expect(request('', '').json).toBeUndefined();
  });
});
