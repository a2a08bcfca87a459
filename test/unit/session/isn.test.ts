import { describe, expect, it } from 'vitest';
import { ipv4FromWord, parseIp } from '../../../src/core/ip-address.ts';
import { seqAdd, seqDiff, seqGt } from '../../../src/core/seq-num.ts';
import { addTime, instant, micros, seconds } from '../../../src/core/time.ts';
import { IsnGenerator } from '../../../src/session/isn.ts';

const local = (port: number) => ({ address: ipv4FromWord(0x0a00_0001), port });
const REMOTE = { address: parseIp('2001:db8::1')!, port: 80 };
const START = instant(1.7e15 + 0.25);

describe('initial sequence numbers', () => {
  it('repeat for the same secret and differ for another', () => {
    const a = new IsnGenerator(1, 2).next(START, local(1), REMOTE);
    expect(new IsnGenerator(1, 2).next(START, local(1), REMOTE)).toBe(a);
    expect(new IsnGenerator(1, 3).next(START, local(1), REMOTE)).not.toBe(a);
    expect(new IsnGenerator(2, 2).next(START, local(1), REMOTE)).not.toBe(a);
  });

  it('are signed 32-bit, and spread over the whole space', () => {
    const generator = new IsnGenerator(-5, 0x7fff_ffff);
    const buckets = new Array<number>(16).fill(0);
    for (let port = 0; port < 4_096; port++) {
      const isn = generator.next(START, local(port), REMOTE);
      expect(isn).toBe(isn | 0);
      buckets[isn >>> 28]!++;
    }
    for (const count of buckets) expect(count).toBeGreaterThan(170);
  });

  it('move forward by 16 a microsecond, across the wrap of the clock', () => {
    const generator = new IsnGenerator(1, 2);
    for (let at = START, i = 0; i < 1_000; i++) {
      const later = addTime(at, micros(1_000_000));
      expect(seqDiff(generator.next(later, local(1), REMOTE), generator.next(at, local(1), REMOTE))).toBe(16_000_000);
      at = later;
    }
  });

  it('lie after a session of 32 MB that took two seconds, and after an idle one within 134 seconds', () => {
    const generator = new IsnGenerator(1, 2);
    const first = generator.next(START, local(1), REMOTE);
    const end = seqAdd(first, 1 + 31_999_000);
    expect(seqGt(generator.next(addTime(START, seconds(2)), local(1), REMOTE), end)).toBe(true);
    for (let s = 1; s <= 134; s++) {
      expect(seqGt(generator.next(addTime(START, seconds(s)), local(1), REMOTE), seqAdd(first, 100))).toBe(true);
    }
  });
});
