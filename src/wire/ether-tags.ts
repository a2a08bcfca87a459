/** What may stand between a link header and an IP header: VLAN tags, MPLS labels, PPPoE. */
import { DROP_FRAME_TRUNCATED, DROP_NONE, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import { STEP_VLAN, type EncapsulationTable } from './encapsulation.ts';
import { enterEthernet } from './ethernet.ts';
import {
  ETHERTYPE_ETHERNET,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_MPLS,
  type FrameCursor,
} from './frame-cursor.ts';
import { enterIpByVersion } from './ip-version.ts';
import { enterPppoe } from './ppp.ts';

const ETHERTYPE_VLAN = 0x8100;
/** Service tag (IEEE 802.1ad). */
const ETHERTYPE_SERVICE_VLAN = 0x88a8;
/** Outer tags of switches older than 802.1ad. */
const ETHERTYPE_QINQ_9100 = 0x9100;
const ETHERTYPE_QINQ_9200 = 0x9200;
const ETHERTYPE_QINQ_9300 = 0x9300;
const ETHERTYPE_MPLS_MULTICAST = 0x8848;
const ETHERTYPE_PPPOE_SESSION = 0x8864;

const VLAN_ID_MASK = 0xfff;
const MPLS_BOTTOM_OF_STACK = 0x100;
/** Tags and labels of one frame; real ones have three or four. */
const TAGS_MAX = 16;

/** Moves the cursor to an IP header, with `etherType` saying which. */
export function enterTags(c: FrameCursor, paths: EncapsulationTable): DropReason {
  for (let n = 0; n < TAGS_MAX; n++) {
    if (c.etherType === ETHERTYPE_IPV4 || c.etherType === ETHERTYPE_IPV6) return DROP_NONE;
    const drop = isVlanTag(c.etherType) ? takeVlanTag(c, paths) : enterOther(c);
    if (drop !== DROP_NONE) return drop;
  }
  return DROP_NOT_IP;
}

/** Whether two bytes of tag and another EtherType follow. */
export function isVlanTag(etherType: number): boolean {
  return (
    etherType === ETHERTYPE_VLAN ||
    etherType === ETHERTYPE_SERVICE_VLAN ||
    etherType === ETHERTYPE_QINQ_9100 ||
    etherType === ETHERTYPE_QINQ_9200 ||
    etherType === ETHERTYPE_QINQ_9300
  );
}

function enterOther(c: FrameCursor): DropReason {
  switch (c.etherType) {
    case ETHERTYPE_MPLS:
    case ETHERTYPE_MPLS_MULTICAST:
      return takeMplsLabel(c);
    case ETHERTYPE_PPPOE_SESSION:
      return enterPppoe(c);
    case ETHERTYPE_ETHERNET:
      return enterEthernet(c);
    default:
      return DROP_NOT_IP;
  }
}

/** IEEE 802.1Q §9.6: TCI, then the EtherType of what follows. */
function takeVlanTag(c: FrameCursor, paths: EncapsulationTable): DropReason {
  if (c.end - c.at < 4) return DROP_FRAME_TRUNCATED;
  enterVlan(c, c.view.getUint16(c.at), paths);
  c.etherType = c.view.getUint16(c.at + 2);
  c.at += 4;
  return DROP_NONE;
}

/**
 * Also for the tag that the kernel took off and reported beside the frame. VID 0 is a priority tag: it names no VLAN,
 * and often only one direction carries it.
 */
export function enterVlan(c: FrameCursor, tci: number, paths: EncapsulationTable): void {
  const id = tci & VLAN_ID_MASK;
  if (id !== 0) c.path = paths.extend(c.path, STEP_VLAN, id);
}

/**
 * One label (RFC 3032 §2.1). Nothing in the stack says what it carries: IP shows by its version, and 0 in its place is
 * the control word of an Ethernet pseudowire (RFC 4385 §3).
 */
function takeMplsLabel(c: FrameCursor): DropReason {
  if (c.end - c.at < 5) return DROP_FRAME_TRUNCATED;
  const bottom = (c.view.getInt32(c.at) & MPLS_BOTTOM_OF_STACK) !== 0;
  c.at += 4;
  if (!bottom) return DROP_NONE;
  if (c.view.getUint8(c.at) >>> 4 !== 0) return enterIpByVersion(c);
  if (c.end - c.at < 4) return DROP_FRAME_TRUNCATED;
  c.at += 4;
  c.etherType = ETHERTYPE_ETHERNET;
  return DROP_NONE;
}
