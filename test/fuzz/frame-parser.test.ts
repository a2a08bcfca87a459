// Invariant: no bytes make the parser throw or point outside the memory it was given; the lengths it reports add up. What a
// glance takes for the ends of a connection are those that the parser finds, if it takes the frame.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DROP_REASONS } from '../../src/core/drop-reason.ts';
import { FrameBatch, NO_VLAN } from '../../src/core/frame-batch.ts';
import { formatEndpoint } from '../../src/core/ip-address.ts';
import { instant } from '../../src/core/time.ts';
import { glanceAtFrame } from '../../src/wire/frame-glance.ts';
import { FrameParser } from '../../src/wire/frame-parser.ts';
import { Segment } from '../../src/wire/segment.ts';
import { parseTcpOptions, TcpOptions } from '../../src/wire/tcp-options.ts';
import { fuzzRuns } from '../support/fuzzing.ts';
import { bytes, concat, ethernet, header, ipv4, ipv6, packet, text, u16, u32, udp } from '../unit/wire/frames.ts';

const LINK_TYPES = [0, 1, 9, 12, 14, 50, 51, 101, 105, 108, 113, 127, 228, 229, 276];

const v4 = packet(text('payload'), header({}, bytes(2, 4, 5, 0xb4, 1, 1, 5, 10, 0, 0, 0, 1, 0, 0, 0, 9)));
const v6 = packet(text('payload'), header({ ipVersion: 6 }));
const SEEDS = [
  ethernet(0x0800, v4),
  ethernet(0x8100, concat(u16(5), u16(0x86dd), v6)),
  ethernet(0x88a8, concat(u16(5), u16(0x8864), bytes(0x11, 0, 0, 1, 0, 50), u16(0x21), v4)),
  ethernet(0x8847, concat(u32(0x1040), u32(0x1140), v4)),
  ethernet(0x0800, ipv4(17, udp(4789, concat(bytes(8, 0, 0, 0), u32(256), ethernet(0x0800, v4))))),
  ethernet(0x0800, ipv4(17, udp(2152, concat(bytes(0x34, 255), u16(0), u32(9), bytes(0, 0, 0, 0x85, 1, 0, 9, 0), v4)))),
  ethernet(
    0x0800,
    ipv4(17, udp(1701, concat(u16(0x4a02), u16(0), u32(1), u32(2), u16(3), bytes(9, 9, 9), u16(0x57), v6))),
  ),
  ethernet(0x0800, ipv4(17, udp(6081, concat(bytes(1, 0, 0x65, 0x58), u32(256), u32(0), ethernet(0x86dd, v6))))),
  ethernet(0x0800, ipv4(47, concat(u16(0xb000), u16(0x86dd), u32(0), u32(5), u32(1), v6))),
  ethernet(
    0x86dd,
    ipv6(0, concat(bytes(60, 0, 0xc2, 4), u32(200), bytes(43, 0, 1, 4, 0, 0, 0, 0), bytes(51, 0, 0, 0, 0, 0, 0, 0))),
  ),
  ethernet(0x0800, ipv4(6, v4.subarray(20), 0x2000)),
  ethernet(0x86dd, ipv6(44, concat(bytes(6, 0, 0, 1), u32(9), v6.subarray(40, 56)))),
  concat(u32(2), v4),
  concat(new Uint8Array(14), u16(0x0800), v4),
  v6,
];

const mutation = fc.record({ at: fc.nat(200), value: fc.nat(255), insert: fc.boolean() });
const mutated = fc
  .tuple(fc.constantFrom(...SEEDS), fc.array(mutation, { maxLength: 6 }), fc.nat(200))
  .map(([seed, list, cut]) => {
    const frame = [...seed];
    for (const { at, value, insert } of list) frame.splice(at % frame.length, insert ? 0 : 1, value);
    return Uint8Array.from(cut < frame.length && cut % 3 === 0 ? frame.slice(0, cut) : frame);
  });
const anyFrame = fc.oneof(
  { weight: 4, arbitrary: mutated },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 120 }) },
);

function endsOf(s: Segment): string {
  return `${formatEndpoint(s.source())} ${formatEndpoint(s.destination())}`;
}

describe('the frame parser', () => {
  it('holds its invariant on mutated frames of every link type', () => {
    const parser = new FrameParser({ verifyChecksums: true, fragments: { datagrams: 16, bytes: 1 << 20 } });
    const segment = new Segment();
    const glanced = new Segment();
    let glances = 0;
    const options = new TcpOptions();
    const reasons = new Set<number>();
    const facts = fc.record({
      linkType: fc.constantFrom(...LINK_TYPES, 1, 1, 1, 999),
      beyond: fc.constantFrom(0, 0, 1, 1000, 0xffff_0000),
      flags: fc.nat(7),
      vlanTci: fc.constantFrom(NO_VLAN, NO_VLAN, 5),
      time: fc.nat(1e9),
    });
    fc.assert(
      fc.property(anyFrame, facts, (frame, { linkType, beyond, flags, vlanTci, time }) => {
        const before = 4;
        const memory = concat(new Uint8Array(before).fill(0xee), frame, new Uint8Array(4).fill(0xee));
        const batch = new FrameBatch(1, memory);
        batch.add(before, frame.length, frame.length + beyond, instant(time), linkType, flags, vlanTci);
        const seen = glanceAtFrame(batch, 0, glanced);
        if (seen) glances++;
        const drop = parser.parse(batch, 0, segment);
        expect(DROP_REASONS[drop]).toBeDefined();
        reasons.add(drop);
        if (drop !== 0) return;
        if (seen) expect(endsOf(glanced)).toEqual(endsOf(segment));
        const own = segment.bytes === memory;
        const [low, high] = own ? [before, before + frame.length] : [0, segment.bytes.length];
        expect(segment.view.byteLength).toBe(segment.bytes.length);
        expect(segment.optionsOffset).toBeGreaterThanOrEqual(low + 20);
        expect(segment.optionsLength).toBeGreaterThanOrEqual(0);
        expect(segment.optionsLength).toBeLessThanOrEqual(40);
        expect(segment.payloadOffset).toBe(segment.optionsOffset + segment.optionsLength);
        expect(segment.payloadLength).toBeGreaterThanOrEqual(0);
        expect(segment.payloadOffset + segment.payloadLength).toBeLessThanOrEqual(high);
        expect(segment.payloadMissing).toBeGreaterThanOrEqual(0);
        if (beyond === 0) expect(segment.payloadMissing).toBe(0);
        expect(segment.encapsulation).toBeGreaterThanOrEqual(0);
        parseTcpOptions(segment, options);
      }),
      { numRuns: fuzzRuns(30_000) },
    );
    const { held, joined, expired } = { held: 0, joined: 0, expired: 0, ...parser.fragments.counters.toJSON() };
    expect(held - joined - expired).toBe(parser.fragments.pending);
    // The mutations are of use only while they reach most of the code.
    expect(reasons.size).toBeGreaterThan(8);
    expect(glances).toBeGreaterThan(100);
  });
});
