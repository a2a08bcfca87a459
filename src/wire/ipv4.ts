/** IPv4 (RFC 791) and, where it stands before TCP, the authentication header (RFC 4302). */
import { DROP_IP_CHECKSUM_BAD, DROP_IP_HEADER_MALFORMED, DROP_NONE, type DropReason } from '../core/drop-reason.ts';
import { V4_MAPPED_WORD } from '../core/ip-address.ts';
import { sumBytes } from './checksum.ts';
import { PROTOCOL_AH, type FrameCursor } from './frame-cursor.ts';
import type { Segment } from './segment.ts';

const HEADER_LENGTH_MIN = 20;
const TOTAL_LENGTH = 2;
const IDENTIFICATION = 4;
const FRAGMENT = 6;
const PROTOCOL = 9;
const CHECKSUM = 10;
const SOURCE = 12;
const DESTINATION = 16;

const MORE_FRAGMENTS = 0x2000;
/** In units of eight bytes. */
const FRAGMENT_OFFSET_MASK = 0x1fff;

/**
 * Reads the header at the cursor: addresses into `out`, the rest into the cursor, which then stands on the payload.
 *
 * The total length governs; what the frame has beyond it is padding; what the frame lacks of it is missing. A total length of 0 is a packet that segmentation
 * offload (or BIG TCP) has yet to cut or stamp: it reaches to the end of the frame.
 *
 * The header checksum decides only over fragments, where a wrong offset or identification would spoil a whole packet.
 * Of a whole segment TCP's own checksum covers the addresses, the protocol and the length, so a second verdict could only
 * throw away sound data: recordings whose addresses were rewritten hold thousands of such headers. A checksum of 0 is
 * one that the network card was to fill in.
 */
export function parseIpv4(c: FrameCursor, out: Segment): DropReason {
  const view = c.view;
  const at = c.at;
  const present = c.end - at;
  if (present < HEADER_LENGTH_MIN) return c.short(DROP_IP_HEADER_MALFORMED);
  const versionAndLength = view.getUint8(at);
  const headerLength = (versionAndLength & 0xf) << 2;
  if (versionAndLength >>> 4 !== 4 || headerLength < HEADER_LENGTH_MIN) return DROP_IP_HEADER_MALFORMED;
  if (headerLength > present) return c.short(DROP_IP_HEADER_MALFORMED);
  const totalLength = view.getUint16(at + TOTAL_LENGTH);
  if (totalLength !== 0) {
    if (totalLength < headerLength) return DROP_IP_HEADER_MALFORMED;
    c.limit(totalLength);
  }
  out.ipVersion = 4;
  out.src0 = 0;
  out.src1 = 0;
  out.src2 = V4_MAPPED_WORD;
  out.src3 = view.getInt32(at + SOURCE);
  out.dst0 = 0;
  out.dst1 = 0;
  out.dst2 = V4_MAPPED_WORD;
  out.dst3 = view.getInt32(at + DESTINATION);
  c.protocol = view.getUint8(at + PROTOCOL);
  c.at = at + headerLength;
  const fragment = view.getUint16(at + FRAGMENT);
  if ((fragment & (MORE_FRAGMENTS | FRAGMENT_OFFSET_MASK)) !== 0) {
    if (view.getUint16(at + CHECKSUM) !== 0 && sumBytes(view, at, headerLength) !== 0xffff) return DROP_IP_CHECKSUM_BAD;
    c.fragmented = true;
    c.fragmentId = view.getUint16(at + IDENTIFICATION);
    c.fragmentOffset = (fragment & FRAGMENT_OFFSET_MASK) << 3;
    c.moreFragments = (fragment & MORE_FRAGMENTS) !== 0;
  }
  return DROP_NONE;
}

/** Steps over an authentication header: what it protects is in the clear. Its length is in words, less two. */
export function skipAuthenticationHeader(c: FrameCursor, malformed: DropReason): DropReason {
  if (c.protocol !== PROTOCOL_AH) return DROP_NONE;
  if (c.end - c.at < 2) return c.short(malformed);
  const length = (c.view.getUint8(c.at + 1) + 2) << 2;
  if (length > c.end - c.at) return c.short(malformed);
  c.protocol = c.view.getUint8(c.at);
  c.at += length;
  return DROP_NONE;
}
