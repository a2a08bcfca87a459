import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressPlus } from '../../../src/config/address.ts';
import { LARGEST_BLOCK, parseClientAddresses } from '../../../src/config/client-addresses.ts';
import type { AddressRange } from '../../../src/config/copy-options.ts';
import { formatIp, ipv4FromWord, parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { lineOf } from './options-fixture.ts';

const endpoint = (ip: string): Endpoint => ({ address: parseIp(ip)!, port: 80 });
const V4 = [endpoint('192.0.2.10')];
const V6 = [endpoint('2001:db8::10')];

/** `10.9.8.1–10.9.8.254` */
const formatRange = ({ first, count }: AddressRange): string =>
  count === 1 ? formatIp(first) : `${formatIp(first)}–${formatIp(addressPlus(first, count - 1))}`;

const show = (text: string, targets = V4) => parseClientAddresses([text], targets).map(formatRange);

describe('accepted forms', () => {
  it.each([
    ['10.9.8.7', ['10.9.8.7']],
    ['10.9.8.7,10.9.8.9', ['10.9.8.7', '10.9.8.9']],
    ['10.9.8.x', ['10.9.8.1–10.9.8.254']],
    ['10.9.8.X', ['10.9.8.1–10.9.8.254']],
    ['10.9.8.0/24', ['10.9.8.1–10.9.8.254']],
    ['10.9.8.77/24', ['10.9.8.1–10.9.8.254']],
    ['10.9.8.4/30', ['10.9.8.5–10.9.8.6']],
    ['10.9.8.4/31', ['10.9.8.4–10.9.8.5']],
    ['10.9.8.4/32', ['10.9.8.4']],
    ['200.0.0.0/8', ['200.0.0.1–200.0.255.255']],
    // The target's own address is left out of a block.
    ['192.0.2.x', ['192.0.2.1–192.0.2.9', '192.0.2.11–192.0.2.254']],
    ['192.0.2.8/30', ['192.0.2.9']],
  ])('%s', (text, expected) => expect(show(text)).toEqual(expected));

  it.each([
    ['2001:db8:5::7', ['2001:db8:5::7']],
    ['2001:db8:5::/64', ['2001:db8:5::1–2001:db8:5::ffff']],
    ['2001:db8:5::/112', ['2001:db8:5::1–2001:db8:5::ffff']],
    ['2001:db8:5::/126', ['2001:db8:5::1–2001:db8:5::3']],
    ['2001:db8:5::9/128', ['2001:db8:5::9']],
    ['2001:db8::/124', ['2001:db8::1–2001:db8::f']],
    ['2001:db8::/64', ['2001:db8::1–2001:db8::f', '2001:db8::11–2001:db8::ffff']],
  ])('%s', (text, expected) => expect(show(text, V6)).toEqual(expected));

  it('loopback for a loopback target, its own address included', () => {
    expect(show('127.0.0.1,127.0.0.9', [endpoint('127.0.0.1')])).toEqual(['127.0.0.1', '127.0.0.9']);
  });

  it('both families for targets of both', () => {
    expect(parseClientAddresses(['10.9.8.7', '2001:db8:5::7'], [...V4, ...V6])).toHaveLength(2);
  });

  it('none', () => expect(parseClientAddresses([], V4)).toEqual([]));
});

describe('refused, each with a line that says why', () => {
  it.each([
    ['', 'an entry of the list is empty'],
    ['10.9.8', 'is not an IP address'],
    ['10.9.8.*', 'write 10.9.8.x'],
    ['10.9.x', 'is not of the form a.b.c.x'],
    ['10.9.8.0/33', 'is not an address block'],
    ['10.9.8.0/', 'is not an address block'],
    ['client/24', 'is not an address block'],
    ['10.0.0.0/7', 'far too wide'],
    ['2001:db8::7', 'is IPv6 but the target is IPv4'],
    ['192.0.2.10', "is the target's own address"],
    ['192.0.2.10/32', "is the target's own address"],
    ['127.0.0.1', 'loopback'],
    ['224.1.1.1', 'multicast'],
    ['255.255.255.255', 'broadcast or reserved'],
    ['0.0.0.0', 'not the address of a host'],
  ])('%j: %s', (text, message) => {
    const line = lineOf(() => parseClientAddresses([text], V4));
    expect(line).toContain(message);
    expect(line).toMatch(/^-c .*\[E_CLIENT_ADDRESS\]$/);
  });

  it('a target of a family that -c leaves out', () => {
    const line = lineOf(() => parseClientAddresses(['10.9.8.7'], [...V4, ...V6]));
    expect(line).toContain('has no IPv6 address for the target [2001:db8::10]:80');
  });
});

it('a block is what its addresses are, one by one', () => {
  const word = fc.integer({ min: 0x0a00_0000, max: 0x0aff_ffff });
  fc.assert(
    fc.property(word, fc.integer({ min: 16, max: 32 }), word, (w, prefix, t) => {
      const target = { address: ipv4FromWord(t), port: 80 };
      const size = 2 ** (32 - prefix);
      const network = Math.floor((w >>> 0) / size) * size;
      const model = new Set<string>();
      for (let a = network; a < network + size; a++) {
        const edge = size > 2 && (a === network || a === network + size - 1);
        if (!edge && a !== t && model.size < LARGEST_BLOCK) model.add(formatIp(ipv4FromWord(a)));
      }
      fc.pre(model.size > 0);
      const got = parseClientAddresses([`${formatIp(ipv4FromWord(w))}/${prefix}`], [target]).flatMap(
        ({ first, count }) => Array.from({ length: count }, (_, i) => formatIp(addressPlus(first, i))),
      );
      expect(new Set(got).size).toBe(got.length);
      // Of a /16 the cap is taken before the target is cut out; the rest is equal.
      expect(got.every((ip) => model.has(ip) || size > LARGEST_BLOCK)).toBe(true);
      if (size <= LARGEST_BLOCK) expect(got.length).toBe(model.size);
    }),
    { numRuns: 60 },
  );
});
