import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqNum } from '../../../src/core/seq-num.ts';

/** The model: unsigned 32-bit numbers as BigInt, with RFC 9293's arithmetic modulo 2^32 spelled out. */
const SPACE = 2n ** 32n;
const HALF = 2n ** 31n;
const mod = (n: bigint) => ((n % SPACE) + SPACE) % SPACE;
/** How far `a` lies after `b`, from -2^31 to 2^31 - 1. */
const distance = (a: number, b: number) => {
  const d = mod(BigInt(a) - BigInt(b));
  return d >= HALF ? d - SPACE : d;
};

const uint32 = fc.oneof(
  fc.integer({ min: 0, max: 0xffff_ffff }),
  fc.constantFrom(0, 1, 0x7fff_ffff, 0x8000_0000, 0x8000_0001, 0xffff_ffff),
);
const span = fc.integer({ min: 0, max: 0x7fff_ffff });

describe('sequence numbers agree with BigInt arithmetic modulo 2^32', () => {
  it('as values', () => {
    fc.assert(
      fc.property(uint32, (a) => {
        expect(seqNum(a) >>> 0).toBe(a);
        expect(seqNum(a)).toBe(seqNum(seqNum(a)));
        expect(Object.is(seqNum(a) | 0, seqNum(a) as number)).toBe(true);
      }),
    );
  });

  it('in addition and difference', () => {
    fc.assert(
      fc.property(uint32, span, uint32, (a, length, b) => {
        expect(BigInt(seqAdd(seqNum(a), length) >>> 0)).toBe(mod(BigInt(a) + BigInt(length)));
        expect(BigInt(seqDiff(seqNum(a), seqNum(b)))).toBe(distance(a, b));
        expect(seqAdd(seqNum(b), seqDiff(seqNum(a), seqNum(b)))).toBe(seqNum(a));
      }),
    );
  });

  it('in comparison', () => {
    fc.assert(
      fc.property(uint32, uint32, (a, b) => {
        const d = distance(a, b);
        const [x, y] = [seqNum(a), seqNum(b)];
        expect(seqLt(x, y)).toBe(d < 0n);
        expect(seqLe(x, y)).toBe(d <= 0n);
        expect(seqGt(x, y)).toBe(d > 0n);
        expect(seqGe(x, y)).toBe(d >= 0n);
        expect(seqMax(x, y)).toBe(d < 0n ? y : x);
      }),
    );
  });

  it('next to each other, over the wrap', () => {
    const last = seqNum(0xffff_ffff);
    expect(seqAdd(last, 1)).toBe(seqNum(0));
    expect(seqLt(last, seqNum(0))).toBe(true);
  });
});
