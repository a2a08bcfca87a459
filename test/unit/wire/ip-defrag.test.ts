import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  DROP_FRAME_TRUNCATED,
  DROP_IP_CHECKSUM_BAD,
  DROP_IP_FRAGMENT_CAP,
  DROP_IP_FRAGMENT_HELD,
  DROP_IP_FRAGMENT_MALFORMED,
  DROP_NONE,
} from '../../../src/core/drop-reason.ts';
import { seconds } from '../../../src/core/time.ts';
import type { FragmentLimits } from '../../../src/wire/ip-defrag.ts';
import { CHECKSUM_GOOD } from '../../../src/wire/segment.ts';
import { bytes, concat, header, ipv4, ipv6, LINKTYPE_RAW, packet, parserOf, text, u16, u32 } from './frames.ts';

const raw = { linkType: LINKTYPE_RAW };
const MORE = 0x2000;

interface Fragment {
  /** In units of eight bytes. */
  at: number;
  data: Uint8Array;
  more: boolean;
}

/** A TCP segment with a good checksum for the addresses that the `ipv4` and `ipv6` builders use. */
function segment4(payload: string): Uint8Array {
  const h = header({ src3: 0x0a00_0001, dst3: 0x0a00_0002 });
  return packet(text(payload), h).slice(20);
}

function segment6(payload: string): Uint8Array {
  return packet(text(payload), header({ ipVersion: 6 })).slice(40);
}

function v4({ at, data, more }: Fragment, id = 7): Uint8Array {
  return ipv4(6, data, at | (more ? MORE : 0), id);
}

function v6({ at, data, more }: Fragment, id = 7, nextHeader = 6): Uint8Array {
  return ipv6(44, concat(bytes(nextHeader, 0), u16((at << 3) | (more ? 1 : 0)), u32(id), data));
}

/** Cuts into pieces of the given sizes in units; the last takes the rest. */
function cut(data: Uint8Array, sizes: number[]): Fragment[] {
  const out: Fragment[] = [];
  let at = 0;
  for (const size of sizes) {
    if ((at + size) * 8 >= data.length) break;
    out.push({ at, data: data.subarray(at * 8, (at + size) * 8), more: true });
    at += size;
  }
  out.push({ at, data: data.subarray(at * 8), more: false });
  return out;
}

function parserWith(fragments: Partial<FragmentLimits> = {}) {
  const { parser, parse } = parserOf({ fragments });
  const counters = parser.fragments.counters;
  return {
    take: (frame: Uint8Array, facts = {}) => parse(frame, { ...raw, ...facts }),
    counters,
    table: parser.fragments,
  };
}

describe('fragments', () => {
  it('come together in any order and any cut, in both families', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(
        fc.boolean(),
        fc.string({ minLength: 20, maxLength: 200 }),
        sizes,
        fc.infiniteStream(fc.nat()),
        (six, payload, cuts, order) => {
          const segment = six ? segment6(payload) : segment4(payload);
          const pieces = cut(segment, cuts).map((piece) => ({ piece, key: order.next().value as number }));
          pieces.sort((a, b) => a.key - b.key);
          const { take, table } = parserWith();
          const results = pieces.map(({ piece }) => take((six ? v6 : v4)(piece)));
          const last = results.pop()!;
          for (const { drop } of results) expect(drop).toBe(DROP_IP_FRAGMENT_HELD);
          expect(last.drop).toBe(DROP_NONE);
          expect(last.payload).toBe(new TextDecoder().decode(text(payload)));
          expect(last.segment.checksum).toBe(CHECKSUM_GOOD);
          expect(table.pending).toBe(0);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('overlap as a dull model has it: the byte that came first stays', () => {
    const total = 20;
    // Not from 0 to the end: that would be no fragment.
    const start = fc.integer({ min: 1, max: total - 1 });
    const fragment = fc.record({ at: start, size: fc.integer({ min: 1, max: total }), fill: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(fragment, { maxLength: 12 }), (list) => {
        const { take, table } = parserWith();
        const model = new Array<number | undefined>(total * 8).fill(undefined);
        // A first fragment with a TCP header, so that what comes out is a segment.
        const head = segment4('').subarray(0, 16);
        const fragments = [
          { at: 0, data: head, more: true },
          ...list.map(({ at, size, fill }) => {
            const end = Math.min(at + size, total);
            return { at, data: new Uint8Array((end - at) * 8).fill(fill), more: end < total };
          }),
          { at: 0, data: new Uint8Array(8 * 8).fill(1), more: true },
          { at: 7, data: new Uint8Array((total - 7) * 8).fill(2), more: false },
        ];
        let out: Uint8Array | undefined;
        for (const piece of fragments) {
          piece.data.forEach((byte, i) => (model[piece.at * 8 + i] ??= byte));
          const { drop, segment } = take(v4(piece));
          const whole = model.every((byte) => byte !== undefined);
          expect(drop !== DROP_IP_FRAGMENT_HELD).toBe(whole);
          if (whole) {
            out = segment.bytes.slice(0, total * 8);
            break;
          }
        }
        expect([...out!]).toEqual(model);
        expect(table.pending).toBe(0);
      }),
      { numRuns: 300 },
    );
  });

  it('count duplicates and overlaps, and keep apart what is not of one packet', () => {
    const { take, counters, table } = parserWith();
    const [first, second] = cut(segment4('x'.repeat(40)), [4]);
    take(v4(first!));
    take(v4(first!));
    take(v4({ at: 2, data: new Uint8Array(24), more: true }));
    expect(counters.toJSON()).toEqual({ held: 3, duplicate: 1, overlapping: 1 });
    expect(take(v4(second!, 8)).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(v6({ at: 4, data: new Uint8Array(8), more: false })).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(v4(second!), { vlanTci: 5 }).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(v4(second!))).toMatchObject({ drop: DROP_NONE });
    expect(table.pending).toBe(3);
  });

  it('survive a teardrop: a last fragment inside the first is malformed', () => {
    const { take, counters } = parserWith();
    expect(take(v4({ at: 0, data: new Uint8Array(32), more: true })).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(v4({ at: 1, data: new Uint8Array(8), more: false })).drop).toBe(DROP_IP_FRAGMENT_MALFORMED);
    expect(counters.get('malformed')).toBe(1);
  });

  it.each<[string, Uint8Array]>([
    ['a length that is no multiple of eight', v4({ at: 0, data: new Uint8Array(12), more: true })],
    ['nothing in it', v4({ at: 4, data: bytes(), more: false })],
    ['an end beyond 65535', v4({ at: 0x1fff, data: new Uint8Array(16), more: false })],
  ])('are malformed with %s', (_, frame) => {
    expect(parserWith().take(frame).drop).toBe(DROP_IP_FRAGMENT_MALFORMED);
  });

  it('that contradict the known end are ignored', () => {
    const { take } = parserWith();
    take(v4({ at: 4, data: new Uint8Array(8), more: false }));
    expect(take(v4({ at: 5, data: new Uint8Array(8), more: false })).drop).toBe(DROP_IP_FRAGMENT_MALFORMED);
    expect(take(v4({ at: 4, data: new Uint8Array(16), more: true })).drop).toBe(DROP_IP_FRAGMENT_MALFORMED);
    expect(take(v4({ at: 0, data: segment4('x'.repeat(12)).subarray(0, 32), more: true }))).toMatchObject({
      drop: DROP_NONE,
    });
  });

  it('cut by the snap length are not used', () => {
    const { take, counters } = parserWith();
    const frame = v4({ at: 0, data: new Uint8Array(64), more: true });
    expect(take(frame.subarray(0, 60), { length: frame.length }).drop).toBe(DROP_FRAME_TRUNCATED);
    expect(counters.toJSON()).toEqual({ truncated: 1 });
  });

  it('with a bad header checksum are not used: their offset may be wrong', () => {
    const frame = v4({ at: 0, data: new Uint8Array(64), more: true });
    frame.set(u16(0x1234), 10);
    expect(parserWith().take(frame).drop).toBe(DROP_IP_CHECKSUM_BAD);
  });

  it('wait by capture time, also when it steps back, and are counted when it is up', () => {
    const first = v4({ at: 0, data: new Uint8Array(8), more: true });
    for (const later of [31e6, -31e6]) {
      const { take, counters, table } = parserWith();
      take(first, { time: 1e15 });
      take(v4({ at: 0, data: new Uint8Array(8), more: true }, 9), { time: 1e15 + 29e6 });
      expect(counters.get('expired')).toBe(0);
      take(v4({ at: 0, data: new Uint8Array(8), more: true }, 10), { time: 1e15 + later });
      expect(counters.get('expired')).toBe(later > 0 ? 1 : 2);
      expect(table.pending).toBe(later > 0 ? 2 : 1);
    }
  });

  it.each<[string, Partial<FragmentLimits>, number]>([
    ['datagrams', { datagrams: 3 }, 3],
    ['bytes', { bytes: 5 * 2048 }, 5],
  ])('are refused at the cap on %s, and taken again when time has freed some', (_, limits, room) => {
    const { take, counters, table } = parserWith({ timeout: seconds(30), ...limits });
    const nth = (n: number) => v4({ at: 0, data: new Uint8Array(8), more: true }, n);
    for (let n = 0; n < room; n++) expect(take(nth(n)).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(nth(100)).drop).toBe(DROP_IP_FRAGMENT_CAP);
    expect(counters.get('refused')).toBe(1);
    expect(take(nth(101), { time: 1e15 + 31e6 }).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(table.pending).toBe(1);
  });

  it('are refused beyond the cap of one datagram', () => {
    const { take } = parserWith({ fragments: 2 });
    const nth = (at: number) => v4({ at, data: new Uint8Array(8), more: true });
    expect([take(nth(0)).drop, take(nth(2)).drop, take(nth(4)).drop]).toEqual([
      DROP_IP_FRAGMENT_HELD,
      DROP_IP_FRAGMENT_HELD,
      DROP_IP_FRAGMENT_CAP,
    ]);
  });

  it('of IPv6 may hide further extension headers, and name TCP in the first alone', () => {
    const destination = bytes(6, 0, 1, 4, 0, 0, 0, 0);
    const [first, second] = cut(concat(destination, segment6('six')), [2]);
    const { take } = parserWith();
    expect(take(v6(second!, 7, 17)).drop).toBe(DROP_IP_FRAGMENT_HELD);
    expect(take(v6(first!, 7, 60))).toMatchObject({ drop: DROP_NONE, payload: 'six', segment: { checksum: 0 } });
  });

  it('leave their bytes to whoever got them', () => {
    const { take } = parserWith();
    const [a, b] = cut(segment4('first'), [2]);
    take(v4(a!));
    const first = take(v4(b!));
    const [c, d] = cut(segment4('other'), [2]);
    take(v4(c!, 8));
    const second = take(v4(d!, 8));
    expect(second.payload).toBe('other');
    const { bytes: memory, payloadOffset, payloadLength } = first.segment;
    expect(new TextDecoder().decode(memory.subarray(payloadOffset, payloadOffset + payloadLength))).toBe('first');
  });
});
