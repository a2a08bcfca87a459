/** IPv6 (RFC 8200) and the extension headers that may stand before TCP. */
import {
  DROP_IP_HEADER_MALFORMED,
  DROP_IPV6_EXTENSION_MALFORMED,
  DROP_NONE,
  type DropReason,
} from '../core/drop-reason.ts';
import { PROTOCOL_AH, PROTOCOL_TCP, type FrameCursor } from './frame-cursor.ts';
import { skipAuthenticationHeader } from './ipv4.ts';
import type { Segment } from './segment.ts';

const HEADER_LENGTH = 40;
const PAYLOAD_LENGTH = 4;
const NEXT_HEADER = 6;
const SOURCE = 8;
const DESTINATION = 24;

const HOP_BY_HOP = 0;
const ROUTING = 43;
const FRAGMENT = 44;
const NO_NEXT_HEADER = 59;
const DESTINATION_OPTIONS = 60;
const MOBILITY = 135;
const HIP = 139;
const SHIM6 = 140;

const FRAGMENT_HEADER_LENGTH = 8;
const FRAGMENT_OFFSET_MASK = 0xfff8;
const MORE_FRAGMENTS = 1;

const OPTION_PAD1 = 0;
/** Jumbo payload (RFC 2675 §2), which Linux BIG TCP uses inside a host. */
const OPTION_JUMBO = 0xc2;

/** Headers in one chain: RFC 8200 §4.1 foresees eight. */
const EXTENSIONS_MAX = 12;

/**
 * Reads the header at the cursor and the extension headers after it: addresses into `out`, the rest into the cursor,
 * which then stands on what `protocol` names, or on a fragment of it.
 *
 * A payload length of 0 comes with a jumbo option, or is left by segmentation offload: it reaches to the frame's end.
 */
export function parseIpv6(c: FrameCursor, out: Segment): DropReason {
  const view = c.view;
  const at = c.at;
  if (c.end - at < HEADER_LENGTH) return c.short(DROP_IP_HEADER_MALFORMED);
  if (view.getUint8(at) >>> 4 !== 6) return DROP_IP_HEADER_MALFORMED;
  out.ipVersion = 6;
  out.src0 = view.getInt32(at + SOURCE);
  out.src1 = view.getInt32(at + SOURCE + 4);
  out.src2 = view.getInt32(at + SOURCE + 8);
  out.src3 = view.getInt32(at + SOURCE + 12);
  out.dst0 = view.getInt32(at + DESTINATION);
  out.dst1 = view.getInt32(at + DESTINATION + 4);
  out.dst2 = view.getInt32(at + DESTINATION + 8);
  out.dst3 = view.getInt32(at + DESTINATION + 12);
  c.protocol = view.getUint8(at + NEXT_HEADER);
  c.at = at + HEADER_LENGTH;
  const payloadLength = view.getUint16(at + PAYLOAD_LENGTH);
  if (payloadLength !== 0) c.limit(payloadLength);
  else if (c.protocol === NO_NEXT_HEADER) c.limit(0);
  return c.protocol === PROTOCOL_TCP ? DROP_NONE : skipExtensions(c);
}

/** Walks the chain from the header that `protocol` names; ends at the first that is no extension, or at a fragment. */
export function skipExtensions(c: FrameCursor): DropReason {
  for (let n = 0; n < EXTENSIONS_MAX; n++) {
    let drop: DropReason;
    switch (c.protocol) {
      case HOP_BY_HOP:
      case DESTINATION_OPTIONS:
      case MOBILITY:
      case HIP:
      case SHIM6:
      case ROUTING:
        drop = skipExtension(c);
        break;
      case PROTOCOL_AH:
        drop = skipAuthenticationHeader(c, DROP_IPV6_EXTENSION_MALFORMED);
        break;
      case FRAGMENT:
        drop = takeFragmentHeader(c);
        break;
      default:
        return DROP_NONE;
    }
    if (drop !== DROP_NONE || c.fragmented) return drop;
  }
  return DROP_IPV6_EXTENSION_MALFORMED;
}

/** RFC 6564 §4: next header, then the length in units of eight bytes beyond the first. */
function skipExtension(c: FrameCursor): DropReason {
  if (c.end - c.at < 8) return c.short(DROP_IPV6_EXTENSION_MALFORMED);
  const length = (c.view.getUint8(c.at + 1) + 1) << 3;
  if (length > c.end - c.at) return c.short(DROP_IPV6_EXTENSION_MALFORMED);
  if (c.protocol === HOP_BY_HOP) readJumboLength(c, length);
  // RFC 8200 §8.1: the checksum is over the final destination, which is still in the routing header.
  if (c.protocol === ROUTING && c.view.getUint8(c.at + 3) !== 0) c.routed = true;
  c.protocol = c.view.getUint8(c.at);
  c.at += length;
  return DROP_NONE;
}

/** The jumbo length counts from the end of the IPv6 header: from where the hop-by-hop header begins. */
function readJumboLength(c: FrameCursor, length: number): void {
  const end = c.at + length;
  let at = c.at + 2;
  while (at < end) {
    const type = c.view.getUint8(at);
    if (type === OPTION_PAD1) {
      at++;
      continue;
    }
    if (at + 2 > end) return;
    if (type === OPTION_JUMBO && at + 6 <= end) {
      const jumbo = c.view.getInt32(at + 2);
      if (jumbo > length) c.limit(jumbo);
      return;
    }
    at += 2 + c.view.getUint8(at + 1);
  }
}

/** RFC 8200 §4.5. A fragment that is the whole packet is simply that (RFC 6946). */
function takeFragmentHeader(c: FrameCursor): DropReason {
  if (c.end - c.at < FRAGMENT_HEADER_LENGTH) return c.short(DROP_IPV6_EXTENSION_MALFORMED);
  const offsetAndMore = c.view.getUint16(c.at + 2);
  c.fragmentOffset = offsetAndMore & FRAGMENT_OFFSET_MASK;
  c.moreFragments = (offsetAndMore & MORE_FRAGMENTS) !== 0;
  c.fragmented = c.fragmentOffset !== 0 || c.moreFragments;
  c.fragmentId = c.view.getInt32(c.at + 4);
  c.protocol = c.view.getUint8(c.at);
  c.at += FRAGMENT_HEADER_LENGTH;
  return DROP_NONE;
}
