import { isIPv4, isIPv6 } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatEndpoint,
  formatIp,
  fromBytes,
  ipEquals,
  ipFromWords,
  ipv4FromWord,
  parseIp,
  toBytes,
  V4_MAPPED_WORD,
} from '../../../src/core/ip-address.ts';

describe('parseIp and formatIp', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1', 4],
    ['255.255.255.255', '255.255.255.255', 4],
    ['0.0.0.0', '0.0.0.0', 4],
    ['2001:db8::1', '2001:db8::1', 6],
    ['[2001:db8::1]', '2001:db8::1', 6],
    ['2001:0DB8:0:0:1:0:0:1', '2001:db8::1:0:0:1', 6],
    ['2001:db8:0:1:1:1:1:1', '2001:db8:0:1:1:1:1:1', 6],
    ['::', '::', 6],
    ['::1', '::1', 6],
    ['::ffff:192.0.2.1', '192.0.2.1', 4],
    ['::ffff:c000:201', '192.0.2.1', 4],
    ['fe80::1', 'fe80::1', 6],
  ])('%s is %s', (text, canonical, version) => {
    const ip = parseIp(text)!;
    expect(ip.version).toBe(version);
    expect(formatIp(ip)).toBe(canonical);
  });

  it.each([
    '',
    '1',
    '1.2.3',
    '1.2.3.4.5',
    '256.1.1.1',
    '1.2.3.x',
    '0x7f.1',
    'localhost',
    ':::',
    '2001:db8::1::2',
    'fe80::1%eth0',
    '1:2:3:4:5:6:7',
    '[1.2.3.4',
    'g::1',
    '1.2.3.4:80',
    ' 1.2.3.4',
  ])('%j is not an address', (text) => expect(parseIp(text)).toBeUndefined());

  it('undo each other for every address', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 16, maxLength: 16 }), fc.boolean(), (bytes, v4) => {
        const ip = fromBytes(v4 ? bytes.subarray(0, 4) : bytes);
        const text = formatIp(ip);
        expect(ip.version === 4 ? isIPv4(text) : isIPv6(text)).toBe(true);
        expect(ipEquals(parseIp(text)!, ip)).toBe(true);
        expect(ipEquals(fromBytes(toBytes(ip)), ip)).toBe(true);
        expect(parseIp(text)).toEqual(ip);
      }),
    );
  });

  it('refuse what net.isIP refuses', () => {
    const characters = fc.constantFrom(...'0123456789abcf.:[]% x');
    fc.assert(
      fc.property(fc.string({ unit: characters, maxLength: 20 }), (text) => {
        const bare = text.startsWith('[') && text.endsWith(']') ? text.slice(1, -1) : text;
        if (parseIp(text)) expect(isIPv4(bare) || isIPv6(bare)).toBe(true);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('words', () => {
  it('hold IPv4 mapped into IPv6, and are signed', () => {
    const ip = ipv4FromWord(0xc000_0201);
    expect(ip).toEqual({ version: 4, w0: 0, w1: 0, w2: V4_MAPPED_WORD, w3: 0xc000_0201 | 0 });
    expect(ipFromWords(0, 0, V4_MAPPED_WORD, 0xc000_0201)).toEqual(ip);
    expect(ipFromWords(0, 0, V4_MAPPED_WORD + 1, 1).version).toBe(6);
    expect(ipFromWords(0xffff_ffff, 0, 0, 0).w0).toBe(-1);
  });

  it('tell addresses apart in each word', () => {
    const words = [1, 2, 3, 4] as const;
    const ip = ipFromWords(...words);
    words.forEach((_, i) => {
      const other = words.map((w, j) => (i === j ? w + 1 : w)) as [number, number, number, number];
      expect(ipEquals(ip, ipFromWords(...other))).toBe(false);
    });
    expect(ipEquals(ip, ipFromWords(...words))).toBe(true);
  });
});

it('formatEndpoint brackets IPv6 only', () => {
  expect(formatEndpoint({ address: parseIp('192.0.2.1')!, port: 80 })).toBe('192.0.2.1:80');
  expect(formatEndpoint({ address: parseIp('2001:db8::1')!, port: 80 })).toBe('[2001:db8::1]:80');
});
