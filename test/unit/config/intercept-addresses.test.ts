import { describe, expect, it } from 'vitest';
import { parseInterceptAddresses } from '../../../src/config/intercept-addresses.ts';
import { lineOf } from './options-fixture.ts';

const show = (...texts: string[]) => parseInterceptAddresses(texts, 36524).map(({ host, port }) => `${host} ${port}`);

describe('accepted forms', () => {
  it.each([
    ['192.0.2.20', ['192.0.2.20 36524']],
    ['192.0.2.20:4000', ['192.0.2.20 4000']],
    ['[2001:db8::20]', ['2001:db8::20 36524']],
    ['[2001:db8::20]:4000', ['2001:db8::20 4000']],
    ['assistant', ['assistant 36524']],
    ['assistant_1.example.:4000', ['assistant_1.example. 4000']],
    ['192.0.2.20,192.0.2.21:4000', ['192.0.2.20 36524', '192.0.2.21 4000']],
    ['192.0.2.20:1,192.0.2.20:2', ['192.0.2.20 1', '192.0.2.20 2']],
  ])('%s', (text, expected) => expect(show(text)).toEqual(expected));
});

describe('refused', () => {
  it.each([
    ['', 'an entry of the list is empty'],
    ['2001:db8::20', 'write [2001:db8::20]'],
    ['a:b', 'is not an intercept address'],
    ['host:', 'is not an intercept address'],
    ['host:0', '0 is not a port'],
    ['host:65536', '65536 is not a port'],
    ['192.0.2', 'neither an IP address nor a host name'],
    ['[192.0.2.300]', 'neither an IP address nor a host name'],
    ['a b', 'neither an IP address nor a host name'],
    ['-host', 'neither an IP address nor a host name'],
    ['0.0.0.0', 'not the address of a host'],
    ['host,host:36524', 'is given twice'],
  ])('%j: %s', (text, message) => {
    const line = lineOf(() => show(text));
    expect(line).toContain(message);
    expect(line).toMatch(/^-s /);
  });
});
