/**
 * Packets from the log target of netfilter (`tcpdump -i nflog:5`): LINKTYPE_NFLOG of the pcap registry. A header of four
 * bytes, then attributes, one of which is the packet.
 */
import { DROP_FRAME_TRUNCATED, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import type { FrameCursor } from './frame-cursor.ts';
import { enterIpByVersion } from './ip-version.ts';

const HEADER_LENGTH = 4;
/** Length, which includes these four bytes, and type. */
const ATTRIBUTE_HEADER_LENGTH = 4;
const ATTRIBUTE_PAYLOAD = 9;
/** AF_INET and AF_INET6 of Linux, which alone has it. */
const FAMILY_IPV4 = 2;
const FAMILY_IPV6 = 10;

export function enterNflog(c: FrameCursor): DropReason {
  const { view, end } = c;
  if (end - c.at < HEADER_LENGTH) return DROP_FRAME_TRUNCATED;
  const family = view.getUint8(c.at);
  if (family !== FAMILY_IPV4 && family !== FAMILY_IPV6) return DROP_NOT_IP;
  c.at += HEADER_LENGTH;
  // In the byte order of the host that captured; types are small.
  const little = end - c.at >= ATTRIBUTE_HEADER_LENGTH && view.getUint16(c.at + 2, true) <= 0xff;
  while (end - c.at >= ATTRIBUTE_HEADER_LENGTH) {
    const length = view.getUint16(c.at, little);
    if (length < ATTRIBUTE_HEADER_LENGTH) return DROP_NOT_IP;
    if (view.getUint16(c.at + 2, little) === ATTRIBUTE_PAYLOAD) {
      c.at += ATTRIBUTE_HEADER_LENGTH;
      return c.at < end ? enterIpByVersion(c) : DROP_FRAME_TRUNCATED;
    }
    // Padded to four bytes.
    const padded = (length + 3) & ~3;
    if (padded > end - c.at) return DROP_FRAME_TRUNCATED;
    c.at += padded;
  }
  return DROP_FRAME_TRUNCATED;
}
