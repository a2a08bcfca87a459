/**
 * ERSPAN, what switches send of a mirrored port inside GRE: draft-foschiano-erspan-03 §4. The cursor stands behind the GRE
 * header and moves to the mirrored frame. What names the session is left alone: the two directions may come in two.
 */
import { DROP_NONE, DROP_NOT_IP, DROP_TUNNEL_UNKNOWN, type DropReason } from '../core/drop-reason.ts';
import { ETHERTYPE_ETHERNET, type FrameCursor } from './frame-cursor.ts';
import { enterIpByVersion } from './ip-version.ts';

/** Types I and II; III. */
export const ETHERTYPE_ERSPAN = 0x88be;
export const ETHERTYPE_ERSPAN_3 = 0x22eb;

const TYPE_2_LENGTH = 8;
const TYPE_3_LENGTH = 12;
/** Type III: what platforms add, when the last bit of the header says so. */
const SUBHEADER_LENGTH = 8;
const SUBHEADER_FLAG = 0x01;
/** Type III: Ethernet or IP, in five bits of byte 10. */
const FRAME_TYPE_ETHERNET = 0;
const FRAME_TYPE_IP = 2;

/** `sequenced`: the GRE header has a sequence number, by which type II is told from type I, which has no header of its own. */
export function enterErspan(c: FrameCursor, etherType: number, sequenced: boolean): DropReason {
  c.etherType = ETHERTYPE_ETHERNET;
  if (etherType === ETHERTYPE_ERSPAN_3) return enterType3(c);
  if (!sequenced) return DROP_NONE;
  if (c.end - c.at < TYPE_2_LENGTH) return c.short(DROP_TUNNEL_UNKNOWN);
  c.at += TYPE_2_LENGTH;
  return DROP_NONE;
}

function enterType3(c: FrameCursor): DropReason {
  if (c.end - c.at < TYPE_3_LENGTH) return c.short(DROP_TUNNEL_UNKNOWN);
  const frameType = (c.view.getUint8(c.at + 10) >>> 2) & 0x1f;
  const hasSubheader = (c.view.getUint8(c.at + 11) & SUBHEADER_FLAG) !== 0;
  const length = TYPE_3_LENGTH + (hasSubheader ? SUBHEADER_LENGTH : 0);
  if (c.end - c.at < length) return c.short(DROP_TUNNEL_UNKNOWN);
  c.at += length;
  if (c.at === c.end) return c.short(DROP_TUNNEL_UNKNOWN);
  if (frameType === FRAME_TYPE_ETHERNET) return DROP_NONE;
  return frameType === FRAME_TYPE_IP ? enterIpByVersion(c) : DROP_NOT_IP;
}
