/**
 * Link-layer headers, by LINKTYPE_ value of the pcap registry. Each function moves the cursor behind its header and sets
 * `etherType`.
 */
import {
  DROP_FRAME_TRUNCATED,
  DROP_NONE,
  DROP_NOT_IP,
  DROP_UNKNOWN_LINK_TYPE,
  type DropReason,
} from '../core/drop-reason.ts';
import { enterEthernet, enterEtherType } from './ethernet.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type FrameCursor } from './frame-cursor.ts';
import { enterIeee80211, enterRadiotap } from './ieee80211.ts';
import { enterIpByVersion } from './ip-version.ts';
import { enterNflog } from './nflog.ts';
import { enterCiscoHdlc, enterPpp, enterPppoe } from './ppp.ts';

export const LINKTYPE_NULL = 0;
export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_PPP = 9;
/** DLT_RAW leaked into files with these two numbers on some systems. */
export const LINKTYPE_DLT_RAW = 12;
export const LINKTYPE_DLT_RAW_OPENBSD = 14;
export const LINKTYPE_PPP_HDLC = 50;
export const LINKTYPE_PPP_ETHER = 51;
export const LINKTYPE_RAW = 101;
export const LINKTYPE_C_HDLC = 104;
export const LINKTYPE_IEEE802_11 = 105;
export const LINKTYPE_LOOP = 108;
export const LINKTYPE_LINUX_SLL = 113;
export const LINKTYPE_IEEE802_11_RADIOTAP = 127;
export const LINKTYPE_IPV4 = 228;
export const LINKTYPE_IPV6 = 229;
export const LINKTYPE_NFLOG = 239;
export const LINKTYPE_LINUX_SLL2 = 276;

/** "Sent by us", in SLL and SLL2 alike. */
const PACKET_OUTGOING = 4;

const AF_INET = 2;
/** AF_INET6 on Linux, on NetBSD and OpenBSD, on FreeBSD, on Darwin. */
const AF_INET6 = [10, 24, 28, 30];

export function enterLink(c: FrameCursor, linkType: number): DropReason {
  if (linkType === LINKTYPE_ETHERNET) return enterEthernet(c);
  switch (linkType) {
    case LINKTYPE_LINUX_SLL:
      return enterSll(c);
    case LINKTYPE_LINUX_SLL2:
      return enterSll2(c);
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return enterLoopback(c);
    case LINKTYPE_DLT_RAW:
    case LINKTYPE_DLT_RAW_OPENBSD:
    case LINKTYPE_RAW:
      return enterRawIp(c);
    case LINKTYPE_IPV4:
      c.etherType = ETHERTYPE_IPV4;
      return DROP_NONE;
    case LINKTYPE_IPV6:
      c.etherType = ETHERTYPE_IPV6;
      return DROP_NONE;
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_HDLC:
      return enterPpp(c);
    case LINKTYPE_C_HDLC:
      return enterCiscoHdlc(c);
    case LINKTYPE_PPP_ETHER:
      return enterPppoe(c);
    case LINKTYPE_NFLOG:
      return enterNflog(c);
    case LINKTYPE_IEEE802_11:
      return enterIeee80211(c);
    case LINKTYPE_IEEE802_11_RADIOTAP:
      return enterRadiotap(c);
    default:
      return DROP_UNKNOWN_LINK_TYPE;
  }
}

/** Linux "cooked" capture: what libpcap makes of the `any` device. */
function enterSll(c: FrameCursor): DropReason {
  if (c.end - c.at < 16) return DROP_FRAME_TRUNCATED;
  c.outgoing = c.view.getUint16(c.at) === PACKET_OUTGOING;
  const etherType = c.view.getUint16(c.at + 14);
  c.at += 16;
  return enterEtherType(c, etherType);
}

function enterSll2(c: FrameCursor): DropReason {
  if (c.end - c.at < 20) return DROP_FRAME_TRUNCATED;
  c.outgoing = c.view.getUint8(c.at + 10) === PACKET_OUTGOING;
  const etherType = c.view.getUint16(c.at);
  c.at += 20;
  return enterEtherType(c, etherType);
}

/** BSD loopback: the address family, in the byte order of the capturing host (NULL) or of the network (LOOP). */
function enterLoopback(c: FrameCursor): DropReason {
  if (c.end - c.at < 4) return DROP_FRAME_TRUNCATED;
  const big = c.view.getUint32(c.at);
  const family = big <= 0xffff ? big : c.view.getUint32(c.at, true);
  if (family === AF_INET) c.etherType = ETHERTYPE_IPV4;
  else if (AF_INET6.includes(family)) c.etherType = ETHERTYPE_IPV6;
  else return DROP_NOT_IP;
  c.at += 4;
  return DROP_NONE;
}

function enterRawIp(c: FrameCursor): DropReason {
  if (c.end - c.at < 1) return DROP_FRAME_TRUNCATED;
  return enterIpByVersion(c);
}
