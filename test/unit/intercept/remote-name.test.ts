import { expect, it } from 'vitest';
import { remoteAddressOf, remoteNameOf } from '../../../src/intercept/remote-name.ts';

it.each([
  ['192.0.2.1', '192.0.2.1', '192.0.2.1:5'],
  ['::ffff:192.0.2.1', '192.0.2.1', '192.0.2.1:5'],
  ['2001:db8::1', '2001:db8::1', '[2001:db8::1]:5'],
  ['::ffff:1', '::ffff:1', '[::ffff:1]:5'],
])('%s is written as %s and %s', (remoteAddress, address, name) => {
  const socket = { remoteAddress, remotePort: 5 };
  expect(remoteAddressOf(socket)).toBe(address);
  expect(remoteNameOf(socket)).toBe(name);
});

it('has a word for what is gone', () => {
  expect(remoteNameOf({ remoteAddress: undefined, remotePort: undefined })).toBe('?:0');
});
