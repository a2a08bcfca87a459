/**
 * Tunnels that mirrored and recorded traffic comes in. Each function moves the cursor to the inner packet and sets
 * `etherType`; what names the tunnel is in encapsulation.ts.
 */
import { DROP_NONE, DROP_NOT_TCP, DROP_TUNNEL_UNKNOWN, type DropReason } from '../core/drop-reason.ts';
import {
  STEP_GENEVE,
  STEP_GRE,
  STEP_GTP,
  STEP_IP,
  STEP_L2TP,
  STEP_VXLAN,
  type EncapsulationTable,
} from './encapsulation.ts';
import { enterErspan, ETHERTYPE_ERSPAN, ETHERTYPE_ERSPAN_3 } from './erspan.ts';
import {
  ETHERTYPE_ETHERNET,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  PROTOCOL_GRE,
  PROTOCOL_IPV4,
  PROTOCOL_IPV6,
  PROTOCOL_UDP,
  type FrameCursor,
} from './frame-cursor.ts';
import { enterIpByVersion } from './ip-version.ts';
import { enterPpp } from './ppp.ts';

const UDP_HEADER_LENGTH = 8;

/** The port IANA gave to VXLAN, that of its extension, and the one Linux used before. */
export const VXLAN_PORTS: readonly number[] = [4789, 4790, 8472];
const VXLAN_HEADER_LENGTH = 8;
/** The network identifier is valid. */
const VXLAN_FLAG_VNI = 0x08;
/** The extension: byte 3 says what is inside. */
const VXLAN_FLAG_PROTOCOL = 0x04;
const VXLAN_PROTOCOL_IPV4 = 1;
const VXLAN_PROTOCOL_IPV6 = 2;
const VXLAN_PROTOCOL_ETHERNET = 3;

const GENEVE_PORT = 6081;
const GENEVE_HEADER_LENGTH = 8;
/** First byte: version 0 in two bits, then the length of the options in words. */
const GENEVE_OPTIONS_MASK = 0x3f;

const GTP_U_PORT = 2152;
const GTP_HEADER_LENGTH = 8;
/** Version 1, protocol type GTP, in the first byte. */
const GTP_VERSION_MASK = 0xf0;
const GTP_VERSION_1 = 0x30;
/** Any of them: four more bytes of optional fields. */
const GTP_OPTIONAL_MASK = 0x07;
const GTP_FLAG_EXTENSION = 0x04;
const GTP_MESSAGE_DATA = 255;
const GTP_EXTENSIONS_MAX = 8;

const L2TP_PORT = 1701;
const L2TP_FLAG_CONTROL = 0x8000;
const L2TP_FLAG_LENGTH = 0x4000;
const L2TP_FLAG_SEQUENCE = 0x0800;
const L2TP_FLAG_OFFSET = 0x0200;
const L2TP_VERSION_MASK = 0x000f;
const L2TP_VERSION_2 = 2;

const GRE_FLAG_CHECKSUM = 0x8000;
const GRE_FLAG_ROUTING = 0x4000;
const GRE_FLAG_KEY = 0x2000;
const GRE_FLAG_SEQUENCE = 0x1000;
const GRE_VERSION_MASK = 0x0007;

export function enterTunnel(c: FrameCursor, paths: EncapsulationTable, vxlanPorts: readonly number[]): DropReason {
  c.inner = true;
  switch (c.protocol) {
    case PROTOCOL_IPV4:
      c.etherType = ETHERTYPE_IPV4;
      c.path = paths.extend(c.path, STEP_IP, 4);
      return DROP_NONE;
    case PROTOCOL_IPV6:
      c.etherType = ETHERTYPE_IPV6;
      c.path = paths.extend(c.path, STEP_IP, 6);
      return DROP_NONE;
    case PROTOCOL_GRE:
      return enterGre(c, paths);
    case PROTOCOL_UDP:
      return enterUdp(c, paths, vxlanPorts);
    default:
      return DROP_NOT_TCP;
  }
}

function enterUdp(c: FrameCursor, paths: EncapsulationTable, vxlanPorts: readonly number[]): DropReason {
  if (c.end - c.at < UDP_HEADER_LENGTH) return DROP_NOT_TCP;
  const port = c.view.getUint16(c.at + 2);
  if (port === L2TP_PORT || c.view.getUint16(c.at) === L2TP_PORT) {
    c.at += UDP_HEADER_LENGTH;
    return enterL2tp(c, paths);
  }
  if (port === GTP_U_PORT) {
    c.at += UDP_HEADER_LENGTH;
    return enterGtpU(c, paths);
  }
  if (port === GENEVE_PORT) {
    c.at += UDP_HEADER_LENGTH;
    return enterGeneve(c, paths);
  }
  for (let i = 0; i < vxlanPorts.length; i++) {
    if (port === vxlanPorts[i]) {
      c.at += UDP_HEADER_LENGTH;
      return enterVxlan(c, paths);
    }
  }
  return DROP_NOT_TCP;
}

/** RFC 7348 §5, and its extension for other things than Ethernet: draft-ietf-nvo3-vxlan-gpe §3. */
function enterVxlan(c: FrameCursor, paths: EncapsulationTable): DropReason {
  if (c.end - c.at < VXLAN_HEADER_LENGTH) return c.short(DROP_TUNNEL_UNKNOWN);
  const flags = c.view.getUint8(c.at);
  if ((flags & VXLAN_FLAG_VNI) === 0) return DROP_TUNNEL_UNKNOWN;
  const inside = (flags & VXLAN_FLAG_PROTOCOL) !== 0 ? c.view.getUint8(c.at + 3) : VXLAN_PROTOCOL_ETHERNET;
  if (inside === VXLAN_PROTOCOL_ETHERNET) c.etherType = ETHERTYPE_ETHERNET;
  else if (inside === VXLAN_PROTOCOL_IPV4) c.etherType = ETHERTYPE_IPV4;
  else if (inside === VXLAN_PROTOCOL_IPV6) c.etherType = ETHERTYPE_IPV6;
  else return DROP_TUNNEL_UNKNOWN;
  c.path = paths.extend(c.path, STEP_VXLAN, c.view.getUint32(c.at + 4) >>> 8);
  c.at += VXLAN_HEADER_LENGTH;
  return DROP_NONE;
}

/** RFC 8926 §3.4: the inner protocol is an EtherType, Ethernet as a rule. */
function enterGeneve(c: FrameCursor, paths: EncapsulationTable): DropReason {
  const view = c.view;
  if (c.end - c.at < GENEVE_HEADER_LENGTH) return c.short(DROP_TUNNEL_UNKNOWN);
  const first = view.getUint8(c.at);
  const length = GENEVE_HEADER_LENGTH + ((first & GENEVE_OPTIONS_MASK) << 2);
  if (first > GENEVE_OPTIONS_MASK) return DROP_TUNNEL_UNKNOWN;
  if (c.end - c.at < length) return c.short(DROP_TUNNEL_UNKNOWN);
  c.path = paths.extend(c.path, STEP_GENEVE, view.getUint32(c.at + 4) >>> 8);
  c.etherType = view.getUint16(c.at + 2);
  c.at += length;
  return DROP_NONE;
}

/** 3GPP TS 29.281 §5.1. Signalling (echo, error indication) carries no packet. */
function enterGtpU(c: FrameCursor, paths: EncapsulationTable): DropReason {
  const view = c.view;
  if (c.end - c.at < GTP_HEADER_LENGTH) return c.short(DROP_TUNNEL_UNKNOWN);
  const flags = view.getUint8(c.at);
  if ((flags & GTP_VERSION_MASK) !== GTP_VERSION_1) return DROP_TUNNEL_UNKNOWN;
  if (view.getUint8(c.at + 1) !== GTP_MESSAGE_DATA) return DROP_NOT_TCP;
  c.at += GTP_HEADER_LENGTH;
  if ((flags & GTP_OPTIONAL_MASK) !== 0) {
    if (c.end - c.at < 4) return c.short(DROP_TUNNEL_UNKNOWN);
    let extension = (flags & GTP_FLAG_EXTENSION) !== 0 ? view.getUint8(c.at + 3) : 0;
    c.at += 4;
    // Each: its length in words of four bytes, contents, and the type of the next.
    for (let n = 0; extension !== 0; n++) {
      const length = c.end > c.at ? view.getUint8(c.at) << 2 : 0;
      if (length === 0 || length > c.end - c.at || n === GTP_EXTENSIONS_MAX) return c.short(DROP_TUNNEL_UNKNOWN);
      extension = view.getUint8(c.at + length - 1);
      c.at += length;
    }
  }
  if (c.at === c.end) return c.short(DROP_TUNNEL_UNKNOWN);
  c.path = paths.extend(c.path, STEP_GTP, 0);
  return enterIpByVersion(c);
}

/** RFC 2661 §3.1: a PPP frame. A server may answer from 1701 to a port of its client's choice. */
function enterL2tp(c: FrameCursor, paths: EncapsulationTable): DropReason {
  const view = c.view;
  if (c.end - c.at < 6) return c.short(DROP_TUNNEL_UNKNOWN);
  const flags = view.getUint16(c.at);
  if ((flags & L2TP_VERSION_MASK) !== L2TP_VERSION_2) return DROP_TUNNEL_UNKNOWN;
  if ((flags & L2TP_FLAG_CONTROL) !== 0) return DROP_NOT_TCP;
  let length = 6;
  if ((flags & L2TP_FLAG_LENGTH) !== 0) length += 2;
  if ((flags & L2TP_FLAG_SEQUENCE) !== 0) length += 4;
  if ((flags & L2TP_FLAG_OFFSET) !== 0) {
    if (c.end - c.at < length + 2) return c.short(DROP_TUNNEL_UNKNOWN);
    length += 2 + view.getUint16(c.at + length);
  }
  if (c.end - c.at < length) return c.short(DROP_TUNNEL_UNKNOWN);
  c.path = paths.extend(c.path, STEP_L2TP, 0);
  c.at += length;
  return enterPpp(c);
}

/** RFC 2784 §2, RFC 2890 §2. Version 1 (PPTP) and source routes are not followed. */
function enterGre(c: FrameCursor, paths: EncapsulationTable): DropReason {
  const view = c.view;
  if (c.end - c.at < 4) return c.short(DROP_TUNNEL_UNKNOWN);
  const flags = view.getUint16(c.at);
  if ((flags & (GRE_VERSION_MASK | GRE_FLAG_ROUTING)) !== 0) return DROP_TUNNEL_UNKNOWN;
  const keyOffset = (flags & GRE_FLAG_CHECKSUM) !== 0 ? 8 : 4;
  const hasKey = (flags & GRE_FLAG_KEY) !== 0;
  const length = keyOffset + (hasKey ? 4 : 0) + ((flags & GRE_FLAG_SEQUENCE) !== 0 ? 4 : 0);
  if (c.end - c.at < length) return c.short(DROP_TUNNEL_UNKNOWN);
  c.path = paths.extend(c.path, STEP_GRE, hasKey ? view.getInt32(c.at + keyOffset) : 0);
  const etherType = view.getUint16(c.at + 2);
  c.at += length;
  if (etherType === ETHERTYPE_ERSPAN || etherType === ETHERTYPE_ERSPAN_3) {
    return enterErspan(c, etherType, (flags & GRE_FLAG_SEQUENCE) !== 0);
  }
  c.etherType = etherType;
  return DROP_NONE;
}
