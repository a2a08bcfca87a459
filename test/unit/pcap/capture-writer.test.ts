import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { CaptureWriter } from '../../../src/pcap/capture-writer.ts';
import { read } from './captures.ts';

describe('CaptureWriter', () => {
  it('writes what the reader reads back, taken in any portions', () => {
    const frame = fc.record({
      bytes: fc.uint8Array({ maxLength: 200 }),
      skip: fc.nat(20),
      more: fc.nat(100),
      // Multiples of 1/4 µs: such a time of this century is exact in a double.
      quarters: fc.integer({ min: 0, max: 7e15 }),
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(frame), (frames) => {
        const writer = new CaptureWriter(101);
        const chunks: Uint8Array[] = [];
        const expected = frames.map(({ bytes, skip, more, quarters, take }) => {
          const offset = Math.min(skip, bytes.length);
          const captured = bytes.length - offset;
          const time = quarters / 4;
          writer.add(bytes, offset, captured, instant(time), captured + more);
          if (take) chunks.push(writer.take());
          return { bytes: bytes.slice(offset), length: captured + more, time, linkType: 101, flags: 0 };
        });
        chunks.push(writer.take());
        const got = read(chunks);
        expect(got.frames).toEqual(expected);
        expect(got.problems).toEqual([]);
        expect(got.reader.interfaces[0]!.resolution).toBe(1e-9);
      }),
      { numRuns: 200 },
    );
  });

  it('carries a fraction that rounds up into the seconds', () => {
    const writer = new CaptureWriter(101);
    writer.add(new Uint8Array(1), 0, 1, instant(1_999_999.9999));
    expect(read([writer.take()]).frames[0]!.time).toBe(2_000_000);
  });

  it('grows for what is not taken, and forgets what is', () => {
    const writer = new CaptureWriter(1);
    expect(writer.size).toBe(24);
    for (let i = 0; i < 10; i++) writer.add(new Uint8Array(65_535).fill(i), 0, 65_535, instant(i));
    expect(writer.size).toBe(24 + 10 * (16 + 65_535));
    const { frames } = read([writer.take()]);
    expect(frames.map(({ bytes }) => bytes[65_534])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(writer.size).toBe(0);
    expect(writer.take().length).toBe(0);
  });
});
