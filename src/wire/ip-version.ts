import { DROP_NONE, DROP_NOT_IP, type DropReason } from '../core/drop-reason.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, type FrameCursor } from './frame-cursor.ts';

/** An IP header comes next, of which version its first four bits say. At least one byte is there. */
export function enterIpByVersion(c: FrameCursor): DropReason {
  const version = c.view.getUint8(c.at) >>> 4;
  if (version === 4) c.etherType = ETHERTYPE_IPV4;
  else if (version === 6) c.etherType = ETHERTYPE_IPV6;
  else return DROP_NOT_IP;
  return DROP_NONE;
}
