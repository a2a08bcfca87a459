import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ipFromWords, type IpAddress } from '../../../src/core/ip-address.ts';
import { AddressRanges } from '../../../src/intercept/address-ranges.ts';
import { TargetSet } from '../../../src/intercept/target-set.ts';
import { ip } from '../control/samples.ts';

function has(ranges: AddressRanges, a: IpAddress): boolean {
  return ranges.contains(a.w0, a.w1, a.w2, a.w3);
}

describe('AddressRanges', () => {
  it('knows first, last, and neighbours of a range in both families', () => {
    const ranges = new AddressRanges([
      { first: ip('10.0.0.250'), count: 10 },
      { first: ip('2001:db8::'), count: 2 ** 33 },
    ]);
    expect(has(ranges, ip('10.0.0.249'))).toBe(false);
    expect(has(ranges, ip('10.0.0.250'))).toBe(true);
    expect(has(ranges, ip('10.0.1.3'))).toBe(true);
    expect(has(ranges, ip('10.0.1.4'))).toBe(false);
    expect(has(ranges, ip('2001:db8::1:ffff:ffff'))).toBe(true);
    expect(has(ranges, ip('2001:db8::2:0:0'))).toBe(false);
    expect(has(ranges, ip('::a00:fa'))).toBe(false);
  });

  it('orders addresses as unsigned numbers', () => {
    const ranges = new AddressRanges([
      { first: ip('200.0.0.0'), count: 1 },
      { first: ip('127.255.255.255'), count: 2 },
      { first: ip('1.0.0.0'), count: 1 },
    ]);
    for (const yes of ['200.0.0.0', '127.255.255.255', '128.0.0.0', '1.0.0.0']) expect(has(ranges, ip(yes))).toBe(true);
    for (const no of ['128.0.0.1', '199.255.255.255', '0.255.255.255']) expect(has(ranges, ip(no))).toBe(false);
  });

  it('merges ranges that touch or overlap, and stops at the last address', () => {
    const ranges = new AddressRanges([
      { first: ip('10.0.0.5'), count: 5 },
      { first: ip('10.0.0.0'), count: 5 },
      { first: ip('10.0.0.3'), count: 1 },
      { first: ip('ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe'), count: 100 },
    ]);
    expect(ranges.count).toBe(2);
    expect(has(ranges, ip('ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff'))).toBe(true);
    expect(has(ranges, ip('::'))).toBe(false);
  });

  it('agrees with looking at every range in turn', () => {
    // A small space that carries from the last word into the one before, across its sign bit.
    const base = 0x2001_0db8_0000_0000_7fff_ffff_ffff_ffe2n;
    const address = (n: number): IpAddress => {
      const word = (i: number) => Number(BigInt.asIntN(32, (base + BigInt(n)) >> BigInt(96 - 32 * i)));
      return ipFromWords(word(0), word(1), word(2), word(3));
    };
    const near = fc.integer({ min: 0, max: 60 });
    fc.assert(
      fc.property(fc.array(fc.tuple(near, fc.integer({ min: 1, max: 20 })), { maxLength: 8 }), (list) => {
        const ranges = new AddressRanges(list.map(([first, count]) => ({ first: address(first), count })));
        for (let n = 0; n <= 85; n++) {
          expect(has(ranges, address(n))).toBe(list.some(([first, count]) => n >= first && n < first + count));
        }
      }),
    );
  });
});

describe('TargetSet', () => {
  const set = new TargetSet([
    { address: ip('192.0.2.1'), portFirst: 80, portLast: 81 },
    { address: ip('2001:db8::1'), portFirst: 443, portLast: 443 },
  ]);
  const contains = (text: string, port: number) => {
    const a = ip(text);
    return set.contains(a.w0, a.w1, a.w2, a.w3, port);
  };

  it('matches address and port together', () => {
    expect(contains('192.0.2.1', 80)).toBe(true);
    expect(contains('192.0.2.1', 81)).toBe(true);
    expect(contains('2001:db8::1', 443)).toBe(true);
    expect(contains('192.0.2.1', 79)).toBe(false);
    expect(contains('192.0.2.1', 443)).toBe(false);
    expect(contains('192.0.2.2', 80)).toBe(false);
    expect(contains('2001:db8::1:1', 443)).toBe(false);
    expect(new TargetSet([]).contains(0, 0, 0, 0, 0)).toBe(false);
  });
});
