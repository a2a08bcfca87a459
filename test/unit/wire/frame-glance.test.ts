import { describe, expect, it } from 'vitest';
import { glanceAtFrame } from '../../../src/wire/frame-glance.ts';
import { Segment } from '../../../src/wire/segment.ts';
import {
  batchOf,
  bytes,
  concat,
  ethernet,
  header,
  ipv4,
  ipv6,
  packet,
  parserOf,
  text,
  u16,
  u32,
  udp,
} from './frames.ts';

const v4 = packet(text('four'));
const v6 = packet(text('six'), header({ ipVersion: 6 }));
const mac = bytes(2, 0, 0, 0, 0, 1);
const sll = concat(u16(0), u16(1), u16(6), mac, u16(0), u16(0x0800), v4);
const sll2 = concat(u16(0x86dd), u16(0), u32(3), u16(1), bytes(0, 6), mac, u16(0), v6);
const withOptions = concat(bytes(0x46), v4.subarray(1, 20), bytes(1, 1, 1, 1), v4.subarray(20));

function endsOf(s: Segment): readonly number[] {
  return [s.src0, s.src1, s.src2, s.src3, s.srcPort, s.dst0, s.dst1, s.dst2, s.dst3, s.dstPort];
}

describe('a glance at a frame', () => {
  it.each<[string, number, Uint8Array]>([
    ['Ethernet, IPv4', 1, ethernet(0x0800, v4)],
    ['Ethernet, IPv6', 1, ethernet(0x86dd, v6)],
    ['IPv4 with options', 1, ethernet(0x0800, withOptions)],
    ['a VLAN', 1, ethernet(0x8100, concat(u16(5), u16(0x0800), v4))],
    ['a VLAN in a VLAN', 1, ethernet(0x88a8, concat(u16(5), u16(0x8100), u16(6), u16(0x86dd), v6))],
    ['raw IPv4', 101, v4],
    ['raw IPv6', 101, v6],
    ['IPV4', 228, v4],
    ['IPV6', 229, v6],
    ['SLL', 113, sll],
    ['SLL2', 276, sll2],
  ])('finds the ends that the parser finds: %s', (_, linkType, frame) => {
    const seen = new Segment();
    expect(glanceAtFrame(batchOf(frame, { linkType }), 0, seen)).toBe(true);
    const { drop, segment } = parserOf().parse(frame, { linkType });
    expect(drop).toBe(0);
    expect(endsOf(seen)).toEqual(endsOf(segment));
  });

  it.each<[string, number, Uint8Array]>([
    ['a first fragment', 1, ethernet(0x0800, ipv4(6, v4.subarray(20), 0x2000))],
    ['a later fragment', 1, ethernet(0x0800, ipv4(6, v4.subarray(20), 5))],
    ['a tunnel', 1, ethernet(0x0800, ipv4(17, udp(4789, concat(bytes(8, 0, 0, 0), u32(256), ethernet(0x0800, v4)))))],
    ['an extension header', 1, ethernet(0x86dd, ipv6(0, concat(bytes(6, 0, 1, 4, 0, 0, 0, 0), v6.subarray(40))))],
    ['MPLS', 1, ethernet(0x8847, concat(u32(0x1140), v4))],
    ['another link type', 108, concat(u32(2), v4)],
    ['a frame cut before the ports', 1, ethernet(0x0800, v4).subarray(0, 37)],
    ['a frame cut in its link header', 1, ethernet(0x0800, v4).subarray(0, 13)],
    ['an empty frame', 101, bytes()],
  ])('leaves it to the parser: %s', (_, linkType, frame) => {
    expect(glanceAtFrame(batchOf(frame, { linkType }), 0, new Segment())).toBe(false);
  });
});
