import { describe, expect, it } from 'vitest';
import {
  DROP_FRAME_TRUNCATED,
  DROP_IP_HEADER_MALFORMED,
  DROP_IPV6_EXTENSION_MALFORMED,
  DROP_NONE,
  DROP_NOT_TCP,
  DROP_TCP_HEADER_MALFORMED,
  type DropReason,
} from '../../../src/core/drop-reason.ts';
import { FRAME_CHECKSUM_PARTIAL, FRAME_CHECKSUM_VALID } from '../../../src/core/frame-batch.ts';
import { foldSum, pseudoHeaderSum } from '../../../src/wire/checksum.ts';
import { CHECKSUM_BAD, CHECKSUM_GOOD, CHECKSUM_UNVERIFIED } from '../../../src/wire/segment.ts';
import {
  bytes,
  concat,
  ethernet,
  header,
  ipv4,
  ipv6,
  LINKTYPE_RAW,
  packet,
  parserOf,
  text,
  u16,
  u32,
} from './frames.ts';

const raw = { linkType: LINKTYPE_RAW };
const v6header = header({ ipVersion: 6 });

/** `at` counts from the beginning of an IPv4 packet without options; TCP begins at 20. */
function patched(packet: Uint8Array, at: number, value: Uint8Array): Uint8Array {
  const out = packet.slice();
  out.set(value, at);
  return out;
}

/** A segment alone, as extension headers and tunnels carry it. Its checksum is that of `header`'s addresses. */
function segmentOf(payload: string): Uint8Array {
  return packet(text(payload), v6header).subarray(40);
}

function verdict(frame: Uint8Array, facts = {}): number {
  const { drop, segment } = parserOf().parse(frame, { ...raw, ...facts });
  expect(drop).toBe(DROP_NONE);
  return segment.checksum;
}

describe('lengths', () => {
  it('are those of IP, not of the frame: a trailer is no data', () => {
    const { payload, segment } = parserOf().parse(concat(ethernet(0x0800, packet(text('ab'))), text('trailer')));
    expect(payload).toBe('ab');
    expect(segment).toMatchObject({ payloadMissing: 0, checksum: CHECKSUM_GOOD });
    const six = parserOf().parse(concat(ethernet(0x86dd, packet(text(''), v6header)), text('trailer')));
    expect(six.segment.sentLength).toBe(0);
  });

  it('reach to the end of the frame where segmentation offload left the length 0', () => {
    const four = patched(packet(text('super packet')), 2, u16(0));
    expect(parserOf().parse(four, raw).payload).toBe('super packet');
    const six = patched(packet(text('super packet'), v6header), 4, u16(0));
    expect(parserOf().parse(six, raw).payload).toBe('super packet');
    expect(parserOf().parse(four.subarray(0, 45), { ...raw, length: four.length }).segment).toMatchObject({
      payloadLength: 5,
      payloadMissing: 7,
    });
  });

  it('come from the jumbo option where IPv6 has one', () => {
    const payload = 'j'.repeat(70_000);
    const segment = concat(segmentOf('').slice(), text(payload));
    const jumbo = concat(bytes(6, 0, 0xc2, 4), u32(8 + segment.length));
    const frame = concat(ipv6(0, jumbo, 0), segment, text('trailer'));
    const parsed = parserOf({ verifyChecksums: false }).parse(frame, raw);
    expect(parsed).toMatchObject({ drop: DROP_NONE, payload });
  });

  it('say what the snap length cut, payload or options', () => {
    const whole = ethernet(0x0800, packet(text('0123456789'), header({}, new Uint8Array(12).fill(1))));
    const cut = (n: number) => parserOf().parse(whole.subarray(0, n), { length: whole.length }).segment;
    const start = 14 + 20 + 32;
    expect(cut(start + 4)).toMatchObject({ optionsLength: 12, payloadLength: 4, payloadMissing: 6, sentLength: 10 });
    expect(cut(start)).toMatchObject({ optionsLength: 12, payloadLength: 0, payloadMissing: 10 });
    expect(cut(start - 5)).toMatchObject({ optionsLength: 7, payloadLength: 0, payloadMissing: 10 });
    expect(cut(start - 5).checksum).toBe(CHECKSUM_UNVERIFIED);
  });

  it('do not count bytes that the trailer, not the segment, lost', () => {
    const whole = packet(text('abc'));
    expect(parserOf().parse(whole, { ...raw, length: whole.length + 9 }).segment).toMatchObject({
      payloadMissing: 0,
      checksum: CHECKSUM_GOOD,
    });
  });

  it('beyond the frame on the wire make the segment bad, not longer', () => {
    const lying = patched(packet(text('abc')), 2, u16(1000));
    expect(parserOf().parse(lying, raw).segment).toMatchObject({
      payloadLength: 3,
      payloadMissing: 0,
      checksum: CHECKSUM_BAD,
    });
  });

  it.each<[string, Uint8Array, DropReason]>([
    ['an IPv4 header of 16 bytes', patched(packet(), 0, bytes(0x44)), DROP_IP_HEADER_MALFORMED],
    ['a total length below the header', patched(packet(), 2, u16(19)), DROP_IP_HEADER_MALFORMED],
    ['a total length that ends in the TCP header', patched(packet(), 2, u16(39)), DROP_TCP_HEADER_MALFORMED],
    ['a TCP header of 16 bytes', patched(packet(), 32, bytes(0x40)), DROP_TCP_HEADER_MALFORMED],
    ['a TCP header longer than the packet', patched(packet(), 32, bytes(0xf0)), DROP_TCP_HEADER_MALFORMED],
  ])('drops %s', (_, frame, drop) => {
    expect(parserOf().parse(frame, raw).drop).toBe(drop);
  });

  it('drops IPv6 where IPv4 was announced, and the other way round', () => {
    expect(parserOf().parse(ethernet(0x0800, packet(text('x'), v6header))).drop).toBe(DROP_IP_HEADER_MALFORMED);
    expect(parserOf().parse(ethernet(0x86dd, packet(text('y'.repeat(40))))).drop).toBe(DROP_IP_HEADER_MALFORMED);
  });

  it('cut at any byte give a reason or a segment, the headers at least being there', () => {
    for (const whole of [
      ethernet(0x0800, packet(text('abcdef'))),
      ethernet(0x86dd, packet(text('abcdef'), v6header)),
    ]) {
      const headers = whole.length - 6;
      for (let n = 0; n < whole.length; n++) {
        const { drop, segment } = parserOf().parse(whole.subarray(0, n), { length: whole.length });
        expect(drop).toBe(n < headers ? DROP_FRAME_TRUNCATED : DROP_NONE);
        if (drop === DROP_NONE) expect(segment.payloadLength + segment.payloadMissing).toBe(6);
      }
    }
  });
});

describe('headers before TCP', () => {
  it('IPv4 options', () => {
    const plain = packet(text('abc'));
    const options = concat(
      bytes(0x46, 0),
      u16(plain.length + 4),
      plain.subarray(4, 20),
      u32(0x0101_0100),
      plain.subarray(20),
    );
    expect(parserOf().parse(options, raw)).toMatchObject({ drop: DROP_NONE, payload: 'abc' });
  });

  it('an authentication header, in both families', () => {
    const ah = concat(bytes(6, 4, 0, 0), u32(1), u32(2), new Uint8Array(12));
    expect(parserOf().parse(ipv4(51, concat(ah, segmentOf('abc'))), raw)).toMatchObject({
      drop: DROP_NONE,
      payload: 'abc',
    });
    expect(parserOf().parse(ipv6(51, concat(ah, segmentOf('abc'))), raw)).toMatchObject({
      drop: DROP_NONE,
      payload: 'abc',
      segment: { checksum: CHECKSUM_GOOD },
    });
  });

  it('a chain of IPv6 extension headers, an atomic fragment among them', () => {
    const hopByHop = bytes(60, 0, 1, 4, 0, 0, 0, 0);
    const destination = bytes(43, 1, 1, 12, ...new Array<number>(12).fill(0));
    const routing = bytes(44, 0, 4, 0, 0, 0, 0, 0);
    const atomic = concat(bytes(6, 0), u16(0), u32(99));
    const chain = concat(hopByHop, destination, routing, atomic, segmentOf('abc'));
    const { parser, parse } = parserOf();
    expect(parse(ipv6(0, chain), raw)).toMatchObject({ drop: DROP_NONE, payload: 'abc', segment: { checksum: 0 } });
    expect(parser.fragments.counters.get('held')).toBe(0);
  });

  it('a routing header still to be followed: the checksum is over another destination', () => {
    const routing = concat(bytes(6, 2, 0, 1), u32(0), new Uint8Array(16).fill(9));
    expect(verdict(ipv6(43, concat(routing, segmentOf('abc'))))).toBe(CHECKSUM_UNVERIFIED);
  });

  it.each<[string, Uint8Array, DropReason]>([
    ['ESP', ipv6(50, segmentOf('abc')), DROP_NOT_TCP],
    ['no next header', ipv6(59, bytes()), DROP_NOT_TCP],
    ['an extension beyond the packet', ipv6(60, bytes(6, 9, 0, 0, 0, 0, 0, 0)), DROP_IPV6_EXTENSION_MALFORMED],
    [
      'a chain without end',
      ipv6(60, concat(...Array.from({ length: 40 }, () => bytes(60, 0, 1, 4, 0, 0, 0, 0)))),
      DROP_IPV6_EXTENSION_MALFORMED,
    ],
  ])('drops %s', (_, frame, drop) => {
    expect(parserOf().parse(frame, raw).drop).toBe(drop);
  });
});

describe('checksums', () => {
  const good = packet(text('payload'));
  const flipped = patched(good, 42, bytes(good[42]! ^ 4));

  it('good, bad', () => {
    expect(verdict(good)).toBe(CHECKSUM_GOOD);
    expect(verdict(flipped)).toBe(CHECKSUM_BAD);
    expect(verdict(patched(good, 13, bytes(1)))).toBe(CHECKSUM_BAD);
  });

  it('a bad one in the IPv4 header says nothing when that of TCP holds', () => {
    expect(verdict(patched(good, 8, bytes(1)))).toBe(CHECKSUM_GOOD);
  });

  it.each([
    ['with the length of the segment', 27],
    ['without a length', 0],
  ])('left to the network card, %s', (_, length) => {
    for (const h of [header(), v6header]) {
      const whole = packet(text('payload'), h);
      const sum = foldSum(pseudoHeaderSum(h.src0, h.src1, h.src2, h.src3, h.dst0, h.dst1, h.dst2, h.dst3, 6, length));
      expect(verdict(patched(whole, whole.length - 7 - 20 + 16, u16(sum)))).toBe(CHECKSUM_UNVERIFIED);
    }
  });

  it('go by what the kernel says, where it does', () => {
    expect(verdict(flipped, { flags: FRAME_CHECKSUM_VALID })).toBe(CHECKSUM_GOOD);
    expect(verdict(flipped, { flags: FRAME_CHECKSUM_PARTIAL })).toBe(CHECKSUM_UNVERIFIED);
  });

  it('cannot be told of a cut segment', () => {
    expect(verdict(good.subarray(0, 44), { length: good.length })).toBe(CHECKSUM_UNVERIFIED);
  });

  it('are not summed when that is switched off', () => {
    const { parse } = parserOf({ verifyChecksums: false });
    expect(parse(flipped, raw).segment.checksum).toBe(CHECKSUM_UNVERIFIED);
    expect(parse(flipped, { ...raw, flags: FRAME_CHECKSUM_VALID }).segment.checksum).toBe(CHECKSUM_GOOD);
  });
});
