/** Segments of one made-up connection, for tests that need no frames. */
import { parseIp } from '../../src/core/ip-address.ts';
import { seqNum } from '../../src/core/seq-num.ts';
import { instant } from '../../src/core/time.ts';
import {
  CHECKSUM_GOOD,
  Segment,
  TCP_ACK,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from '../../src/wire/segment.ts';

export interface SegmentSpec {
  /** Letters of S F R P A U; `A` when left out. */
  readonly flags?: string;
  readonly seq: number;
  readonly ack?: number;
  readonly data?: string | Uint8Array;
  /** Payload bytes that were sent but are not here. */
  readonly missing?: number;
  readonly checksum?: number;
  /** Milliseconds. */
  readonly at?: number;
}

const FLAG_BITS: Record<string, number> = {
  S: TCP_SYN,
  F: TCP_FIN,
  R: TCP_RST,
  P: TCP_PSH,
  A: TCP_ACK,
  U: TCP_URG,
};

export interface Ends {
  readonly client?: string;
  readonly clientPort?: number;
  readonly server?: string;
  readonly serverPort?: number;
  readonly encapsulation?: number;
}

export function clientSegment(spec: SegmentSpec, ends: Ends = {}): Segment {
  const segment = new Segment();
  fillAddresses(segment, ends, true);
  return fill(segment, spec);
}

export function serverSegment(spec: SegmentSpec, ends: Ends = {}): Segment {
  const segment = new Segment();
  fillAddresses(segment, ends, false);
  return fill(segment, spec);
}

function fill(s: Segment, spec: SegmentSpec): Segment {
  const payload =
    typeof spec.data === 'string' ? new TextEncoder().encode(spec.data) : (spec.data ?? new Uint8Array(0));
  // Room around the payload: whoever ignores the offset or the length reads something else.
  s.bytes = new Uint8Array(payload.length + 14).fill(0xee);
  s.bytes.set(payload, 7);
  s.view = new DataView(s.bytes.buffer);
  s.payloadOffset = 7;
  s.payloadLength = payload.length;
  s.payloadMissing = spec.missing ?? 0;
  s.flags = [...(spec.flags ?? 'A')].reduce((bits, letter) => bits | FLAG_BITS[letter]!, 0);
  s.seq = seqNum(spec.seq);
  s.ack = seqNum(spec.ack ?? 0);
  s.window = 65_535;
  s.checksum = spec.checksum ?? CHECKSUM_GOOD;
  s.time = instant((spec.at ?? 0) * 1_000);
  return s;
}

function fillAddresses(s: Segment, ends: Ends, fromClient: boolean): void {
  const client = parseIp(ends.client ?? '192.0.2.1')!;
  const server = parseIp(ends.server ?? '198.51.100.1')!;
  const [source, destination] = fromClient ? [client, server] : [server, client];
  [s.src0, s.src1, s.src2, s.src3] = [source.w0, source.w1, source.w2, source.w3];
  [s.dst0, s.dst1, s.dst2, s.dst3] = [destination.w0, destination.w1, destination.w2, destination.w3];
  s.ipVersion = source.version;
  const ports = [ends.clientPort ?? 40_000, ends.serverPort ?? 80] as const;
  [s.srcPort, s.dstPort] = fromClient ? ports : [ports[1], ports[0]];
  s.encapsulation = ends.encapsulation ?? 0;
}
