import { DROP_FRAME_TRUNCATED, type DropReason } from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';

const NOWHERE = new Uint8Array(0);

/** EtherType values that layers hand to each other, whatever the link (IEEE 802 numbers). */
export const ETHERTYPE_IPV4 = 0x0800;
export const ETHERTYPE_IPV6 = 0x86dd;
export const ETHERTYPE_MPLS = 0x8847;
/** Transparent Ethernet bridging: an Ethernet header comes next. */
export const ETHERTYPE_ETHERNET = 0x6558;

/** IP protocol numbers (IANA). */
export const PROTOCOL_IPV4 = 4;
export const PROTOCOL_TCP = 6;
export const PROTOCOL_UDP = 17;
export const PROTOCOL_IPV6 = 41;
export const PROTOCOL_GRE = 47;
export const PROTOCOL_AH = 51;

/** More than any frame: keeps lengths that a damaged file claims within small integers. */
const LENGTH_MAX = 0x3fff_ffff;

/**
 * Where the parser stands in a frame, and what the layers passed so far have learned: each layer reads its header at
 * `at`, moves `at` behind it, and says what comes next. One instance, reused for every frame.
 *
 * Invariant: `0 <= at <= end <= bytes.length`.
 */
export class FrameCursor {
  bytes: Uint8Array = NOWHERE;
  view: DataView = new DataView(NOWHERE.buffer);
  /** Where the next header begins. */
  at = 0;
  /** Where the captured bytes of the current layer end. */
  end = 0;
  /** Bytes the current layer has beyond `end`: cut by the snap length. */
  missing = 0;
  /** What comes next, when it is named by an EtherType. */
  etherType = 0;
  /** What comes next, when it is named by an IP protocol number. */
  protocol = 0;
  /** The encapsulation path so far (encapsulation.ts). */
  path = 0;
  /** FRAME_ bits of the batch. */
  flags = 0;
  outgoing = false;
  /** The segment lies in a tunnel or was put together from fragments: the kernel's verdict on its checksum is not on it. */
  inner = false;
  /** A length field claimed more than was on the wire: the packet was damaged or cut on its way. */
  overlong = false;
  /** An IPv6 routing header has still to be followed: the pseudo-header's destination is not the one in the header. */
  routed = false;
  /** The packet at `at` is one fragment of a larger one, and these say which. */
  fragmented = false;
  fragmentId = 0;
  /** In bytes, of what follows the (unfragmentable) headers. */
  fragmentOffset = 0;
  moreFragments = false;

  start(batch: FrameBatch, i: number): void {
    const captured = batch.captured[i]!;
    const missing = batch.length[i]! - captured;
    this.bytes = batch.bytes;
    this.view = batch.view;
    this.at = batch.offset[i]! | 0;
    this.end = (this.at + captured) | 0;
    this.missing = missing <= 0 ? 0 : missing > LENGTH_MAX ? LENGTH_MAX : missing | 0;
    this.path = 0;
    this.flags = batch.flags[i]!;
    this.outgoing = false;
    this.inner = false;
    this.overlong = false;
    this.routed = false;
    this.fragmented = false;
  }

  /**
   * Ends the current layer `length` bytes after `at`, as its own length field says: what follows is padding. A layer
   * cannot be longer than the one around it, whatever its field says.
   */
  limit(length: number): void {
    const beyond = this.at + length - this.end;
    if (beyond <= 0) {
      this.end += beyond;
      this.missing = 0;
    } else if (beyond <= this.missing) {
      this.missing = beyond;
    } else {
      this.overlong = true;
    }
  }

  /** The reason for a header that is not whole: `malformed` when the sender is to blame, else the snap length. */
  short(malformed: DropReason): DropReason {
    return this.missing > 0 ? DROP_FRAME_TRUNCATED : malformed;
  }
}
