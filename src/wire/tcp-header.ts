/** The TCP header (RFC 9293 §3.1), and what its checksum is worth. */
import { DROP_NONE, DROP_TCP_HEADER_MALFORMED, type DropReason } from '../core/drop-reason.ts';
import { FRAME_CHECKSUM_PARTIAL, FRAME_CHECKSUM_VALID } from '../core/frame-batch.ts';
import { seqNum } from '../core/seq-num.ts';
import { foldSum, pseudoHeaderSum, sumBytes } from './checksum.ts';
import { PROTOCOL_TCP, type FrameCursor } from './frame-cursor.ts';
import { CHECKSUM_BAD, CHECKSUM_GOOD, CHECKSUM_UNVERIFIED, type Segment } from './segment.ts';

const HEADER_LENGTH_MIN = 20;
const DESTINATION_PORT = 2;
const SEQUENCE = 4;
const ACKNOWLEDGMENT = 8;
const OFFSET_AND_FLAGS = 12;
const WINDOW = 14;
const CHECKSUM = 16;
const URGENT_POINTER = 18;

/** Reads the header at the cursor into `out`, whose addresses the IP layer has set. */
export function parseTcp(c: FrameCursor, out: Segment, verify: boolean): DropReason {
  const view = c.view;
  const at = c.at;
  const present = c.end - at;
  if (present < HEADER_LENGTH_MIN) return c.short(DROP_TCP_HEADER_MALFORMED);
  const offsetAndFlags = view.getUint16(at + OFFSET_AND_FLAGS);
  const headerLength = (offsetAndFlags >>> 12) << 2;
  const length = present + c.missing;
  if (headerLength < HEADER_LENGTH_MIN || headerLength > length) return DROP_TCP_HEADER_MALFORMED;
  // The snap length may cut the options: then those that are whole can be read, and the payload is missing.
  const headerPresent = headerLength <= present ? headerLength : present;
  out.bytes = c.bytes;
  out.view = view;
  out.srcPort = view.getUint16(at);
  out.dstPort = view.getUint16(at + DESTINATION_PORT);
  out.encapsulation = c.path;
  out.seq = seqNum(view.getInt32(at + SEQUENCE));
  out.ack = seqNum(view.getInt32(at + ACKNOWLEDGMENT));
  out.flags = offsetAndFlags & 0xff;
  out.window = view.getUint16(at + WINDOW);
  out.urgentPointer = view.getUint16(at + URGENT_POINTER);
  out.optionsOffset = at + HEADER_LENGTH_MIN;
  out.optionsLength = headerPresent - HEADER_LENGTH_MIN;
  out.payloadOffset = at + headerPresent;
  out.payloadLength = present - headerPresent;
  out.payloadMissing = length - headerLength - out.payloadLength;
  out.outgoing = c.outgoing;
  out.checksum = classifyChecksum(c, out, verify);
  return DROP_NONE;
}

/**
 * A sender with checksum offload leaves the pseudo-header's sum in the field, not complemented, for the network card
 * to go on from: Linux and Darwin with the segment's length in it, others (large send offload on Windows) without. A
 * capture on the sending host, or on a veth pair, sees that; it says nothing about the payload. A packet shorter than it
 * says cannot be right, and no receiver takes it.
 */
function classifyChecksum(c: FrameCursor, out: Segment, verify: boolean): number {
  if (c.overlong) return CHECKSUM_BAD;
  if ((c.flags & FRAME_CHECKSUM_VALID) !== 0 && !c.inner) return CHECKSUM_GOOD;
  if (!verify || c.missing > 0 || c.routed || (c.flags & FRAME_CHECKSUM_PARTIAL) !== 0) return CHECKSUM_UNVERIFIED;
  const length = c.end - c.at;
  const pseudo = pseudoSum(out, length);
  if (foldSum(pseudo + sumBytes(c.view, c.at, length)) === 0xffff) return CHECKSUM_GOOD;
  const field = c.view.getUint16(c.at + CHECKSUM);
  return field === pseudo || field === pseudoSum(out, 0) ? CHECKSUM_UNVERIFIED : CHECKSUM_BAD;
}

function pseudoSum(s: Segment, length: number): number {
  return pseudoHeaderSum(s.src0, s.src1, s.src2, s.src3, s.dst0, s.dst1, s.dst2, s.dst3, PROTOCOL_TCP, length);
}
