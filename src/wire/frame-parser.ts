import {
  DROP_IP_HEADER_MALFORMED,
  DROP_IPV6_EXTENSION_MALFORMED,
  DROP_NONE,
  DROP_TUNNEL_UNKNOWN,
  type DropReason,
} from '../core/drop-reason.ts';
import { FRAME_OUTGOING, NO_VLAN, type FrameBatch } from '../core/frame-batch.ts';
import type { Instant } from '../core/time.ts';
import { EncapsulationTable } from './encapsulation.ts';
import { enterTags, enterVlan } from './ether-tags.ts';
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, FrameCursor, PROTOCOL_AH, PROTOCOL_TCP } from './frame-cursor.ts';
import { FragmentTable, type FragmentLimits } from './ip-defrag.ts';
import { parseIpv4, skipAuthenticationHeader } from './ipv4.ts';
import { parseIpv6, skipExtensions } from './ipv6.ts';
import { enterLink } from './link-header.ts';
import type { Segment } from './segment.ts';
import { parseTcp } from './tcp-header.ts';
import { enterTunnel, VXLAN_PORTS } from './tunnel.ts';

/** IP headers one inside the other. */
const IP_LAYERS_MAX = 4;

export interface FrameParserOptions {
  /** False: only what the kernel vouches for is CHECKSUM_GOOD, all else CHECKSUM_UNVERIFIED. */
  readonly verifyChecksums: boolean;
  /** UDP destination ports that carry VXLAN. */
  readonly vxlanPorts?: readonly number[];
  /** Whether VLANs and tunnels tell connections apart (encapsulation.ts). Default true. */
  readonly keyByEncapsulation?: boolean;
  readonly fragments?: Partial<FragmentLimits>;
}

/**
 * Turns captured frames into TCP segments, each checked once.
 *
 * A frame is a link header, then tags, then IP, then TCP or a tunnel that leads back to tags and IP. The cursor goes
 * through these in that order; each layer is a function that moves it on or names a reason to drop the frame. Frames
 * come from anyone, so no function reads a byte before it has checked that the byte is there.
 */
export class FrameParser {
  readonly paths: EncapsulationTable;
  readonly fragments: FragmentTable;
  private readonly cursor = new FrameCursor();
  private readonly verified: boolean;
  private readonly vxlanPorts: readonly number[];

  constructor(options: FrameParserOptions) {
    this.verified = options.verifyChecksums;
    this.vxlanPorts = options.vxlanPorts ?? VXLAN_PORTS;
    this.paths = new EncapsulationTable(options.keyByEncapsulation ?? true);
    this.fragments = new FragmentTable(options.fragments);
  }

  /**
   * Reads frame `i` of the batch. DROP_NONE: `out` is filled, its bytes lie in the batch (or, for a packet put together
   * from fragments, in memory of its own). Any other reason: `out` is undefined.
   */
  parse(batch: FrameBatch, i: number, out: Segment): DropReason {
    const c = this.cursor;
    c.start(batch, i);
    out.time = batch.time[i] as Instant;
    let drop = enterLink(c, batch.linkType[i]!);
    if (drop !== DROP_NONE) return drop;
    if ((c.flags & FRAME_OUTGOING) !== 0) c.outgoing = true;
    if (batch.vlanTci[i] !== NO_VLAN) enterVlan(c, batch.vlanTci[i]!, this.paths);
    for (let layers = 0; layers < IP_LAYERS_MAX; layers++) {
      if (c.etherType !== ETHERTYPE_IPV4 && c.etherType !== ETHERTYPE_IPV6) {
        drop = enterTags(c, this.paths);
        if (drop !== DROP_NONE) return drop;
      }
      drop = c.etherType === ETHERTYPE_IPV4 ? parseIpv4(c, out) : parseIpv6(c, out);
      if (drop !== DROP_NONE) return drop;
      if (c.fragmented) {
        drop = this.takeFragment(c, out);
        if (drop !== DROP_NONE) return drop;
      }
      if (c.protocol === PROTOCOL_AH) {
        drop = skipAuthenticationHeader(c, DROP_IP_HEADER_MALFORMED);
        if (drop !== DROP_NONE) return drop;
      }
      if (c.protocol === PROTOCOL_TCP) return parseTcp(c, out, this.verified);
      drop = enterTunnel(c, this.paths, this.vxlanPorts);
      if (drop !== DROP_NONE) return drop;
    }
    return DROP_TUNNEL_UNKNOWN;
  }

  /** With the last fragment the cursor moves into the whole packet, behind the headers that were not fragmented. */
  private takeFragment(c: FrameCursor, out: Segment): DropReason {
    const drop = this.fragments.take(c, out);
    if (drop !== DROP_NONE || out.ipVersion === 4) return drop;
    const extensions = skipExtensions(c);
    return extensions === DROP_NONE && c.fragmented ? DROP_IPV6_EXTENSION_MALFORMED : extensions;
  }
}
