/** Ethernet II, and IEEE 802.3 frames that carry IP by LLC and SNAP. */
import { DROP_FRAME_TRUNCATED, DROP_NONE, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import type { FrameCursor } from './frame-cursor.ts';

const HEADER_LENGTH = 14;
const ETHERTYPE = 12;
/** A field below this is a length (802.3) or a pseudo-protocol (Linux), and LLC follows. */
const ETHERTYPE_MIN = 0x600;
/** `aa aa 03 00 00 00`: LLC of a SNAP frame and the OUI of encapsulated Ethernet (RFC 1042); then an EtherType. */
const SNAP = 0xaaaa_0300 | 0;
const SNAP_LENGTH = 8;

export function enterEthernet(c: FrameCursor): DropReason {
  const at = c.at;
  if (c.end - at < HEADER_LENGTH) return DROP_FRAME_TRUNCATED;
  c.at = at + HEADER_LENGTH;
  return enterEtherType(c, c.view.getUint16(at + ETHERTYPE));
}

/** The cursor stands behind a link header that ended in, or held, an EtherType. */
export function enterEtherType(c: FrameCursor, etherType: number): DropReason {
  c.etherType = etherType;
  return etherType < ETHERTYPE_MIN ? enterLlc(c) : DROP_NONE;
}

export function enterLlc(c: FrameCursor): DropReason {
  if (c.end - c.at < SNAP_LENGTH) return DROP_NOT_IP;
  if (c.view.getInt32(c.at) !== SNAP || c.view.getUint16(c.at + 4) !== 0) return DROP_NOT_IP;
  c.etherType = c.view.getUint16(c.at + 6);
  c.at += SNAP_LENGTH;
  return DROP_NONE;
}
