/** Builds frames for the wire tests, layer by layer, and parses them. */
import type { DropReason } from '../../../src/core/drop-reason.ts';
import { FrameBatch, NO_VLAN } from '../../../src/core/frame-batch.ts';
import { fromBytes, parseIp, type IpAddress } from '../../../src/core/ip-address.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant } from '../../../src/core/time.ts';
import { FrameParser, type FrameParserOptions } from '../../../src/wire/frame-parser.ts';
import { Segment, TCP_ACK, TCP_PSH } from '../../../src/wire/segment.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../../../src/wire/tcp-writer.ts';

export const LINKTYPE_ETHERNET = 1;
export const LINKTYPE_RAW = 101;

export function bytes(...values: number[]): Uint8Array {
  return Uint8Array.from(values);
}

export function u16(value: number): Uint8Array {
  return bytes(value >>> 8, value);
}

export function u32(value: number): Uint8Array {
  return bytes(value >>> 24, value >>> 16, value >>> 8, value);
}

export function text(value: string): Uint8Array {
  return new TextEncoder().encode(value);
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** A header from 192.0.2.1:40000 to 198.51.100.2:80, or the like in IPv6, with `change` applied. */
export function header(change: Partial<Omit<TcpHeader, 'options'>> = {}, options: Uint8Array = bytes()): TcpHeader {
  const out = new TcpHeader();
  const version = change.ipVersion ?? 4;
  setAddresses(
    out,
    ip(version === 4 ? '192.0.2.1' : '2001:db8::1'),
    ip(version === 4 ? '198.51.100.2' : '2001:db8::2'),
  );
  Object.assign(out, { srcPort: 40000, dstPort: 80, seq: seqNum(1000), ack: seqNum(2000), window: 512 });
  out.flags = TCP_ACK | TCP_PSH;
  out.options.set(options);
  out.optionsLength = options.length;
  return Object.assign(out, change);
}

export function setAddresses(header: TcpHeader, source: IpAddress, destination: IpAddress): void {
  const { w0: src0, w1: src1, w2: src2, w3: src3 } = source;
  const { w0: dst0, w1: dst1, w2: dst2, w3: dst3 } = destination;
  Object.assign(header, { src0, src1, src2, src3, dst0, dst1, dst2, dst3 });
}

function ip(value: string): IpAddress {
  return parseIp(value)!;
}

/** One IP packet with a TCP segment, checksums right. */
export function packet(payload: Uint8Array = text('hello'), h: TcpHeader = header()): Uint8Array {
  const out = new Uint8Array(headersLength(h) + payload.length);
  writeTcpPacket(out, new DataView(out.buffer), 0, h, payload, 0, payload.length);
  return out;
}

export function ethernet(etherType: number, payload: Uint8Array): Uint8Array {
  return concat(bytes(2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2), u16(etherType), payload);
}

/** An IPv4 header around any payload; the header checksum is left 0, as by a card that fills it in. */
export function ipv4(protocol: number, payload: Uint8Array, fragment = 0, identification = 7): Uint8Array {
  const length = u16(20 + payload.length);
  const rest = concat(u16(identification), u16(fragment), bytes(64, protocol, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2));
  return concat(bytes(0x45, 0), length, rest, payload);
}

export function ipv6(nextHeader: number, payload: Uint8Array, payloadLength = payload.length): Uint8Array {
  const addresses = packet(bytes(), header({ ipVersion: 6 })).subarray(8, 40);
  return concat(bytes(0x60, 0, 0, 0), u16(payloadLength), bytes(nextHeader, 64), addresses, payload);
}

export function udp(destinationPort: number, payload: Uint8Array, sourcePort = 50_000): Uint8Array {
  return concat(u16(sourcePort), u16(destinationPort), u16(8 + payload.length), u16(0), payload);
}

export interface FrameFacts {
  linkType?: number;
  /** On the wire; by default as many bytes as there are. */
  length?: number;
  flags?: number;
  vlanTci?: number;
  /** Microseconds. */
  time?: number;
}

/** A batch of one frame, which stands at an odd offset between bytes that are not its own. */
export function batchOf(frame: Uint8Array, facts: FrameFacts = {}): FrameBatch {
  const memory = concat(new Uint8Array(3).fill(0xee), frame, new Uint8Array(5).fill(0xee));
  const batch = new FrameBatch(1, memory);
  const { linkType = LINKTYPE_ETHERNET, length = frame.length, flags = 0, vlanTci = NO_VLAN, time = 1e15 } = facts;
  batch.add(3, frame.length, length, instant(time), linkType, flags, vlanTci);
  return batch;
}

export interface Parsed {
  drop: DropReason;
  segment: Segment;
  payload: string;
}

/** A parser whose `parse` takes one frame. */
export function parserOf(options: Partial<FrameParserOptions> = {}) {
  const parser = new FrameParser({ verifyChecksums: true, ...options });
  return {
    parser,
    parse(frame: Uint8Array, facts: FrameFacts = {}): Parsed {
      const segment = new Segment();
      const drop = parser.parse(batchOf(frame, facts), 0, segment);
      return { drop, segment, payload: drop === 0 ? payloadOf(segment) : '' };
    },
  };
}

export function payloadOf(segment: Segment): string {
  const { payloadOffset, payloadLength } = segment;
  return new TextDecoder().decode(segment.bytes.subarray(payloadOffset, payloadOffset + payloadLength));
}

export function addressFrom(...parts: number[]): IpAddress {
  return fromBytes(parts);
}
