/** PPP (RFC 1661, RFC 1662), what Cisco has instead on serial lines (RFC 1547 §4.3.1), and PPPoE sessions (RFC 2516). */
import { DROP_FRAME_TRUNCATED, DROP_NONE, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_MPLS, type FrameCursor } from './frame-cursor.ts';

const PPP_IPV4 = 0x0021;
const PPP_IPV6 = 0x0057;
const PPP_MPLS = 0x0281;
/** The compressed form: one byte, whose low bit says so (RFC 1661 §6.5). */
const COMPRESSED = 1;
/** HDLC address and control, before the protocol where the link does not compress them away. */
const HDLC_ALL_STATIONS = 0xff03;
/** Cisco's address (one station, all) and a zero, behind which stands an EtherType or a protocol of Cisco's. */
const CISCO_UNICAST = 0x0f00;
const CISCO_BROADCAST = 0x8f00;

const PPPOE_HEADER_LENGTH = 6;
/** Version 1, type 1, code 0: session data. */
const PPPOE_SESSION = 0x1100;

export function enterPppoe(c: FrameCursor): DropReason {
  if (c.end - c.at < PPPOE_HEADER_LENGTH) return DROP_FRAME_TRUNCATED;
  if (c.view.getUint16(c.at) !== PPPOE_SESSION) return DROP_NOT_IP;
  c.at += PPPOE_HEADER_LENGTH;
  return enterPpp(c);
}

export function enterCiscoHdlc(c: FrameCursor): DropReason {
  if (c.end - c.at < 4) return DROP_FRAME_TRUNCATED;
  c.etherType = c.view.getUint16(c.at + 2);
  c.at += 4;
  return DROP_NONE;
}

/** Cisco's lines too: files do not always tell them apart. */
export function enterPpp(c: FrameCursor): DropReason {
  const address = c.end - c.at >= 2 ? c.view.getUint16(c.at) : 0;
  if (address === CISCO_UNICAST || address === CISCO_BROADCAST) return enterCiscoHdlc(c);
  if (address === HDLC_ALL_STATIONS) c.at += 2;
  if (c.end - c.at < 2) return DROP_FRAME_TRUNCATED;
  const first = c.view.getUint8(c.at);
  const compressed = (first & COMPRESSED) !== 0;
  const protocol = compressed ? first : c.view.getUint16(c.at);
  if (protocol === PPP_IPV4) c.etherType = ETHERTYPE_IPV4;
  else if (protocol === PPP_IPV6) c.etherType = ETHERTYPE_IPV6;
  else if (protocol === PPP_MPLS) c.etherType = ETHERTYPE_MPLS;
  else return DROP_NOT_IP;
  c.at += compressed ? 1 : 2;
  return DROP_NONE;
}
