import { describe, expect, it } from 'vitest';
import { CHUNKED, Conversation, GET, GOT } from './conversation.ts';

describe('what is not HTTP/1.x', () => {
  const BAD = 'GET /a HTTP/1.1\nHost: x\n\n';

  it('goes through as it is from there on, in turns', () => {
    const c = new Conversation();
    expect(c.push(GET + BAD, 4)).toEqual([`${GOT} (answers 4)`, `^${BAD} (invalid-version)`]);
    expect(c.push(GET)).toEqual([`${GET} (invalid-version)`]);
    expect(c.push(GET, 3)).toEqual([`^${GET} (answers 3, invalid-version)`]);
    expect([...c.settings.stats.unparsable.all]).toEqual([['invalid-version', 1]]);
  });

  it('begins with the bytes that were withheld', () => {
    const c = new Conversation();
    expect(c.push(BAD.slice(0, 9), 6)).toEqual([]);
    expect(c.push(BAD.slice(9))).toEqual([
      `^${BAD.slice(0, 9)} (answers 6, invalid-version)`,
      `${BAD.slice(9)} (invalid-version)`,
    ]);
    expect(c.settings.budget.used).toBe(0);
  });

  it('is refused on wish', () => {
    const c = new Conversation({ unparsable: 'drop' });
    expect(c.push(GET + BAD)).toEqual([GOT, `^${BAD} (invalid-version, refused)`]);
    expect(c.push('x', 2)).toEqual(['^x (answers 2, invalid-version, refused)']);
  });

  it('in a chunked body breaks that message', () => {
    const c = new Conversation({ unparsable: 'drop' });
    expect(c.push(`${CHUNKED}2\r\nab\r\nxx\r\n`)).toEqual([
      `^[POST /c] ${CHUNKED}`,
      '2\r\nab\r\n',
      'xx\r\n (invalid-chunk-size, refused)',
    ]);
  });

  it.each([
    ['both lengths', 'Content-Length: 3\r\nTransfer-Encoding: chunked', 'invalid-transfer-encoding'],
    ['two lengths', 'Content-Length: 3\r\nContent-Length: 3', 'unexpected-content-length'],
    ['a list of lengths', 'Content-Length: 3, 3', 'invalid-content-length'],
    ['a length too long', 'Content-Length: 9999999999999999', 'invalid-content-length'],
    ['a signed length', 'Content-Length: +3', 'invalid-content-length'],
    ['a folded line', 'X: a\r\n b', 'invalid-header-token'],
    ['a space before the colon', 'Content-Length : 3', 'invalid-header-token'],
    ['a bare LF', 'X: a\nY: b', 'cr-expected'],
    ['a bare CR', 'X: a\rY: b', 'lf-expected'],
    ['another coding last', 'Transfer-Encoding: chunked, gzip', 'invalid-transfer-encoding'],
    ['only another coding', 'Transfer-Encoding: gzip', 'invalid-transfer-encoding'],
    ['nearly chunked', 'Transfer-Encoding: xchunked', 'invalid-transfer-encoding'],
    ['two codings', 'Transfer-Encoding: gzip\r\nTransfer-Encoding: chunked', 'invalid-transfer-encoding'],
  ])('%s', (_, fields, reason) => {
    const bytes = `POST / HTTP/1.1\r\nHost: x\r\n${fields}\r\n\r\n`;
    expect(new Conversation().push(bytes)).toEqual([`^${bytes} (${reason})`]);
  });

  it.each([
    ['POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n', 'invalid-transfer-encoding'],
    ['GET /\r\n\r\n', 'other-version'],
    ['GET / HTTP/2.0\r\n\r\n', 'other-version'],
    ['PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'paused-h2-upgrade'],
    ['OPTIONS rtsp://x/ RTSP/1.0\r\n\r\n', 'other-version'],
    ['\x16\x03\x01\x02\x00', 'invalid-method'],
  ])('%j', (bytes, reason) => {
    expect(new Conversation().push(bytes)).toEqual([`^${bytes} (${reason})`]);
  });

  it('nothing may follow Connection: close', () => {
    const closing = 'GET /a HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n';
    const c = new Conversation();
    expect(c.push(`${closing}\r\n`)).toEqual([`^[GET /a] ${closing}$`]);
    expect(c.push(GET)).toEqual(['^\r\n (data-after-close)', `${GET} (data-after-close)`]);
  });
});
