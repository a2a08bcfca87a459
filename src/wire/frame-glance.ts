/**
 * Which connection a frame is of, by a look at the few bytes that say so: for who deals frames out before anybody reads
 * them. Ethernet (with tags of VLANs), cooked Linux and raw IP; IPv4 and IPv6 right behind; TCP right behind that.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import { V4_MAPPED_WORD } from '../core/ip-address.ts';
import { isVlanTag } from './ether-tags.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, PROTOCOL_TCP } from './frame-cursor.ts';
import {
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_RAW,
} from './link-header.ts';
import type { Segment } from './segment.ts';

const PORTS_LENGTH = 4;
const IPV4_LENGTH_MIN = 20;
const IPV4_FRAGMENT = 0x3fff;
const IPV6_LENGTH = 40;
const VLAN_TAG_LENGTH = 4;

/**
 * True: the addresses and ports of `out` are those that `FrameParser.parse` will give, if it does not find the frame
 * damaged. False: it takes the parser to tell; `out` is undefined then.
 */
export function glanceAtFrame(batch: FrameBatch, i: number, out: Segment): boolean {
  const { view } = batch;
  const end = batch.offset[i]! + batch.captured[i]!;
  const at = ipHeader(batch, i, view, end);
  if (at < 0 || end - at < IPV4_LENGTH_MIN) return false;
  const versionAndLength = view.getUint8(at);
  let tcp: number;
  if (versionAndLength >>> 4 === 4) {
    const headerLength = (versionAndLength & 0xf) << 2;
    tcp = at + headerLength;
    if (headerLength < IPV4_LENGTH_MIN || end - tcp < PORTS_LENGTH || view.getUint8(at + 9) !== PROTOCOL_TCP)
      return false;
    if ((view.getUint16(at + 6) & IPV4_FRAGMENT) !== 0) return false;
    out.src0 = 0;
    out.src1 = 0;
    out.src2 = V4_MAPPED_WORD;
    out.src3 = view.getInt32(at + 12);
    out.dst0 = 0;
    out.dst1 = 0;
    out.dst2 = V4_MAPPED_WORD;
    out.dst3 = view.getInt32(at + 16);
  } else if (versionAndLength >>> 4 === 6) {
    tcp = at + IPV6_LENGTH;
    if (end - tcp < PORTS_LENGTH || view.getUint8(at + 6) !== PROTOCOL_TCP) return false;
    out.src0 = view.getInt32(at + 8);
    out.src1 = view.getInt32(at + 12);
    out.src2 = view.getInt32(at + 16);
    out.src3 = view.getInt32(at + 20);
    out.dst0 = view.getInt32(at + 24);
    out.dst1 = view.getInt32(at + 28);
    out.dst2 = view.getInt32(at + 32);
    out.dst3 = view.getInt32(at + 36);
  } else return false;
  out.srcPort = view.getUint16(tcp);
  out.dstPort = view.getUint16(tcp + 2);
  return true;
}

/** Where the frame's IP header begins; -1 when it is not plain to see that it has one. */
function ipHeader(batch: FrameBatch, i: number, view: DataView, end: number): number {
  let at = batch.offset[i]!;
  const linkType = batch.linkType[i]!;
  let etherTypeAt: number;
  if (linkType === LINKTYPE_ETHERNET) {
    etherTypeAt = at + 12;
    at += 14;
  } else if (linkType === LINKTYPE_RAW || linkType === LINKTYPE_IPV4 || linkType === LINKTYPE_IPV6) return at;
  else if (linkType === LINKTYPE_LINUX_SLL) {
    etherTypeAt = at + 14;
    at += 16;
  } else if (linkType === LINKTYPE_LINUX_SLL2) {
    etherTypeAt = at;
    at += 20;
  } else return -1;
  if (at > end) return -1;
  let etherType = view.getUint16(etherTypeAt);
  while (isVlanTag(etherType)) {
    if (end - at < VLAN_TAG_LENGTH) return -1;
    etherType = view.getUint16(at + 2);
    at += VLAN_TAG_LENGTH;
  }
  return etherType === ETHERTYPE_IPV4 || etherType === ETHERTYPE_IPV6 ? at : -1;
}
