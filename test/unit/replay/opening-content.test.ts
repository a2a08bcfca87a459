import { expect, it } from 'vitest';
import { clientByContent, isCommand, senderOf } from '../../../src/replay/opening-content.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';

it.each([
  ['GET / HTTP/1.1\r\n', 'client'],
  ['DELETE /item', 'client'],
  ['PRI * HTTP/2.0\r\n', 'client'],
  ['HTTP/1.1 200 OK\r', 'server'],
  ['+OK\r\n', 'server'],
  ['J\0\0\0\n8.0.36\0', 'server'],
  ['GETTING', undefined],
  ['*1\r\n$4\r\nPING', undefined],
  ['', undefined],
])('of %j the sender is the %s', (opening, sender) => {
  expect(senderOf(opening)).toBe(sender);
});

it('a Redis command may be a reply where Redis is known to be', () => {
  expect(isCommand('*2\r\n$3\r\nGET', 9_000)).toBe(true);
  expect(isCommand('*2\r\n$3\r\nGET', 6_379)).toBe(false);
  expect(isCommand('*0\r\n', 9_000)).toBe(false);
});

it('reads the payload of the first segment, whichever way it goes', () => {
  expect(clientByContent(c({ seq: 1, ack: 1, data: 'POST /form HTTP/1.1\r\n' }))).toBe('source');
  expect(clientByContent(s({ seq: 1, ack: 1, data: 'HTTP/1.1 200 OK\r\n' }))).toBe('destination');
  expect(clientByContent(c({ seq: 1, ack: 1, data: 'x' }))).toBeUndefined();
  expect(clientByContent(c({ seq: 1, ack: 1 }))).toBeUndefined();
});
