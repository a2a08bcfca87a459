import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_OUTGOING } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';
import { PcapngWriter } from '../../../src/pcap/pcapng-writer.ts';
import { read } from './captures.ts';

describe('PcapngWriter', () => {
  it('writes what the reader reads back, taken in any portions', () => {
    const frame = fc.record({
      bytes: fc.uint8Array({ maxLength: 200 }),
      skip: fc.nat(20),
      more: fc.nat(100),
      // Multiples of 1/4 µs: such a time of this century is exact in a double.
      quarters: fc.integer({ min: 0, max: 7e15 }),
      outgoing: fc.boolean(),
      tunnel: fc.boolean(),
      take: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(frame, { maxLength: 6 }), fc.string({ unit: 'binary' }), (frames, comment) => {
        const writer = new PcapngWriter('tcpcopy', comment);
        const ethernet = writer.addInterface(1, 'eth0');
        const raw = writer.addInterface(101, 'tun0');
        const chunks: Uint8Array[] = [];
        const expected = frames.map(({ bytes, skip, more, quarters, outgoing, tunnel, take }) => {
          const offset = Math.min(skip, bytes.length);
          const captured = bytes.length - offset;
          const time = quarters / 4;
          const flags = outgoing ? FRAME_OUTGOING : 0;
          writer.add(tunnel ? raw : ethernet, bytes, offset, captured, instant(time), captured + more, flags);
          if (take) chunks.push(writer.take());
          return { bytes: bytes.slice(offset), length: captured + more, time, linkType: tunnel ? 101 : 1, flags };
        });
        chunks.push(writer.take());
        const got = read(chunks);
        expect(got.frames).toEqual(expected);
        expect(got.problems).toEqual([]);
        expect(got.reader.interfaces.map(({ resolution }) => resolution)).toEqual([1e-9, 1e-9]);
      }),
      { numRuns: 100 },
    );
  });

  it('carries a fraction that rounds up into the next microsecond', () => {
    const writer = new PcapngWriter('', '');
    writer.addInterface(101, '');
    writer.add(0, new Uint8Array(1), 0, 1, instant(1_999_999.9999));
    expect(read([writer.take()]).frames[0]!.time).toBe(2_000_000);
  });

  it('grows for what is not taken, and forgets what is', () => {
    const writer = new PcapngWriter('', '');
    writer.addInterface(1, '');
    for (let i = 0; i < 10; i++) writer.add(0, new Uint8Array(65_535).fill(i), 0, 65_535, instant(i));
    const taken = writer.take();
    expect(writer.size).toBe(0);
    expect(read([taken]).frames.map(({ bytes }) => bytes[65_534])).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });
});
