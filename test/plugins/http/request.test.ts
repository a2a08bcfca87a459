import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { HttpRequest } from '../../../plugins/http/index.ts';
import { text } from '../../support/codec-driving.ts';
import { feed } from './transcript.ts';

const HOLD = { wantsBody: () => true };

/** The request that `latin1` is, bodies held. */
function request(latin1: string): HttpRequest {
  const { messages } = feed([text(latin1)], { settings: HOLD });
  expect(messages.length).toBe(1);
  return messages[0]!.request;
}

function written(r: HttpRequest): string {
  return Buffer.from(r.serialize()).toString('latin1');
}

/** A request with these header lines, and what it is written as after `edit`. */
function edited(fields: string, edit: (r: HttpRequest) => void): string {
  const r = request(`\r\nGET  /a/b?x=1&y=%20z#f HTTP/1.1\r\nhOST:x.example \r\n${fields}\r\n`);
  edit(r);
  return written(r);
}

const START = '\r\nGET  /a/b?x=1&y=%20z#f HTTP/1.1\r\nhOST:x.example \r\n';
const FIELDS = 'A: 1\r\nX-Y:\t two  \r\na:3\r\nEmpty:\r\n';

describe('reading', () => {
  it('tells what is there', () => {
    const r = request(`${START}${FIELDS}Connection: close\r\n\r\n`);
    expect([r.method, r.target, r.path, r.version, r.host]).toEqual([
      ...['GET', '/a/b?x=1&y=%20z#f', '/a/b', '1.1', 'x.example'],
    ]);
    expect([...r.headers]).toEqual([
      ['hOST', 'x.example'],
      ['A', '1'],
      ['X-Y', 'two'],
      ['a', '3'],
      ['Empty', ''],
      ['Connection', 'close'],
    ]);
    expect([r.headers.get('a'), r.headers.getAll('A'), r.headers.get('none')]).toEqual(['1', ['1', '3'], undefined]);
    expect([r.headers.has('x-y'), r.headers.has('z'), r.headers.size]).toEqual([true, false, 6]);
    expect([...r.query]).toEqual([
      ['x', '1'],
      ['y', ' z'],
    ]);
    expect([r.keepAlive, r.changed, r.contentLength, r.chunked, r.body?.length]).toEqual([
      ...[false, false, undefined, false, 0],
    ]);
  });

  it.each([
    ['HTTP/1.0', '', false],
    ['HTTP/1.0', 'Connection: keep-alive\r\n', true],
    ['HTTP/1.1', '', true],
    ['HTTP/1.1', 'Connection: x, Close\r\n', false],
    ['HTTP/1.1', 'Connection: close\r\nConnection: keep-alive\r\n', false],
  ])('%s %j keeps the connection: %s', (version, fields, keepAlive) => {
    expect(request(`GET / ${version}\r\n${fields}\r\n`).keepAlive).toBe(keepAlive);
  });

  it('an absolute target names the host', () => {
    const r = request('GET http://u@y.example:81?q HTTP/1.1\r\nHost: x\r\n\r\n');
    expect([r.host, r.path, r.query.has('q')]).toEqual(['y.example:81', '', true]);
  });
});

describe('editing', () => {
  it('parts of a target that names no host, as some clients send, keeps the rest', () => {
    const r = request('GET http:///p?b=1 HTTP/1.1\r\nHost: x\r\n\r\n');
    r.query.set('b', 'v w');
    expect(r.target).toBe('http:///p?b=v%20w');
    r.path = '/q';
    expect(written(r)).toBe('GET http:///q?b=v%20w HTTP/1.1\r\nHost: x\r\n\r\n');
  });

  it('nothing changes nothing', () => {
    expect(edited(FIELDS, () => undefined)).toBe(`${START}${FIELDS}\r\n`);
    expect(edited(FIELDS, (r) => r.headers.set('x-y', 'two'))).toBe(`${START}${FIELDS}\r\n`);
  });

  it('set keeps place and spelling, and removes the other lines of that name', () => {
    expect(edited(FIELDS, (r) => r.headers.set('a', '9'))).toBe(`${START}A: 9\r\nX-Y:\t two  \r\nEmpty:\r\n\r\n`);
    expect(edited(FIELDS, (r) => r.headers.set('x-y', '9'))).toBe(`${START}A: 1\r\nX-Y:\t 9\r\na:3\r\nEmpty:\r\n\r\n`);
    expect(edited(FIELDS, (r) => r.headers.set('EMPTY', '9'))).toBe(
      `${START}A: 1\r\nX-Y:\t two  \r\na:3\r\nEmpty:9\r\n\r\n`,
    );
  });

  it('add and delete', () => {
    expect(edited(FIELDS, (r) => r.headers.add('A', ' 4 '))).toBe(`${START}${FIELDS}A: 4\r\n\r\n`);
    expect(edited(FIELDS, (r) => r.headers.delete('A'))).toBe(`${START}X-Y:\t two  \r\nEmpty:\r\n\r\n`);
    expect(edited(FIELDS, (r) => expect(r.headers.delete('z')).toBe(false))).toBe(`${START}${FIELDS}\r\n`);
  });

  it('host, method, path, query', () => {
    const line = (edit: (r: HttpRequest) => void) => edited('', edit).slice(2).split('\r\n', 2);
    expect(line((r) => (r.host = 'z'))).toEqual(['GET  /a/b?x=1&y=%20z#f HTTP/1.1', 'hOST:z']);
    expect(line((r) => (r.method = 'DELETE'))[0]).toBe('DELETE  /a/b?x=1&y=%20z#f HTTP/1.1');
    expect(line((r) => (r.path = '/c'))[0]).toBe('GET  /c?x=1&y=%20z#f HTTP/1.1');
    expect(line((r) => (r.target = '/d'))[0]).toBe('GET  /d HTTP/1.1');
    expect(line((r) => r.query.set('x', 'ä&='))[0]).toBe('GET  /a/b?x=%C3%A4%26%3D&y=%20z#f HTTP/1.1');
    expect(line((r) => r.query.add('k y', ''))[0]).toBe('GET  /a/b?x=1&y=%20z&k%20y=#f HTTP/1.1');
    expect(line((r) => r.query.delete('x'))[0]).toBe('GET  /a/b?y=%20z#f HTTP/1.1');
    expect(line((r) => [r.query.delete('x'), r.query.delete('y')])[0]).toBe('GET  /a/b#f HTTP/1.1');
  });

  it('the host of an absolute target, too', () => {
    const r = request('GET http://u@y:81/p HTTP/1.1\r\nHost: x\r\n\r\n');
    r.host = 'z:82';
    expect(written(r)).toBe('GET http://u@z:82/p HTTP/1.1\r\nHost: z:82\r\n\r\n');
    r.host = "a$&$'";
    expect(r.target).toBe("http://u@a$&$'/p");
  });

  it.each([
    ['a header name', (r: HttpRequest) => r.headers.add('a b', '')],
    ['a line end', (r: HttpRequest) => r.headers.set('a', 'x\r\nY: z')],
    ['a control character', (r: HttpRequest) => r.headers.set('a', '\0')],
    ['beyond Latin-1', (r: HttpRequest) => r.headers.set('a', '€')],
    ['Content-Length', (r: HttpRequest) => r.headers.set('content-length', '0')],
    ['Transfer-Encoding', (r: HttpRequest) => r.headers.delete('Transfer-encoding')],
    ['a method', (r: HttpRequest) => (r.method = 'GET /')],
    ['CONNECT', (r: HttpRequest) => (r.method = 'CONNECT')],
    ['a target', (r: HttpRequest) => (r.target = '/a b')],
    ['a relative target', (r: HttpRequest) => (r.target = 'a')],
    ['a path', (r: HttpRequest) => (r.path = '/a?b')],
    ['a path beyond ASCII', (r: HttpRequest) => (r.path = '/ä')],
    ['a host with a line end', (r: HttpRequest) => (r.host = 'a\r\nb')],
    // Of plugins that no compiler has seen.
    ['a value that is no text', (r: HttpRequest) => r.headers.set('a', undefined as never)],
    ['a name that is no text', (r: HttpRequest) => r.headers.add(5 as never, 'a')],
    ['a method that is no text', (r: HttpRequest) => (r.method = 5 as never)],
    ['a body of text', (r: HttpRequest) => (r.body = 'text' as never)],
  ])('refuses %s', (_, edit) => {
    const r = request('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n');
    expect(() => edit(r)).toThrow(TypeError);
    expect(r.changed).toBe(false);
  });

  it('a clone goes its own way', () => {
    const r = request('GET /a HTTP/1.1\r\nHost: x\r\n\r\n');
    r.headers.add('A', '1');
    const copy = r.clone();
    copy.headers.set('A', '2');
    copy.path = '/b';
    copy.body = text('hi');
    expect(written(r)).toBe('GET /a HTTP/1.1\r\nHost: x\r\nA: 1\r\n\r\n');
    expect(written(copy)).toBe('GET /b HTTP/1.1\r\nHost: x\r\nA: 2\r\nContent-Length: 2\r\n\r\nhi');
  });
});

describe('taking changes back', () => {
  it('leads to how things stood', () => {
    const bytes = 'POST /a?b HTTP/1.1\r\nHost: x\r\nA: 1\r\nContent-Length: 2\r\n\r\nhi';
    const change = (r: HttpRequest, n: number) => {
      r.headers.set('A', `${n}`);
      r.headers.add('B', 'b');
      r.headers.delete('Host');
      r.path = `/${n}`;
      r.method = `M${n}`;
      r.body = text(`body ${n}`);
    };
    const r = request(bytes);
    const start = r.checkpoint();
    change(r, 1);
    const [between, then] = [r.checkpoint(), written(r)];
    change(r, 2);
    expect(written(r)).not.toBe(then);
    r.revert(between);
    expect(written(r)).toBe(then);
    r.revert(start);
    expect([written(r), r.changed, r.path, r.headers.get('A')]).toEqual([bytes, false, '/a', '1']);
  });
});

describe('bodies', () => {
  it('a new one fixes the length', () => {
    const r = request('POST / HTTP/1.1\r\ncontent-length:  3\r\nA: b\r\n\r\nabc');
    r.body = text('hello');
    expect(written(r)).toBe('POST / HTTP/1.1\r\ncontent-length:  5\r\nA: b\r\n\r\nhello');
    expect(r.contentLength).toBe(5);
    r.body = text('');
    expect(written(r)).toBe('POST / HTTP/1.1\r\ncontent-length:  0\r\nA: b\r\n\r\n');
  });

  it('a new one is chunked anew, and trailers stay', () => {
    const r = request('POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nT: v \r\nU:w\r\n\r\n');
    expect(Buffer.from(r.body!).toString()).toBe('abc');
    r.headers.add('X', '1');
    const head = 'POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\nX: 1\r\n\r\n';
    expect(written(r)).toBe(`${head}3\r\nabc\r\n0\r\nT: v \r\nU:w\r\n\r\n`);
    r.body = text('0123456789abcdef');
    expect(written(r)).toBe(`${head}10\r\n0123456789abcdef\r\n0\r\nT: v \r\nU:w\r\n\r\n`);
    r.body = text('');
    expect(written(r)).toBe(`${head}0\r\nT: v \r\nU:w\r\n\r\n`);
  });

  it('of a request that had none gets a length', () => {
    const r = request('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
    r.body = text('');
    expect(written(r)).toBe('POST / HTTP/1.1\r\nHost: x\r\n\r\n');
    r.body = text('abc');
    expect(written(r)).toBe('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabc');
  });

  it('that stream past cannot be read or set', () => {
    const { messages, bytes } = feed([text('POST / HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc')], {
      edit: (r) => {
        expect(r.body).toBeUndefined();
        expect(() => (r.body = text('x'))).toThrow('ask for it first');
        r.headers.set('A', 'b');
      },
    });
    expect(messages[0]?.request.contentLength).toBe(3);
    expect(Buffer.from(bytes).toString()).toBe('POST / HTTP/1.1\r\nContent-Length: 3\r\nA: b\r\n\r\nabc');
  });
});

describe('whatever is edited', () => {
  const name = fc.constantFrom('A', 'a', 'B-c', 'b-C', 'X_y', 'Host', 'COOKIE');
  const value = fc.stringMatching(/^[!-~äÿ]([\t -~]{0,8}[!-~])?$/);
  const field = fc.record({
    name,
    value: fc.oneof(value, fc.constant('')),
    before: fc.constantFrom('', ' ', '\t', '  '),
    after: fc.constantFrom('', ' ', '\t '),
  });
  const edit = fc.record({ op: fc.constantFrom('set', 'add', 'delete'), name, value });

  /** The dull model: lines of text. */
  interface ModelLine {
    readonly name: string;
    readonly text: string;
    readonly start: string;
    readonly value: string;
  }

  it('only that differs', () => {
    fc.assert(
      fc.property(fc.array(field, { maxLength: 8 }), fc.array(edit, { maxLength: 4 }), (fields, edits) => {
        let model: ModelLine[] = fields.map(({ name, value, before, after }) => {
          const start = `${name}:${before}${value === '' ? after : ''}`;
          return { name, start, value, text: `${start}${value}${value === '' ? '' : after}` };
        });
        const r = request(`GET / HTTP/1.1\r\n${model.map((l) => `${l.text}\r\n`).join('')}\r\n`);
        for (const { op, name, value } of edits) {
          const same = (l: ModelLine) => l.name.toLowerCase() === name.toLowerCase();
          const fresh = { name, start: `${name}: `, value, text: `${name}: ${value}` };
          const first = model.find(same);
          if (op === 'delete') {
            r.headers.delete(name);
            model = model.filter((l) => !same(l));
          } else if (op === 'add' || first === undefined) {
            if (op === 'add') r.headers.add(name, value);
            else r.headers.set(name, value);
            model = [...model, fresh];
          } else {
            r.headers.set(name, value);
            const changed = first.value === value ? first : { ...first, value, text: first.start + value };
            model = model.flatMap((l) => (l === first ? [changed] : same(l) ? [] : [l]));
          }
        }
        expect(written(r)).toBe(`GET / HTTP/1.1\r\n${model.map((l) => `${l.text}\r\n`).join('')}\r\n`);
        expect([...r.headers]).toEqual(model.map((l) => [l.name, l.value]));
        expect([...request(written(r)).headers]).toEqual([...r.headers]);
      }),
      { numRuns: 1000 },
    );
  });
});
