/** Heads read without llhttp are read as llhttp would. */
import { describe, expect, it } from 'vitest';
import fc from 'fast-check';
import { nextInput } from '../../../plugins/http/llhttp-instance.ts';
import { acquireParser, HEAD_ENDS, releaseParser, type LlhttpParser } from '../../../plugins/http/llhttp.ts';

const BEFORE = 'xyz';
const bytesOf = (text: string) => new Uint8Array(Buffer.from(BEFORE + text, 'latin1'));

const facts = (p: LlhttpParser) => ({
  position: p.position,
  method: p.method,
  version: [p.major, p.minor],
  upgrade: p.upgrade,
  keepAlive: p.keepAlive,
  line: [p.lineStart, p.lineEnd],
  spans: [...p.spans.subarray(0, p.spanLength)],
});

/** What is found without llhttp; `undefined`: nothing. What llhttp finds must be the same. */
function readPlain(text: string): ReturnType<typeof facts> | undefined {
  const bytes = bytesOf(text);
  const [plain, whole] = [acquireParser('request'), acquireParser('request')];
  try {
    if (!plain.readPlain(bytes, BEFORE.length, bytes.length)) {
      // And llhttp can go on as if nothing had been tried.
      const stop = plain.feed(nextInput(), bytes, BEFORE.length, bytes.length);
      expect(whole.feed(nextInput(), bytes, BEFORE.length, bytes.length)).toBe(stop);
      expect(plain.position).toBe(whole.position);
      if (stop === HEAD_ENDS) expect(facts(plain)).toEqual(facts(whole));
      return undefined;
    }
    expect(whole.feed(nextInput(), bytes, BEFORE.length, bytes.length)).toBe(HEAD_ENDS);
    const found = facts(plain);
    expect(found).toEqual(facts(whole));
    return found;
  } finally {
    releaseParser(plain);
    releaseParser(whole);
  }
}

const FIELDS = ['Host: a.example', 'X-Empty:no', 'Accept:  */*;q=0.8', 'Cookie: a="b"; c=d e', 'Expect: 100-continue'];
const head = (line: string, ...fields: string[]) => `${[line, ...fields].join('\r\n')}\r\n\r\n`;

describe('plain heads', () => {
  it.each(['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'])(
    'reads %s with what browsers send',
    (method) => {
      const found = readPlain(head(`${method} /a/b%20c;d=e?f=g&h=/?i HTTP/1.1`, ...FIELDS));
      expect(found).toMatchObject({ version: [1, 1], upgrade: false, keepAlive: true });
      expect(found!.spans).toHaveLength(FIELDS.length * 4);
    },
  );

  it('reads a head without fields, and leaves what follows a head', () => {
    expect(readPlain('GET / HTTP/1.1\r\n\r\n')).toMatchObject({ position: BEFORE.length + 18, spans: [] });
    expect(readPlain('GET / HTTP/1.1\r\n\r\nGET /b HTTP/1.1\r\n')).toMatchObject({ position: BEFORE.length + 18 });
  });

  it.each([
    ['Connection: keep-alive', true],
    ['connection: Close', false],
  ])('knows what %s means', (field, keepAlive) => {
    expect(readPlain(head('GET / HTTP/1.1', 'Host: a', field))).toMatchObject({ keepAlive });
  });

  it.each([
    head('GET / HTTP/1.0', 'Host: a'),
    head('GET http://a/ HTTP/1.1', 'Host: a'),
    head('OPTIONS * HTTP/1.1', 'Host: a'),
    head('CONNECT a:1 HTTP/1.1', 'Host: a'),
    head('GET  / HTTP/1.1', 'Host: a'),
    head('GET /# HTTP/1.1', 'Host: a'),
    head('GET / HTTP/1.1', 'Content-Length: 0'),
    head('GET / HTTP/1.1', 'transfer-encoding: chunked'),
    head('GET / HTTP/1.1', 'Upgrade: h2c', 'Connection: Upgrade'),
    head('GET / HTTP/1.1', 'Proxy-Connection: close'),
    head('GET / HTTP/1.1', 'Connection: close, x'),
    head('GET / HTTP/1.1', 'Empty:'),
    head('GET / HTTP/1.1', 'Trailing: blank '),
    head('GET / HTTP/1.1', 'Folded: line', ' more'),
    head('GET / HTTP/1.1', 'Space : before'),
    head('GET / HTTP/1.1', 'Latin: \xe9'),
    '\r\nGET / HTTP/1.1\r\n\r\n',
    'GET / HTTP/1.1\n\n',
    'GET / HTTP/1.1\r\nHost: a\r\n',
    ...Array.from({ length: 30 }, (_, cut) => 'GET / HTTP/1.1\r\nHost: a\r\n\r\n'.slice(0, -1 - cut)).filter(
      (t) => t !== '',
    ),
    head('GET / HTTP/1.1', ...Array.from({ length: 33 }, (_, i) => `F${i}: v`)),
  ])('leaves %j to llhttp', (text) => {
    expect(readPlain(text)).toBeUndefined();
  });

  it('is never of another opinion than llhttp, whatever is put into a head', () => {
    let plain = 0;
    const byte = fc.integer({ min: 0, max: 255 }).map((code) => String.fromCharCode(code));
    const odd = fc.constantFrom(
      '\r',
      '\n',
      '\r\n',
      ' ',
      ':',
      '\t',
      ' close',
      'chunked',
      ',',
      '\0',
      '\x7f',
      '#',
      '',
      'HTTP/1.1',
    );
    const lines = fc.array(
      fc.constantFrom(...FIELDS, 'Connection: close', 'Connection: keep-alive', 'Content-Length: 3'),
    );
    fc.assert(
      fc.property(lines, fc.nat(), fc.oneof(byte, odd), fc.boolean(), (fields, place, put, replaces) => {
        const text = head('GET /path?query HTTP/1.1', ...fields);
        const at = place % (text.length + 1);
        if (readPlain(text.slice(0, at) + put + text.slice(at + (replaces ? put.length : 0))) !== undefined) plain++;
      }),
      { numRuns: 3_000 },
    );
    expect(plain).toBeGreaterThan(200);
  });
});
