/** How much of a frame to keep where only so much payload is wanted of each TCP segment. */
import { etherTypeOffset, LINKTYPE_RAW } from './link-type.ts';
import { VLAN_TAGS, VLAN_TYPES } from './selection.ts';

/** Ethernet with two VLAN tags, IPv6 or IPv4 with options, TCP with options. */
const HEADERS_MAX = 14 + 8 + 60 + 60;
const IPPROTO_TCP = 6;

/** The length of a frame that holds all headers of a TCP segment and `payload` bytes. */
export function lengthFor(payload: number): number {
  return HEADERS_MAX + payload;
}

/**
 * Bytes to keep of a frame of `captured` bytes at the start of `frame`. Fragments, IPv6 extension headers and whatever is
 * not known to be TCP are kept whole: they are to be put together, or looked into, later.
 */
export function wantedLength(frame: Uint8Array, captured: number, linkType: number, payload: number): number {
  const enough = lengthFor(payload);
  if (captured <= enough) return captured;
  const ip = networkOffset(frame, linkType);
  if (ip < 0) return captured;
  const version = frame[ip]! >> 4;
  const whole4 = version === 4 && frame[ip + 9] === IPPROTO_TCP && ((frame[ip + 6]! & 0x3f) | frame[ip + 7]!) === 0;
  const whole6 = version === 6 && frame[ip + 6] === IPPROTO_TCP;
  return whole4 || whole6 ? enough : captured;
}

/** Where the IP header begins; -1 where that is not known. */
function networkOffset(frame: Uint8Array, linkType: number): number {
  if (linkType === LINKTYPE_RAW) return 0;
  let at = etherTypeOffset(linkType);
  if (at < 0) return -1;
  for (let tags = 0; tags < VLAN_TAGS && VLAN_TYPES.includes((frame[at]! << 8) | frame[at + 1]!); tags++) at += 4;
  return at + 2;
}
