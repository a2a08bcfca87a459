import { describe, expect, it } from 'vitest';
import {
  DROP_FRAME_TRUNCATED,
  DROP_NOT_IP,
  DROP_UNKNOWN_LINK_TYPE,
  type DropReason,
} from '../../../src/core/drop-reason.ts';
import { FRAME_OUTGOING } from '../../../src/core/frame-batch.ts';
import { CHECKSUM_GOOD } from '../../../src/wire/segment.ts';
import { bytes, concat, ethernet, header, packet, parserOf, text, u16, u32, type FrameFacts } from './frames.ts';

const v4 = packet(text('four'));
const v6 = packet(text('six'), header({ ipVersion: 6 }));
const mac = bytes(2, 0, 0, 0, 0, 1);
const snap = bytes(0xaa, 0xaa, 3, 0, 0, 0);

function sll(packetType: number, protocol: number, payload: Uint8Array): Uint8Array {
  return concat(u16(packetType), u16(1), u16(6), mac, u16(0), u16(protocol), payload);
}

function sll2(packetType: number, protocol: number, payload: Uint8Array): Uint8Array {
  return concat(u16(protocol), u16(0), u32(3), u16(1), bytes(packetType, 6), mac, u16(0), payload);
}

function pppoe(ppp: Uint8Array): Uint8Array {
  return concat(bytes(0x11, 0), u16(0x1234), u16(ppp.length), ppp);
}

/** A data frame from the station to the access point. */
function wifi(control: number, flags: number, extra: Uint8Array, payload: Uint8Array): Uint8Array {
  return concat(bytes(control, flags, 0, 0), mac, mac, mac, bytes(0x30, 0x12), extra, snap, u16(0x0800), payload);
}

/** Netfilter's log: a mark and the packet, in the byte order of the host. */
function nflog(family: number, payload: Uint8Array, little = true): Uint8Array {
  const number = (n: number) => (little ? bytes(n & 0xff, n >> 8) : u16(n));
  const prefix = concat(number(7), number(10), bytes(0x61, 0x62, 0, 0));
  return concat(bytes(family, 0, 0, 5), prefix, number(4 + payload.length), number(9), payload);
}

const radiotap = bytes(0, 0, 10, 0, 0, 0, 0, 0, 7, 7);

describe('link types', () => {
  it.each<[string, number, Uint8Array, string]>([
    ['Ethernet, IPv4', 1, ethernet(0x0800, v4), 'four'],
    ['Ethernet, IPv6', 1, ethernet(0x86dd, v6), 'six'],
    ['Ethernet with LLC and SNAP', 1, ethernet(8 + v4.length, concat(snap, u16(0x0800), v4)), 'four'],
    ['NULL, little-endian', 0, concat(bytes(2, 0, 0, 0), v4), 'four'],
    ['NULL, big-endian', 0, concat(u32(2), v4), 'four'],
    ['NULL, IPv6 of Linux', 0, concat(u32(10), v6), 'six'],
    ['NULL, IPv6 of OpenBSD', 0, concat(u32(24), v6), 'six'],
    ['NULL, IPv6 of FreeBSD', 0, concat(bytes(28, 0, 0, 0), v6), 'six'],
    ['NULL, IPv6 of Darwin', 0, concat(bytes(30, 0, 0, 0), v6), 'six'],
    ['LOOP', 108, concat(u32(2), v4), 'four'],
    ['raw IP', 101, v4, 'four'],
    ['raw IP, as number 12', 12, v6, 'six'],
    ['raw IP, as number 14', 14, v4, 'four'],
    ['IPV4', 228, v4, 'four'],
    ['IPV6', 229, v6, 'six'],
    ['SLL', 113, sll(0, 0x0800, v4), 'four'],
    ['SLL, IPv6 behind a tag', 113, sll(0, 0x8100, concat(u16(5), u16(0x86dd), v6)), 'six'],
    ['SLL2', 276, sll2(0, 0x0800, v4), 'four'],
    ['SLL2, IPv6', 276, sll2(0, 0x86dd, v6), 'six'],
    ['NFLOG', 239, nflog(2, v4), 'four'],
    ['NFLOG of a big-endian host', 239, nflog(10, v6, false), 'six'],
    ['HDLC of Cisco', 104, concat(bytes(0x0f, 0), u16(0x0800), v4), 'four'],
    ['HDLC of Cisco, called PPP', 50, concat(bytes(0x8f, 0), u16(0x86dd), v6), 'six'],
    ['PPP', 9, concat(u16(0x0021), v4), 'four'],
    ['PPP with HDLC framing', 50, concat(u16(0xff03), u16(0x0057), v6), 'six'],
    ['PPP with a compressed protocol', 9, concat(bytes(0x21), v4), 'four'],
    ['PPP with MPLS', 9, concat(u16(0x0281), u32(0x0001_0140), v4), 'four'],
    ['PPPoE without Ethernet', 51, pppoe(concat(u16(0x0021), v4)), 'four'],
    ['802.11', 105, wifi(0x08, 1, bytes(), v4), 'four'],
    ['802.11 with QoS, behind radiotap', 127, concat(radiotap, wifi(0x88, 1, u16(0), v4)), 'four'],
    ['802.11 with four addresses', 105, wifi(0x08, 3, mac, v4), 'four'],
  ])('%s', (_, linkType, frame, payload) => {
    const parsed = parserOf().parse(frame, { linkType });
    expect(parsed).toMatchObject({ drop: 0, payload });
    expect(parsed.segment.checksum).toBe(CHECKSUM_GOOD);
  });

  it.each<[string, number, Uint8Array, DropReason]>([
    ['ARP', 1, ethernet(0x0806, new Uint8Array(28)), DROP_NOT_IP],
    ['spanning tree', 1, ethernet(38, bytes(0x42, 0x42, 3, 0, 0, 0, 0, 0)), DROP_NOT_IP],
    [
      'SNAP of another organisation',
      1,
      ethernet(60, concat(bytes(0xaa, 0xaa, 3, 0, 0, 12), u16(0x0800), v4)),
      DROP_NOT_IP,
    ],
    ['an address family that is not IP', 0, concat(u32(7), v4), DROP_NOT_IP],
    ['raw bytes that are not IP', 101, text('\x10 neither'), DROP_NOT_IP],
    ['PPPoE discovery', 51, concat(bytes(0x11, 9, 0, 0, 0, 0), v4), DROP_NOT_IP],
    ['keep-alives of Cisco', 104, concat(bytes(0x8f, 0), u16(0x8035), v4), DROP_NOT_IP],
    ['LCP', 9, concat(u16(0xc021), v4), DROP_NOT_IP],
    ['an encrypted 802.11 frame', 105, wifi(0x08, 0x41, bytes(), v4), DROP_NOT_IP],
    ['an 802.11 beacon', 105, wifi(0x80, 0, bytes(), v4), DROP_NOT_IP],
    ['an 802.11 frame of several', 105, wifi(0x88, 1, bytes(0x80, 0), v4), DROP_NOT_IP],
    ['a log of bridged frames', 239, nflog(7, v4), DROP_NOT_IP],
    ['a log without the packet', 239, nflog(2, bytes()), DROP_FRAME_TRUNCATED],
    ['a log that ends in an attribute', 239, nflog(2, v4).subarray(0, 10), DROP_FRAME_TRUNCATED],
    ['a log with an attribute of no length', 239, concat(bytes(2, 0, 0, 5), u32(0), v4), DROP_NOT_IP],
    ['an empty frame', 101, bytes(), DROP_FRAME_TRUNCATED],
    ['a link type without IP', 999, v4, DROP_UNKNOWN_LINK_TYPE],
  ])('drops %s', (_, linkType, frame, drop) => {
    expect(parserOf().parse(frame, { linkType }).drop).toBe(drop);
  });

  it.each<[string, Uint8Array, FrameFacts, boolean]>([
    ['SLL sent by us', sll(4, 0x0800, v4), { linkType: 113 }, true],
    ['SLL to us', sll(0, 0x0800, v4), { linkType: 113 }, false],
    ['SLL2 sent by us', sll2(4, 0x0800, v4), { linkType: 276 }, true],
    ['SLL2 to us', sll2(0, 0x0800, v4), { linkType: 276 }, false],
    ['the flag of the batch', ethernet(0x0800, v4), { flags: FRAME_OUTGOING }, true],
    ['nothing known', ethernet(0x0800, v4), {}, false],
  ])('knows the direction: %s', (_, frame, facts, outgoing) => {
    expect(parserOf().parse(frame, facts).segment.outgoing).toBe(outgoing);
  });
});
