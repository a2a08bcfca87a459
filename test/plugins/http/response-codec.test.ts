import { describe, expect, it } from 'vitest';
import { HttpResponseCodec, type HttpResponse } from '../../../plugins/http/index.ts';
import { byteByByte, text } from '../../support/codec-driving.ts';

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello';
const CHUNKED = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3;x\r\nabc\r\n2\r\nde\r\n0\r\nT: v\r\n\r\n';

function tell(r: HttpResponse<string>): string {
  const length = r.bodyLength === r.bodyWireLength ? `${r.bodyLength}` : `${r.bodyLength}/${r.bodyWireLength}`;
  return `${r.request ?? '-'}: ${r.status} ${length}${r.end === 'complete' ? '' : ` ${r.end}`}`;
}

/** Responses to requests given as `METHOD name`, however the bytes are cut. */
function responses(
  requests: readonly string[],
  bytes: string,
  end = false,
): { told: string[]; codec: HttpResponseCodec } {
  const run = (chunks: readonly Uint8Array[]) => {
    const codec = new HttpResponseCodec<string>();
    for (const request of requests) codec.expect(request.split(' ')[0]!, request.split(' ')[1]!);
    const told: string[] = [];
    const drain = () => {
      for (let r = codec.next(); r !== undefined; r = codec.next()) told.push(tell(r));
    };
    for (const chunk of chunks) {
      codec.push(Uint8Array.from([1, ...chunk, 2]), 1, chunk.length);
      drain();
    }
    if (end) codec.end();
    drain();
    return { told, codec };
  };
  const whole = run([text(bytes)]);
  expect(run(byteByByte(text(bytes))).told).toEqual(whole.told);
  return whole;
}

describe('the end of a response', () => {
  it('is its length, or its last chunk', () => {
    const { told, codec } = responses(['GET a', 'GET b', 'GET c'], OK + CHUNKED + OK);
    expect(told).toEqual(['a: 200 5', 'b: 200 5/28', 'c: 200 5']);
    expect([codec.completed, codec.outstanding, codec.reading]).toEqual([3, 0, true]);
    expect(codec.received).toBe(OK.length * 2 + CHUNKED.length);
  });

  it('is the head, where there is no body', () => {
    const bytes = [
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n',
      'HTTP/1.1 204 No Content\r\n\r\n',
      'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n',
      'HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n',
    ];
    const { told, codec } = responses(['HEAD a', 'HEAD b', 'HEAD c', 'GET d', 'GET e', 'GET f'], bytes.join(''));
    expect(told).toEqual(['a: 200 0', 'b: 200 0', 'c: 200 0', 'd: 204 0', 'e: 304 0', 'f: 200 0']);
    expect(codec.reading).toBe(true);
  });

  it('is the end of the connection, where nothing else is said', () => {
    expect(responses(['GET a'], 'HTTP/1.0 200 OK\r\n\r\nabc').told).toEqual([]);
    expect(responses(['GET a'], 'HTTP/1.0 200 OK\r\n\r\nabc', true).told).toEqual(['a: 200 3 closed']);
    const gzip = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc';
    expect(responses(['GET a'], gzip, true).told).toEqual(['a: 200 3 closed']);
  });

  it('may come too early', () => {
    const { told, codec } = responses(['GET a'], OK.slice(0, -1), true);
    expect(told).toEqual(['a: 200 4 truncated']);
    expect(codec.completed).toBe(0);
    expect(responses(['GET a'], OK.slice(0, 10), true).told).toEqual([]);
  });
});

describe('pairing', () => {
  it('informational responses come before the final one', () => {
    const { told, codec } = responses(
      ['POST a', 'GET b'],
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n${OK}${OK}`,
    );
    expect(told).toEqual(['a: 100 0', 'a: 103 0', 'a: 200 5', 'b: 200 5']);
    expect(codec.completed).toBe(2);
  });

  it('many requests may wait', () => {
    const names = Array.from({ length: 200 }, (_, i) => `GET ${i}`);
    const { told, codec } = responses(names, OK.repeat(150));
    expect(told).toEqual(names.slice(0, 150).map((n) => `${n.slice(4)}: 200 5`));
    expect(codec.outstanding).toBe(50);
  });

  it('a response nobody asked for', () => {
    expect(
      responses([], 'HTTP/1.1 408 Request Timeout\r\nContent-Length: 0\r\nConnection: close\r\n\r\n').told,
    ).toEqual(['-: 408 0']);
  });

  it('keeps what the response says', () => {
    const codec = new HttpResponseCodec<string>();
    codec.expect('GET', 'a');
    const bytes = text('HTTP/1.0 404 Not  Found\r\nSet-Cookie: a\r\nset-cookie: b \r\nContent-Length: 0\r\n\r\n');
    codec.push(bytes, 0, bytes.length);
    const r = codec.next()!;
    bytes.fill(0);
    expect([r.reason, r.version, r.keepAlive, r.headLength]).toEqual(['Not  Found', '1.0', false, bytes.length]);
    expect(r.headers.getAll('Set-Cookie')).toEqual(['a', 'b']);
  });
});

describe('what cannot be read', () => {
  it.each([
    ['bytes of something else', ['GET a'], '220 smtp\r\n', 'invalid-constant'],
    [
      'both lengths',
      ['GET a'],
      'HTTP/1.1 200 OK\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n',
      'invalid-transfer-encoding',
    ],
    ['a bad chunk', ['GET a'], 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx', 'invalid-chunk-size'],
  ])('%s', (_, requests, bytes, failure) => {
    const { told, codec } = responses(requests, bytes);
    expect([told, codec.reading, codec.failure]).toEqual([[], false, failure]);
  });

  it('another protocol, after 101 or CONNECT', () => {
    const switching = 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n';
    const { told, codec } = responses(['GET a'], `${switching}${OK}`);
    expect([told, codec.failure]).toEqual([['a: 101 0 upgraded'], 'upgraded']);
    expect(responses(['CONNECT a'], OK).told).toEqual(['a: 200 0 upgraded']);
    expect(responses(['CONNECT a', 'GET b'], OK.replace('200', '407') + OK).told).toEqual(['a: 407 5', 'b: 200 5']);
  });

  it('what follows a response that closes', () => {
    const closing = OK.replace('\r\n\r\n', '\r\nConnection: x, close\r\n\r\n');
    const { told, codec } = responses(['GET a', 'GET b'], closing + OK);
    expect([told, codec.failure, codec.outstanding]).toEqual([['a: 200 5'], 'closing', 0]);
  });

  it('answers to what is not HTTP', () => {
    const codec = new HttpResponseCodec();
    codec.expect('GET', 1);
    codec.abandon();
    codec.expect('GET', 2);
    codec.push(text(OK), 0, OK.length);
    expect([codec.next(), codec.outstanding, codec.failure]).toEqual([undefined, 0, 'not-http']);
  });
});
