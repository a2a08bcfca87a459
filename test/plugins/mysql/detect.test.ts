import { expect, it } from 'vitest';
import { detect } from '../../../plugins/mysql/index.ts';
import { text } from '../../support/codec-driving.ts';
import { about, clientLogin, execute, prepare } from './servers.ts';
import { packet, query } from './transcript.ts';

const verdict = (bytes: Uint8Array) => detect(bytes, 0, bytes.length);

it.each<[string, Uint8Array]>([
  ['a login', clientLogin()],
  ['a statement', query('/* a comment */ select 1')],
  ['the beginning of a long one', query(`insert into t values ('${'x'.repeat(500)}')`).subarray(0, 100)],
  ['a statement that is prepared, and an old one closed', Buffer.concat([about(0x19, 1), prepare('select ?')])],
  ['an execution', execute(1, 7)],
  ['PING', packet(0, 14)],
  ['a compressed frame', Uint8Array.from(Buffer.from('21000000320000789c6360d06528'.padEnd(80, '0'), 'hex'))],
])('%s begins it', (_name, bytes) => {
  expect(verdict(bytes)).toBe('yes');
});

it.each<[string, Uint8Array]>([
  ['a request of HTTP', text('GET / HTTP/1.1\r\n\r\n')],
  ['a command of Redis', text('*1\r\n$4\r\nPING\r\n')],
  ['TLS', text('\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03')],
  ['an answer to a challenge', packet(3, 'online answer 123456')],
  ['text that is no statement', query('frobnicate everything')],
  ['a command with something behind it', Buffer.concat([packet(0, 14), text('x'.repeat(20))])],
  ['a packet of nothing', packet(0)],
  ['an execution of many times', packet(0, 0x17, [1, 0, 0, 0, 0, 9, 9, 9, 9])],
])('%s does not', (_name, bytes) => {
  expect(verdict(bytes)).toBe('no');
});

it('a login that has come in part may be one', () => {
  const login = clientLogin();
  for (let length = 0; length < login.length; length++) expect(verdict(login.subarray(0, length))).not.toBe('no');
});
