import { describe, expect, it } from 'vitest';
import { detect } from '../../../plugins/http/index.ts';
import { text } from '../../support/codec-driving.ts';

function judge(latin1: string) {
  const bytes = text(`xx${latin1}yy`);
  return detect(bytes, 2, latin1.length);
}

describe('the first bytes of a connection', () => {
  it.each([
    'GET / HTTP/1.1\r\n',
    'GET / HTTP/1.0',
    '\r\nPOST /a?b#c HTTP/1.1\r\nHost: x',
    'OPTIONS * HTTP/1.1\r\n',
    'GET http://x/ HTTP/1.1\r\n',
    'CONNECT x:443 HTTP/1.1\r\n',
    'CONNECT [::1]:443 HTTP/1.1\r\n',
    'M-SEARCH * HTTP/1.1\r\n',
  ])('%j: yes', (bytes) => {
    expect(judge(bytes)).toBe('yes');
    // Every beginning of it may still become one.
    for (let length = 0; length < bytes.indexOf(' HTTP/1.') + 9; length++) {
      expect([length, judge(bytes.slice(0, length))]).toEqual([length, 'more']);
    }
  });

  it.each([
    'GET / HTTP/2.0\r\n',
    'GET / HTTP/1.2\r\n',
    'GET /\r\n',
    'GET key\r\n',
    'get / HTTP/1.1\r\n',
    'GETT / HTTP/1.1\r\n',
    'GET  / HTTP/1.1\r\n',
    'GET "x" HTTP/1.1\r\n',
    'OPTIONS sip:x SIP/2.0\r\n',
    'OPTIONS rtsp://x RTSP/1.0\r\n',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
    '*1\r\n$4\r\nPING\r\n',
    'SSH-2.0-x\r\n',
    '\x16\x03\x01',
    'HTTP/1.1 200 OK\r\n',
  ])('%j: no', (bytes) => {
    expect(judge(bytes)).toBe('no');
  });

  it('waits for the end of a line only so long', () => {
    expect(judge(`GET /${'a'.repeat(10_000)}`)).toBe('more');
    expect(judge(`GET /${'a'.repeat(20_000)}`)).toBe('no');
  });
});
