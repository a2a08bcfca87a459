import { expect, it } from 'vitest';
import { messageText, requestText } from '../../../src/report/request-text.ts';

const text = (message: string) => {
  const bytes = Buffer.from(`<<${message}>>`, 'latin1');
  return requestText(bytes, 2, message.length);
};

it.each([
  ['GET /a?b=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n', 'GET shop.example/a?b=1'],
  ['GET /a HTTP/1.1\r\nX: 1\r\nhOST:shop.example:8080 \r\n\r\n', 'GET shop.example:8080/a'],
  ['GET http://b.example/a HTTP/1.1\r\nHost: shop.example\r\n\r\n', 'GET http://b.example/a'],
  ['OPTIONS * HTTP/1.0\r\nHost: a\r\n\r\n', 'OPTIONS a*'],
  ['POST /a HTTP/1.1\r\nX: 1\r\n\r\nHost: b', 'POST /a'],
  ['GET /\x1b[2J\xe9 HTTP/1.1\r\n\r\n', 'GET /\\x1b[2J\\xe9'],
  ['*1\r\n$4\r\nPING\r\n', '"*1\\r\\n$4\\r\\nPING\\r\\n"'],
  ['say "\\"\0', '"say \\"\\\\\\"\\x00"'],
  ['x'.repeat(100), `"${'x'.repeat(64)}"…`],
  ['', '""'],
])('%j', (message, expected) => expect(text(message)).toBe(expected));

it('is what a message says of itself, where it does', () => {
  const bytes = Buffer.from('AUTH hunter2\r\n');
  const told = (message: unknown) => messageText(message, bytes, 0, bytes.length);
  class Command {
    readonly #text: string;
    constructor(text: string) {
      this.#text = text;
    }
    toString(): string {
      if (this.#text === '') throw new Error('nothing to say');
      return this.#text;
    }
  }
  expect(told(new Command('AUTH ***\x1b'))).toBe('AUTH ***\\x1b');
  for (const message of [undefined, null, {}, new Command(''), 7]) expect(told(message)).toBe('"AUTH hunter2\\r\\n"');
});
