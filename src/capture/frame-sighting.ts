/** Reads what a wide watch wants of a frame: TCP segments, ICMP errors with the TCP packet they quote, ARP requests. */
import { DROP_NONE } from '../core/drop-reason.ts';
import { FRAME_OUTGOING, type FrameBatch } from '../core/frame-batch.ts';
import { fromBytes, type IpAddress } from '../core/ip-address.ts';
import type { Sighting } from '../core/sighting.ts';
import { isVlanTag } from '../wire/ether-tags.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { Segment } from '../wire/segment.ts';
import { etherTypeOffset, LINKTYPE_RAW } from './link-type.ts';

const ETHERTYPE_ARP = 0x0806;
const PROTOCOL_ICMP = 1;
const PROTOCOL_ICMPV6 = 58;
const PROTOCOL_TCP = 6;
/** RFC 792: destination unreachable, redirect, time exceeded. */
const ERRORS_4 = new Set([3, 5, 11]);
/** RFC 4443: unreachable, too big, time exceeded, parameter problem. */
const ERRORS_6 = new Set([1, 2, 3, 4]);
/** RFC 826, for Ethernet and IPv4: operation, sender's and target's protocol address. */
const ARP_REQUEST = 1;

export class SightingReader {
  readonly #parser = new FrameParser({ verifyChecksums: false });
  readonly #segment = new Segment();

  /** What frame `i` shows, or `undefined` when it is nothing of the kind. */
  read(batch: FrameBatch, i: number, device: string, taken: boolean): Sighting | undefined {
    const outgoing = (batch.flags[i]! & FRAME_OUTGOING) !== 0;
    const where = { device, outgoing, taken };
    if (this.#parser.parse(batch, i, this.#segment) === DROP_NONE) {
      const s = this.#segment;
      const from = s.source();
      const to = s.destination();
      return {
        ...where,
        kind: 'tcp',
        source: from.address,
        sourcePort: from.port,
        destination: to.address,
        destinationPort: to.port,
        flags: s.flags,
        seq: s.seq,
        ack: s.ack,
        reporter: from.address,
        icmpType: 0,
        icmpCode: 0,
      };
    }
    const at = batch.offset[i]!;
    const bytes = batch.bytes.subarray(at, at + batch.captured[i]!);
    const found = network(bytes, batch.linkType[i]!);
    if (found === undefined) return undefined;
    const fields = found.arp ? readArp(bytes.subarray(found.at)) : readIcmp(bytes.subarray(found.at));
    return fields === undefined ? undefined : { ...where, ...fields };
  }
}

type Fields = Omit<Sighting, 'device' | 'outgoing' | 'taken'>;

/** Where the network header begins, behind VLAN tags. */
function network(bytes: Uint8Array, linkType: number): { readonly at: number; readonly arp: boolean } | undefined {
  if (linkType === LINKTYPE_RAW) return { at: 0, arp: false };
  const type = etherTypeOffset(linkType);
  if (type < 0) return undefined;
  let at = type + 2;
  while (at <= bytes.length && isVlanTag(u16(bytes, at - 2))) at += 4;
  return at <= bytes.length ? { at, arp: u16(bytes, at - 2) === ETHERTYPE_ARP } : undefined;
}

function readArp(b: Uint8Array): Fields | undefined {
  if (b.length < 28 || u16(b, 6) !== ARP_REQUEST || b[4] !== 6 || b[5] !== 4) return undefined;
  const source = address(b, 14, 4);
  return { ...NOTHING, kind: 'arp', source, destination: address(b, 24, 4), reporter: source };
}

/** RFC 792, RFC 4443 §3: eight bytes, then the packet at fault, at least up to its ports. */
function readIcmp(b: Uint8Array): Fields | undefined {
  if (b.length < 40) return undefined;
  const v4 = b[0]! >>> 4 === 4;
  const start = v4 ? (b[0]! & 15) * 4 : 40;
  if ((v4 ? b[9] : b[6]) !== (v4 ? PROTOCOL_ICMP : PROTOCOL_ICMPV6) || b.length < start + 8) return undefined;
  const icmpType = b[start]!;
  if (!(v4 ? ERRORS_4 : ERRORS_6).has(icmpType)) return undefined;
  const quoted = b.subarray(start + 8);
  if (quoted.length < (v4 ? 20 : 40)) return undefined;
  const ports = v4 ? (quoted[0]! & 15) * 4 : 40;
  if ((v4 ? quoted[9] : quoted[6]) !== PROTOCOL_TCP || quoted.length < ports + 8) return undefined;
  return {
    ...NOTHING,
    kind: 'icmp',
    source: v4 ? address(quoted, 12, 4) : address(quoted, 8, 16),
    sourcePort: u16(quoted, ports),
    destination: v4 ? address(quoted, 16, 4) : address(quoted, 24, 16),
    destinationPort: u16(quoted, ports + 2),
    seq: (u16(quoted, ports + 4) << 16) | u16(quoted, ports + 6) | 0,
    reporter: v4 ? address(b, 12, 4) : address(b, 8, 16),
    icmpType,
    icmpCode: b[start + 1]!,
  };
}

const NOTHING = { sourcePort: 0, destinationPort: 0, flags: 0, seq: 0, ack: 0, icmpType: 0, icmpCode: 0 };

function u16(b: Uint8Array, at: number): number {
  return (b[at]! << 8) | b[at + 1]!;
}

function address(b: Uint8Array, at: number, size: 4 | 16): IpAddress {
  return fromBytes(b.subarray(at, at + size));
}
