import { expect, it } from 'vitest';
import { detect } from '../../../plugins/redis/index.ts';
import { text } from '../../support/codec-driving.ts';
import { resp } from './transcript.ts';

function judged(latin1: string): string {
  const bytes = text(`##${latin1}##`);
  return detect(bytes, 2, bytes.length - 4);
}

it.each([
  resp('GET', 'k'),
  resp('FT.SEARCH', 'i', '*'),
  'PING\r\n',
  'PING\n',
  'ping\r\n',
  'HELLO 3\r\n',
  'INFO server\r\n',
  'SET k v\r\n',
  'AUTH secret\r\n',
  'CONFIG GET maxmemory\r\n',
])('takes %j for Redis', (bytes) => expect(judged(bytes)).toBe('yes'));

it('waits for the beginning of a multibulk request', () => {
  const whole = resp('GET', 'key');
  for (let length = 1; length < 9; length++) expect(judged(whole.slice(0, length))).toBe('more');
  expect(judged(whole.slice(0, 9))).toBe('yes');
});

it.each([
  ['HTTP', 'GET / HTTP/1.1\r\nHost: x\r\n\r\n'],
  ['HTTP without a version', 'GET /index.html\n'],
  ['memcached', 'get key\r\n'],
  ['memcached', 'set key 0 0 5\r\nhello\r\n'],
  ['memcached', 'incr key 1\r\n'],
  ['SMTP', 'EHLO example.com\r\n'],
  ['SMTP', 'AUTH PLAIN\r\n'],
  ['SMTP, POP3, FTP', 'QUIT\r\n'],
  ['FTP', 'USER anonymous\r\n'],
  ['TLS', '\x16\x03\x01\x00\xc4\x01\x00'],
  ['MySQL', '\x20\x00\x00\x01\x85\xa6\x3f\x20'],
  ['a list', '* item\r\n'],
  ['a count that is none', '*0\r\n'],
  ['an array of something else', '*1\r\n:1\r\n'],
  ['a line that is not whole', 'PING'],
  ['text', 'hello world\r\n'],
  ['an empty line', '\r\n'],
])('does not take %s for Redis: %j', (what, bytes) => {
  // HTTP/0.9 is a GET with one argument, as Redis's is; with Redis alone it is no loss to read it so.
  expect(judged(bytes)).toBe(what === 'HTTP without a version' ? 'yes' : 'no');
});
