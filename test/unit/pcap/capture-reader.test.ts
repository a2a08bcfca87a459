import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TcpcopyError } from '../../../src/core/errors.ts';
import { FRAME_OUTGOING, FrameBatch } from '../../../src/core/frame-batch.ts';
import { CaptureReader } from '../../../src/pcap/capture-reader.ts';
import {
  concat,
  MAGIC_MICROSECONDS,
  MAGIC_MODIFIED,
  MAGIC_NANOSECONDS,
  Order,
  pcapHeader,
  portions,
  read,
  record,
} from './captures.ts';

const LITTLE = new Order(true);
const BIG = new Order(false);
const frame = (n: number, fill = n) => new Uint8Array(n).fill(fill);

describe('pcap', () => {
  it.each([
    ['little-endian', LITTLE],
    ['big-endian', BIG],
  ])('%s, of every magic', (_, order) => {
    const micro = read([
      concat(pcapHeader(order, MAGIC_MICROSECONDS, 113), record(order, 1_700_000_000, 999_999, frame(5))),
    ]);
    expect(micro.frames).toEqual([
      { bytes: frame(5), length: 5, time: 1_700_000_000_999_999, linkType: 113, flags: 0 },
    ]);
    expect(micro.reader.info).toEqual({ format: 'pcap', littleEndian: order.little, version: '2.4' });
    expect(micro.reader.interfaces).toEqual([{ linkType: 113, snapLength: 65_535, resolution: 1e-6 }]);

    const nano = read([concat(pcapHeader(order, MAGIC_NANOSECONDS), record(order, 1_000, 123_456_789, frame(1)))]);
    expect(nano.frames[0]!.time).toBe(1_000_123_456.789);

    const extra = concat(order.u32(3), order.u16(8), Uint8Array.of(4, 0));
    const head = concat(order.u32(1, 2, 6, 6), extra);
    const modified = read([concat(pcapHeader(order, MAGIC_MODIFIED), head, frame(6), head, frame(6))]);
    expect(modified.frames.map(({ bytes, flags }) => ({ bytes, flags }))).toEqual([
      { bytes: frame(6), flags: FRAME_OUTGOING },
      { bytes: frame(6), flags: FRAME_OUTGOING },
    ]);
    expect(modified.problems).toEqual([]);
  });

  it('knows lengths in the old order, cut frames, frames longer than sent, and FCS bits in the link type', () => {
    const swapped = concat(pcapHeader(BIG, MAGIC_MICROSECONDS, 1, 100, 2), BIG.u32(0, 0, 90, 5), frame(5));
    expect(read([swapped]).frames[0]).toMatchObject({ bytes: frame(5), length: 90 });
    const cut = record(BIG, 0, 0, frame(5), 90);
    const longer = record(BIG, 0, 0, frame(5), 2);
    const { frames } = read([concat(pcapHeader(BIG, MAGIC_MICROSECONDS, 0x2400_0001), cut, longer)]);
    expect(frames.map(({ length, linkType }) => [length, linkType])).toEqual([
      [90, 1],
      [5, 1],
    ]);
  });

  it.each([0, 20, 0xffff_ffff])('does not hold a snap length of %i against a frame', (snapLength) => {
    const file = concat(pcapHeader(LITTLE, MAGIC_MICROSECONDS, 1, snapLength), record(LITTLE, 0, 0, frame(70_000)));
    expect(read(portions(file, 4096))).toMatchObject({ frames: [{ length: 70_000 }], problems: [] });
  });

  it('says how much was cut off at the end', () => {
    const whole = concat(pcapHeader(LITTLE), record(LITTLE, 0, 0, frame(10)));
    for (const cut of [1, 15, 16, 20]) {
      const { frames, problems } = read([whole, record(LITTLE, 0, 0, frame(10)).subarray(0, cut)]);
      expect(frames.length).toBe(1);
      expect(problems).toEqual([{ bytes: cut, reason: 'the file ends in the middle of a record' }]);
    }
    expect(read([whole.subarray(0, 17)]).problems).toEqual([
      { bytes: 17, reason: 'the file ends in the middle of its header' },
    ]);
  });

  it('gives up after an impossible length, in constant memory, and counts what it did not read', () => {
    const damaged = concat(pcapHeader(LITTLE), record(LITTLE, 0, 0, frame(10)), LITTLE.u32(0, 0, 0x7fff_0000, 1));
    const rest = frame(1 << 20);
    const { frames, problems } = read([damaged, rest, rest, rest]);
    expect(frames.length).toBe(1);
    expect(problems).toMatchObject([{ bytes: 16 + (3 << 20) }]);
    expect(problems[0]!.reason).toContain('impossible length');
  });

  it('is read to the same frames in any portions and any batch', () => {
    const frames = fc.array(fc.nat(300), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.boolean(),
        frames,
        fc.integer({ min: 1, max: 80 }),
        fc.integer({ min: 1, max: 5 }),
        (little, sizes, portion, capacity) => {
          const order = new Order(little);
          const records = sizes.map((size, i) => record(order, i, i, frame(size, i)));
          const got = read(portions(concat(pcapHeader(order), ...records), portion), capacity);
          expect(got.frames.map(({ bytes, time }) => ({ bytes, time }))).toEqual(
            sizes.map((size, i) => ({ bytes: frame(size, i), time: i * 1_000_001 })),
          );
          expect(got.problems).toEqual([]);
          expect(got.reader.frames).toBe(sizes.length);
        },
      ),
      { numRuns: 150 },
    );
  });
});

describe('files one behind the other', () => {
  const pcap = (order: Order, magic: number, fill: number) =>
    concat(
      pcapHeader(order, magic, 100 + fill),
      record(order, fill, 0, frame(5, fill)),
      record(order, fill, 1, frame(3)),
    );
  const pcapng = concat(LITTLE.section(), LITTLE.device(107), LITTLE.enhanced(0, 7n, frame(8, 7)));
  const files = [
    pcap(LITTLE, MAGIC_MICROSECONDS, 1),
    pcap(BIG, MAGIC_NANOSECONDS, 2),
    pcap(BIG, MAGIC_MICROSECONDS, 3),
    pcapng,
    pcapng,
    pcap(LITTLE, MAGIC_NANOSECONDS, 4),
    pcapHeader(BIG),
    pcapHeader(BIG, MAGIC_MODIFIED),
    pcapng,
  ];
  const linkTypes = [101, 101, 102, 102, 103, 103, 107, 107, 104, 104, 107];

  it.each([1, 7, 16, 24, 1 << 20])('all are read, in portions of %i', (size) => {
    for (const capacity of [1, 2, 100]) {
      const { frames, problems } = read(portions(concat(...files), size), capacity);
      expect(frames.map(({ linkType }) => linkType)).toEqual(linkTypes);
      expect(problems).toEqual([]);
    }
  });

  it('a cut header behind others is said', () => {
    const { frames, problems } = read([files[0]!, pcapHeader(LITTLE).subarray(0, 20)]);
    expect(frames.length).toBe(2);
    expect(problems).toMatchObject([{ bytes: 20 }]);
  });

  it('a record of a second that reads like a magic is a record', () => {
    // A moment of the years 2055, 2011 and 1998: of one the bytes stand in the other order.
    for (const seconds of [0xa1b2_c3d4, 0x4d3c_b2a1, 0x34cd_b2a1]) {
      const records = [record(LITTLE, seconds, 0x4_0002, frame(60)), record(LITTLE, seconds, 9, frame(0))];
      const { frames, problems } = read([concat(pcapHeader(LITTLE), ...records)], 1);
      expect(frames.map(({ length }) => length)).toEqual([60, 0]);
      expect(problems).toEqual([]);
    }
  });
});

describe('what is no capture', () => {
  const zeros = new Uint8Array(80);
  const starting = (...head: number[]) => concat(Uint8Array.from(head), zeros);

  it.each<[string, Uint8Array, RegExp]>([
    ['nothing', new Uint8Array(0), /empty/],
    ['two bytes', Uint8Array.of(0xd4, 0xc3), /begins with d4 c3/],
    ['gzip', starting(0x1f, 0x8b, 8), /gzip.*decompress/],
    ['zstd', starting(0x28, 0xb5, 0x2f, 0xfd), /zstd/],
    ['xz', starting(0xfd, 0x37, 0x7a, 0x58, 0x5a, 0), /xz/],
    ['bzip2', starting(0x42, 0x5a, 0x68, 0x39), /bzip2/],
    ['snoop', concat(new TextEncoder().encode('snoop\0\0\0'), zeros), /snoop.*editcap/],
    [
      'a recording of GoReplay',
      new TextEncoder().encode(`1 ${'9a'.repeat(20)} 1439818823587396305 1\nGET / HTTP/1.1\r\n\r\n`),
      /GoReplay recording/,
    ],
    ['text', new TextEncoder().encode('#!/bin/sh\necho this is not a recording, it is a script; how odd'), /text/],
    ['ERF', starting(1, 2, 3, 0x4f, 5, 6, 7, 0x5f, 2, 0, 0, 80, 0, 0, 0, 60), /ERF/],
    [
      'a section header of a strange byte order',
      starting(10, 13, 13, 10, 28, 0, 0, 0, 1, 2, 3, 4),
      /begins with 0a 0d 0d 0a/,
    ],
  ])('is refused with a reason: %s', (_, bytes, reason) => {
    for (const size of [1, 1000]) {
      let error: unknown;
      try {
        read(portions(bytes, size));
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(TcpcopyError);
      expect((error as TcpcopyError).code).toBe('E_CAPTURE_FORMAT');
      expect((error as TcpcopyError).oneLine()).toMatch(reason);
    }
  });
});

describe('memory', () => {
  it('holds the frames of a batch in place, and stays as small as the longest record', () => {
    const reader = new CaptureReader();
    const batch = new FrameBatch(1000);
    reader.push(pcapHeader(LITTLE));
    const one = record(LITTLE, 0, 0, frame(1000));
    let frames = 0;
    for (let i = 0; i < 5_000; i++) {
      reader.push(one);
      reader.push(one.subarray(0, 500));
      frames += reader.next(batch);
      reader.push(one.subarray(500));
      frames += reader.next(batch);
      expect(reader.next(batch)).toBe(0);
    }
    expect(frames).toBe(10_000);
    expect(batch.bytes.length).toBe(64 << 10);
  });
});
