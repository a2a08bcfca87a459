import { describe, expect, it } from 'vitest';
import { DROP_NOT_IP, DROP_NOT_TCP, DROP_TUNNEL_UNKNOWN, type DropReason } from '../../../src/core/drop-reason.ts';
import { FRAME_CHECKSUM_VALID } from '../../../src/core/frame-batch.ts';
import { CHECKSUM_BAD } from '../../../src/wire/segment.ts';
import { bytes, concat, ethernet, header, ipv4, ipv6, packet, parserOf, text, u16, u32, udp } from './frames.ts';

const v4 = packet(text('four'));
const v6 = packet(text('six'), header({ ipVersion: 6 }));
const eth4 = ethernet(0x0800, v4);

function tag(tci: number, etherType: number, payload: Uint8Array): Uint8Array {
  return concat(u16(tci), u16(etherType), payload);
}

/** Label 16, then label 17 at the bottom of the stack. */
function mpls(payload: Uint8Array): Uint8Array {
  return concat(u32((16 << 12) | 64), u32((17 << 12) | 0x100 | 64), payload);
}

const vni = (id: number) => concat(bytes(8, 0, 0, 0), u32(id << 8));
const pppoe = (ppp: Uint8Array) => concat(bytes(0x11, 0, 0, 1), u16(ppp.length), ppp);
const gtp = (flags: number, type: number, rest: Uint8Array) => concat(bytes(flags, type), u16(0), u32(99), rest);

const erspan3 = (flags: number) => concat(u32(0x2064_0001), u32(0), u16(0), u16(flags));

/** The IP packet, or what an EtherType announces; the name of the path; the payload. */
const PATHS: [string, number, Uint8Array, string, string][] = [
  ['plain', 0x0800, v4, '', 'four'],
  ['a VLAN', 0x8100, tag(0x2064, 0x0800, v4), 'vlan 100', 'four'],
  ['a priority tag is no VLAN', 0x8100, tag(0x6000, 0x0800, v4), '', 'four'],
  ['QinQ', 0x88a8, tag(7, 0x8100, tag(9, 0x86dd, v6)), 'vlan 7 / vlan 9', 'six'],
  [
    'three tags of old switches',
    0x9100,
    tag(1, 0x9200, tag(2, 0x9300, tag(3, 0x0800, v4))),
    'vlan 1 / vlan 2 / vlan 3',
    'four',
  ],
  ['PPPoE', 0x8864, pppoe(concat(u16(0x0021), v4)), '', 'four'],
  ['PPPoE on a VLAN', 0x8100, tag(5, 0x8864, pppoe(concat(u16(0x0057), v6))), 'vlan 5', 'six'],
  ['MPLS, IPv4', 0x8847, mpls(v4), '', 'four'],
  ['MPLS, IPv6', 0x8848, mpls(v6), '', 'six'],
  ['MPLS pseudowire', 0x8847, mpls(concat(u32(0), eth4)), '', 'four'],
  ['IP in IP', 0x0800, ipv4(4, v4), 'ip 4', 'four'],
  ['6in4', 0x0800, ipv4(41, v6), 'ip 6', 'six'],
  ['4in6', 0x86dd, ipv6(4, v4), 'ip 4', 'four'],
  ['6in6', 0x86dd, ipv6(41, v6), 'ip 6', 'six'],
  ['GRE', 0x0800, ipv4(47, concat(u16(0), u16(0x0800), v4)), 'gre 0', 'four'],
  [
    'GRE with checksum, key, sequence',
    0x0800,
    ipv4(47, concat(u16(0xb000), u16(0x86dd), u32(0), u32(5), u32(1), v6)),
    'gre 5',
    'six',
  ],
  ['GRE with Ethernet', 0x86dd, ipv6(47, concat(u16(0), u16(0x6558), eth4)), 'gre 0', 'four'],
  ['ERSPAN type I', 0x0800, ipv4(47, concat(u16(0), u16(0x88be), eth4)), 'gre 0', 'four'],
  [
    'ERSPAN type II',
    0x0800,
    ipv4(47, concat(u16(0x1000), u16(0x88be), u32(1), u32(0x1064_0001), u32(0), eth4)),
    'gre 0',
    'four',
  ],
  [
    'ERSPAN type III with what platforms add',
    0x0800,
    ipv4(47, concat(u16(0x1000), u16(0x22eb), u32(1), erspan3(0x0001), new Uint8Array(8), eth4)),
    'gre 0',
    'four',
  ],
  [
    'ERSPAN type III of IP',
    0x0800,
    ipv4(47, concat(u16(0x1000), u16(0x22eb), u32(1), erspan3(0x0800), v6)),
    'gre 0',
    'six',
  ],
  ['VXLAN', 0x0800, ipv4(17, udp(4789, concat(vni(5001), eth4))), 'vxlan 5001', 'four'],
  ['VXLAN of IP', 0x0800, ipv4(17, udp(4790, concat(bytes(12, 0, 0, 2), u32(9 << 8), v6))), 'vxlan 9', 'six'],
  [
    'VXLAN at the port of old Linux, with a tag inside',
    0x0800,
    ipv4(17, udp(8472, concat(vni(1), ethernet(0x8100, tag(3, 0x0800, v4))))),
    'vxlan 1 / vlan 3',
    'four',
  ],
  [
    'Geneve with options',
    0x0800,
    ipv4(17, udp(6081, concat(bytes(1, 0, 0x65, 0x58), u32(77 << 8), u32(0), eth4))),
    'geneve 77',
    'four',
  ],
  ['GTP-U', 0x0800, ipv4(17, udp(2152, gtp(0x30, 255, v4))), 'gtp-u 0', 'four'],
  [
    'GTP-U with extension headers',
    0x0800,
    ipv4(17, udp(2152, gtp(0x34, 255, concat(bytes(0, 0, 0, 0x85, 1, 0, 9, 0xc0, 2, 0, 0, 0, 0, 0, 0, 0), v6)))),
    'gtp-u 0',
    'six',
  ],
  [
    'L2TP',
    0x0800,
    ipv4(17, udp(1701, concat(u16(0x4002), u16(0), u32(1), u16(0xff03), u16(0x0021), v4))),
    'l2tp 0',
    'four',
  ],
  [
    'L2TP from port 1701, with every optional field',
    0x0800,
    ipv4(17, udp(33_000, concat(u16(0x4a02), u16(0), u32(1), u32(2), u16(3), bytes(9, 9, 9), u16(0x0057), v6), 1701)),
    'l2tp 0',
    'six',
  ],
  ['a tunnel in a tunnel', 0x0800, ipv4(4, ipv4(47, concat(u16(0), u16(0x86dd), v6))), 'ip 4 / gre 0', 'six'],
];

describe('tags and tunnels', () => {
  it.each(PATHS)('%s', (_, etherType, payload, path, expected) => {
    const { parser, parse } = parserOf();
    const parsed = parse(ethernet(etherType, payload));
    expect(parsed).toMatchObject({ drop: 0, payload: expected });
    expect(parsed.segment.checksum).toBe(0);
    expect(parser.paths.describe(parsed.segment.encapsulation)).toBe(path);
  });

  it('are told apart in the key, unless that is switched off', () => {
    const keyed = parserOf();
    const ids = PATHS.map(([, etherType, payload]) => keyed.parse(ethernet(etherType, payload)).segment.encapsulation);
    const names = PATHS.map(([, , , path]) => path);
    expect(new Set(ids).size).toBe(new Set(names).size);
    const flat = parserOf({ keyByEncapsulation: false });
    for (const [, etherType, payload] of PATHS) {
      expect(flat.parse(ethernet(etherType, payload)).segment.encapsulation).toBe(0);
    }
  });

  it('takes a tag that the kernel stripped for the outermost', () => {
    const { parser, parse } = parserOf();
    const inside = ethernet(0x8100, tag(9, 0x0800, v4));
    const { segment } = parse(inside, { vlanTci: 0x2007 });
    expect(parser.paths.describe(segment.encapsulation)).toBe('vlan 7 / vlan 9');
    expect(parse(ethernet(0x88a8, tag(7, 0x8100, tag(9, 0x0800, v4)))).segment.encapsulation).toBe(
      segment.encapsulation,
    );
    expect(parse(ethernet(0x0800, v4), { vlanTci: 0xe000 }).segment.encapsulation).toBe(0);
  });

  it('listens to other VXLAN ports when told so', () => {
    const frame = ethernet(0x0800, ipv4(17, udp(5555, concat(vni(2), eth4))));
    expect(parserOf().parse(frame).drop).toBe(DROP_NOT_TCP);
    expect(parserOf({ vxlanPorts: [5555] }).parse(frame)).toMatchObject({ drop: 0, payload: 'four' });
  });

  it('does not take the verdict of the kernel on an outer checksum for one on the inner', () => {
    const broken = v4.slice();
    broken[broken.length - 1]! ^= 1;
    const { segment } = parserOf().parse(ethernet(0x0800, ipv4(4, broken)), { flags: FRAME_CHECKSUM_VALID });
    expect(segment.checksum).toBe(CHECKSUM_BAD);
  });

  it.each<[string, number, Uint8Array, DropReason]>([
    ['UDP', 0x0800, ipv4(17, udp(53, text('query'))), DROP_NOT_TCP],
    ['ICMP that quotes TCP', 0x0800, ipv4(1, concat(u32(0x0303_0000), u32(0), v4)), DROP_NOT_TCP],
    ['ESP', 0x0800, ipv4(50, v4), DROP_NOT_TCP],
    ['VXLAN without a network', 0x0800, ipv4(17, udp(4789, concat(new Uint8Array(8), eth4))), DROP_TUNNEL_UNKNOWN],
    ['VXLAN of NSH', 0x0800, ipv4(17, udp(4790, concat(bytes(12, 0, 0, 4), u32(9 << 8), v4))), DROP_TUNNEL_UNKNOWN],
    ['PPTP', 0x0800, ipv4(47, concat(u16(0x3001), u16(0x880b), v4)), DROP_TUNNEL_UNKNOWN],
    ['GRE of something else', 0x0800, ipv4(47, concat(u16(0), u16(0x88b5), v4)), DROP_NOT_IP],
    ['ERSPAN of CAN', 0x0800, ipv4(47, concat(u16(0x1000), u16(0x22eb), u32(1), erspan3(0x1000), v4)), DROP_NOT_IP],
    [
      'ERSPAN without its header',
      0x0800,
      ipv4(47, concat(u16(0x1000), u16(0x22eb), u32(1), u32(0))),
      DROP_TUNNEL_UNKNOWN,
    ],
    ['GTP echo', 0x0800, ipv4(17, udp(2152, gtp(0x32, 1, u32(0)))), DROP_NOT_TCP],
    [
      'GTP with an extension of length 0',
      0x0800,
      ipv4(17, udp(2152, gtp(0x34, 255, concat(bytes(0, 0, 0, 1, 0, 0, 0, 1), v4)))),
      DROP_TUNNEL_UNKNOWN,
    ],
    ['L2TP control', 0x0800, ipv4(17, udp(1701, concat(u16(0xc802), new Uint8Array(10)))), DROP_NOT_TCP],
    ['L2TP version 3', 0x0800, ipv4(17, udp(1701, concat(u16(3), new Uint8Array(10)))), DROP_TUNNEL_UNKNOWN],
    [
      'Geneve of another version',
      0x0800,
      ipv4(17, udp(6081, concat(bytes(0x40, 0, 0x65, 0x58), u32(0), eth4))),
      DROP_TUNNEL_UNKNOWN,
    ],
    ['tunnels without end', 0x0800, ipv4(4, ipv4(4, ipv4(4, ipv4(4, v4)))), DROP_TUNNEL_UNKNOWN],
    ['tags without end', 0x8100, concat(...Array.from({ length: 40 }, () => tag(1, 0x8100, bytes()))), DROP_NOT_IP],
  ])('drops %s', (_, etherType, payload, drop) => {
    expect(parserOf().parse(ethernet(etherType, payload)).drop).toBe(drop);
  });
});
