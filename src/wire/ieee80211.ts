/** IEEE 802.11 data frames in the clear, as a monitor-mode capture records them, with or without a radiotap header. */
import { DROP_FRAME_TRUNCATED, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import { enterLlc } from './ethernet.ts';
import type { FrameCursor } from './frame-cursor.ts';

const MAC_HEADER_LENGTH = 24;
const ADDRESS_LENGTH = 6;
const TYPE_DATA = 2;
/** Subtype bits of a data frame. */
const SUBTYPE_QOS = 0x8;
const SUBTYPE_NO_DATA = 0x4;
/** Frame control flags, second byte. */
const TO_AND_FROM_DS = 0x03;
const MORE_FRAGMENTS = 0x04;
const PROTECTED = 0x40;
const ORDER = 0x80;
/** QoS control, first byte: several frames in one. */
const QOS_AMSDU = 0x80;

/** Radiotap (radiotap.org): little-endian, its own length at offset 2. */
export function enterRadiotap(c: FrameCursor): DropReason {
  if (c.end - c.at < 8) return DROP_FRAME_TRUNCATED;
  const length = c.view.getUint16(c.at + 2, true);
  if (length < 8 || length > c.end - c.at) return DROP_FRAME_TRUNCATED;
  c.at += length;
  return enterIeee80211(c);
}

/** IEEE 802.11-2020 §9.2. Encrypted, aggregated and fragmented frames are not taken apart. */
export function enterIeee80211(c: FrameCursor): DropReason {
  if (c.end - c.at < MAC_HEADER_LENGTH) return DROP_FRAME_TRUNCATED;
  const control = c.view.getUint8(c.at);
  const flags = c.view.getUint8(c.at + 1);
  const subtype = control >>> 4;
  if ((control & 3) !== 0 || ((control >>> 2) & 3) !== TYPE_DATA || (subtype & SUBTYPE_NO_DATA) !== 0) {
    return DROP_NOT_IP;
  }
  const fragment = c.view.getUint16(c.at + 22, true) & 0xf;
  if ((flags & (PROTECTED | MORE_FRAGMENTS)) !== 0 || fragment !== 0) return DROP_NOT_IP;
  let length = MAC_HEADER_LENGTH;
  if ((flags & TO_AND_FROM_DS) === TO_AND_FROM_DS) length += ADDRESS_LENGTH;
  if ((subtype & SUBTYPE_QOS) !== 0) {
    if (c.end - c.at < length + 2) return DROP_FRAME_TRUNCATED;
    if ((c.view.getUint8(c.at + length) & QOS_AMSDU) !== 0) return DROP_NOT_IP;
    length += (flags & ORDER) !== 0 ? 6 : 2;
  }
  if (c.end - c.at < length) return DROP_FRAME_TRUNCATED;
  c.at += length;
  return enterLlc(c);
}
