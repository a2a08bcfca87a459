import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FRAME_OUTGOING } from '../../../src/core/frame-batch.ts';
import { concat, Order, portions, read } from './captures.ts';

const LITTLE = new Order(true);
const BIG = new Order(false);
const frame = (n: number, fill = n) => new Uint8Array(n).fill(fill);
const SECOND = 1_000_000n;

function simple(order: Order, bytes: Uint8Array, length = bytes.length): Uint8Array {
  return order.block(3, order.u32(length), bytes, new Uint8Array(-bytes.length & 3));
}

describe('pcapng', () => {
  it.each([
    ['little-endian', LITTLE],
    ['big-endian', BIG],
  ])('%s: interfaces of their own link type, resolution and offset', (_, order) => {
    const offset = new DataView(new ArrayBuffer(8));
    offset.setBigInt64(0, -3600n, order.little);
    const file = concat(
      order.section(),
      order.device(1, 96),
      order.device(113, 0, order.option(2, frame(5)), order.option(9, Uint8Array.of(9))),
      order.device(101, 0, order.option(14, new Uint8Array(offset.buffer)), order.u16(0, 0)),
      order.enhanced(0, 1_700_000_000n * SECOND + 5n, frame(7), 1500),
      order.enhanced(1, 1_700_000_000n * SECOND * 1000n + 250n, frame(8)),
      order.enhanced(2, 7200n * SECOND, frame(0)),
    );
    const { frames, problems, reader } = read([file]);
    expect(frames).toEqual([
      { bytes: frame(7), length: 1500, time: 1_700_000_000_000_005, linkType: 1, flags: 0 },
      { bytes: frame(8), length: 8, time: 1_700_000_000_000_000.25, linkType: 113, flags: 0 },
      { bytes: frame(0), length: 0, time: 3_600_000_000, linkType: 101, flags: 0 },
    ]);
    expect(problems).toEqual([]);
    expect(reader.info).toEqual({ format: 'pcapng', littleEndian: order.little, version: '1.0' });
    expect(reader.interfaces.map(({ linkType, snapLength, resolution }) => [linkType, snapLength, resolution])).toEqual(
      [
        [1, 96, 1e-6],
        [113, 0, 1e-9],
        [101, 0, 1e-6],
      ],
    );
  });

  it('a new section may change the byte order, and forgets the interfaces', () => {
    const part = (order: Order, linkType: number) =>
      concat(order.section(), order.device(linkType), order.enhanced(0, 5n, frame(3)));
    const { frames, problems } = read([
      concat(part(LITTLE, 1), part(BIG, 101), LITTLE.section(), LITTLE.enhanced(0, 5n, frame(3))),
    ]);
    expect(frames.map(({ linkType }) => linkType)).toEqual([1, 101]);
    expect(problems).toMatchObject([{ bytes: 36, reason: expect.stringContaining('unknown interface') as string }]);
  });

  it('simple and obsolete packets', () => {
    const order = BIG;
    const obsolete = order.block(2, order.u16(1, 9), order.u32(0, 77, 5, 60), frame(5), frame(3, 0));
    const file = concat(
      order.section(),
      order.device(1, 6),
      order.device(113),
      obsolete,
      simple(order, frame(6), 60),
      simple(order, frame(4)),
    );
    expect(read([file]).frames).toEqual([
      { bytes: frame(5), length: 60, time: 77, linkType: 113, flags: 0 },
      { bytes: frame(6), length: 60, time: 77, linkType: 1, flags: 0 },
      { bytes: frame(4), length: 4, time: 77, linkType: 1, flags: 0 },
    ]);
  });

  it('the direction of a packet, among other options and before junk', () => {
    const order = LITTLE;
    const packet = (...options: Uint8Array[]) => order.enhanced(0, 0n, frame(5), 5, ...options);
    const file = concat(
      order.section(),
      order.device(1),
      packet(order.option(1, frame(7)), order.option(2, order.u32(0x102))),
      packet(order.option(2, order.u32(0x101)), order.u16(0, 0)),
      packet(order.option(0, frame(0)), order.option(2, order.u32(2))),
      packet(order.u16(1, 0xfff0), order.option(2, order.u32(2))),
      packet(order.option(2, order.u16(2))),
    );
    expect(read([file]).frames.map(({ flags }) => flags)).toEqual([FRAME_OUTGOING, 0, 0, 0, 0]);
  });

  it('steps over unknown blocks of any length without keeping them', () => {
    const order = LITTLE;
    const length = 40 << 20;
    const huge = concat(order.u32(0x8000_0001, length));
    const chunk = frame(1 << 20, 0);
    function* file() {
      yield concat(order.section(), order.device(1), order.block(4, frame(64)), order.enhanced(0, 1n, frame(1)), huge);
      for (let n = 1; n < 40; n++) yield chunk;
      yield concat(chunk.subarray(0, (1 << 20) - 12), order.u32(length), order.enhanced(0, 2n, frame(2)));
    }
    const { frames, problems } = read(file());
    expect(frames.map(({ time }) => time)).toEqual([1, 2]);
    expect(problems).toEqual([]);
  });

  it('a malformed packet costs its block alone', () => {
    const order = BIG;
    const greedy = order.block(6, order.u32(0, 0, 0, 999, 999), frame(8));
    const file = concat(
      order.section(),
      order.device(1),
      greedy,
      order.block(6, frame(4)),
      order.block(3),
      order.enhanced(0, 1n, frame(1)),
    );
    const { frames, problems } = read([file]);
    expect(frames.length).toBe(1);
    expect(problems).toMatchObject([{ bytes: greedy.length + 16 + 12 }]);
  });

  it.each<[string, (order: Order) => Uint8Array]>([
    ['lengths that disagree', (o) => concat(o.u32(6, 16), frame(4), o.u32(20))],
    ['a length below the least', (o) => o.u32(6, 8, 0, 0)],
    ['a length that is no multiple of four', (o) => o.u32(6, 13, 0, 0)],
    ['a packet too long for memory', (o) => o.u32(6, 1 << 30, 0, 0)],
  ])('after %s, goes on at the next section and counts what it passed over', (_, damage) => {
    for (const order of [LITTLE, BIG]) {
      for (const portion of [1, 7, 10_000]) {
        const good = (n: number) => concat(order.section(), order.device(1), order.enhanced(0, 0n, frame(n)));
        const lost = concat(damage(order), frame(101, 0x0a));
        const { frames, problems } = read(portions(concat(good(1), lost, good(2)), portion));
        expect(frames.map(({ length }) => length)).toEqual([1, 2]);
        expect(problems).toMatchObject([
          { bytes: lost.length, reason: expect.stringContaining('next section') as string },
        ]);
      }
    }
  });

  it('damage without another section is all that is left of the file', () => {
    const { frames, problems } = read([concat(LITTLE.section(), LITTLE.u32(6, 13), frame(1000))]);
    expect(frames).toEqual([]);
    expect(problems).toMatchObject([{ bytes: 1008 }]);
  });

  it('says how much was cut off at the end', () => {
    const whole = concat(LITTLE.section(), LITTLE.device(1));
    const packet = LITTLE.enhanced(0, 0n, frame(20));
    for (const cut of [1, 11, 12, packet.length - 1]) {
      expect(read([whole, packet.subarray(0, cut)]).problems).toEqual([
        { bytes: cut, reason: 'the file ends in the middle of a block' },
      ]);
    }
  });

  it('is read to the same frames in any portions and any batch', () => {
    const kinds = fc.array(fc.tuple(fc.nat(3), fc.nat(100)), { maxLength: 12 });
    fc.assert(
      fc.property(
        fc.boolean(),
        kinds,
        fc.integer({ min: 1, max: 90 }),
        fc.integer({ min: 1, max: 4 }),
        (little, list, portion, capacity) => {
          const order = new Order(little);
          const blocks = list.map(([kind, size], i) => {
            if (kind === 0) return order.block(5, frame(4 * size));
            if (kind === 1) return simple(order, frame(size, i));
            return order.enhanced(kind - 2, BigInt(i), frame(size, i), size, order.option(1, frame(size)));
          });
          const file = concat(order.section(), order.device(1), order.device(101), ...blocks);
          const got = read(portions(file, portion), capacity);
          const expected = list.flatMap(([kind, size], i) => (kind === 0 ? [] : [frame(size, i)]));
          expect(got.frames.map(({ bytes }) => bytes)).toEqual(expected);
          expect(got.problems).toEqual([]);
        },
      ),
      { numRuns: 150 },
    );
  });
});
