import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PcapngClock } from '../../../src/pcap/pcapng-time.ts';

function toInstant(clock: PcapngClock, ticks: bigint): number {
  return clock.toInstant(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn));
}

describe('PcapngClock', () => {
  it('is exact to what a double can hold, for every decimal resolution in use', () => {
    const microseconds = fc.bigInt({ min: 0n, max: 4_000_000_000_000_000n });
    fc.assert(
      fc.property(fc.integer({ min: 6, max: 12 }), microseconds, (exponent, time) => {
        const scale = 10n ** BigInt(exponent - 6);
        // The ticks must fit 64 bits.
        fc.pre(time * scale < 1n << 64n);
        expect(toInstant(new PcapngClock(exponent), time * scale)).toBe(Number(time));
      }),
    );
  });

  it.each<[string, number, bigint, number]>([
    ['seconds', 0, 1_700_000_000n, 1_700_000_000e6],
    ['milliseconds', 3, 1_700_000_000_123n, 1_700_000_000_123e3],
    ['nanoseconds with a fraction of a microsecond', 9, 1_500n, 1.5],
    ['units of 2^-10 s', 0x80 | 10, 3n * 1024n + 512n, 3.5e6],
    ['units of 2^-32 s, as NTP has', 0x80 | 32, (5n << 32n) | (1n << 31n), 5.5e6],
  ])('counts %s', (_, resolution, ticks, time) => {
    expect(toInstant(new PcapngClock(resolution), ticks)).toBe(time);
  });

  it('adds the offset', () => {
    expect(toInstant(new PcapngClock(6, -10), 25_000_000n)).toBe(15e6);
  });

  it('makes no nonsense of a resolution that is nonsense', () => {
    for (let resolution = 0; resolution < 256; resolution++) {
      const clock = new PcapngClock(resolution);
      expect(clock.toInstant(0, 0)).toBe(0);
      expect(toInstant(clock, (1n << 64n) - 1n)).toBeGreaterThan(0);
    }
  });
});
