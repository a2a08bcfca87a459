import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp } from '../../../src/core/ip-address.ts';
import { foldSum, pseudoHeaderSum, sumBytes } from '../../../src/wire/checksum.ts';

/** The dull way: one word after the other, carry added at once. */
function model(bytes: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < bytes.length; i += 2) {
    sum += (bytes[i]! << 8) | (bytes[i + 1] ?? 0);
    if (sum > 0xffff) sum -= 0xffff;
  }
  return sum;
}

function sumOf(bytes: Uint8Array): number {
  return sumBytes(new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength), 0, bytes.length);
}

describe('sumBytes', () => {
  it('has the value of the example in RFC 1071 §3', () => {
    expect(sumOf(Uint8Array.of(0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7))).toBe(0xddf2);
  });

  it('equals the model for any bytes, at any offset', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(7), (bytes, offset) => {
        const memory = new Uint8Array(offset + bytes.length + 3).fill(0xff);
        memory.set(bytes, offset);
        expect(sumBytes(new DataView(memory.buffer), offset, bytes.length)).toBe(model(bytes));
      }),
      { numRuns: 500 },
    );
  });

  it.each([65_535, (4 << 20) + 17])('does not overflow over %i bytes of ones', (length) => {
    const bytes = new Uint8Array(length).fill(0xff);
    expect(sumOf(bytes)).toBe(model(bytes));
  });
});

describe('foldSum', () => {
  it('brings any 32-bit sum to 16 bits', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 0xffff_ffff }), (sum) => {
        const folded = foldSum(sum);
        expect(folded).toBeLessThanOrEqual(0xffff);
        expect(folded % 0xffff).toBe(sum % 0xffff);
      }),
    );
  });
});

describe('pseudoHeaderSum', () => {
  it('is the sum of the pseudo-header as RFC 9293 §3.1 draws it, for IPv4', () => {
    const a = parseIp('192.168.200.255')!;
    const b = parseIp('10.254.255.1')!;
    const drawn = [192, 168, 200, 255, 10, 254, 255, 1, 0, 6, 0x12, 0x34];
    const sum = pseudoHeaderSum(a.w0, a.w1, a.w2, a.w3, b.w0, b.w1, b.w2, b.w3, 6, 0x1234);
    expect(sum).toBe(model(drawn));
  });

  it('and as RFC 8200 §8.1 draws it, for IPv6 with a jumbo length', () => {
    const a = parseIp('2001:db8:ffff::8000')!;
    const b = parseIp('fe80::1:2:3:4')!;
    const words = [0x2001, 0xdb8, 0xffff, 0, 0, 0, 0, 0x8000, 0xfe80, 0, 0, 0, 1, 2, 3, 4, 0x0001, 0x0002, 0, 6];
    const sum = pseudoHeaderSum(a.w0, a.w1, a.w2, a.w3, b.w0, b.w1, b.w2, b.w3, 6, 0x1_0002);
    expect(sum).toBe(model(words.flatMap((word) => [word >>> 8, word & 0xff])));
  });
});
