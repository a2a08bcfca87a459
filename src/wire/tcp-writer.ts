/** Writes complete IPv4 and IPv6 packets with one TCP segment in each, checksums final. */
import { seqNum, type SeqNum } from '../core/seq-num.ts';
import { foldSum, pseudoHeaderSum, sumBytes } from './checksum.ts';

export const IPV4_HEADER_LENGTH = 20;
export const IPV6_HEADER_LENGTH = 40;
export const TCP_HEADER_LENGTH = 20;
export const TCP_OPTIONS_MAX = 40;

const PROTOCOL_TCP = 6;
const DONT_FRAGMENT = 0x4000;
/** Below this many bytes a loop beats `TypedArray.set`, whose call and view cost about 60 ns. */
const LOOP_COPY_MAX = 32;

/** Everything of a packet but its payload. One instance per sender, changed in place and written again. */
export class TcpHeader {
  ipVersion: 4 | 6 = 4;
  /** Addresses as signed 32-bit words, IPv4 held IPv4-mapped (core/ip-address). */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  srcPort = 0;
  dstPort = 0;
  seq: SeqNum = seqNum(0);
  ack: SeqNum = seqNum(0);
  /** TCP_ bits. */
  flags = 0;
  /** As on the wire, already scaled; 0 to 65535. */
  window = 0;
  urgentPointer = 0;
  readonly options = new Uint8Array(TCP_OPTIONS_MAX);
  /** Bytes of `options` in use: a multiple of 4 (tcp-options-writer pads). */
  optionsLength = 0;
  /** IPv4 TTL, IPv6 hop limit. */
  ttl = 64;
  /** IPv4 identification; meaningless with DF set (RFC 6864 §4.1), but some middleboxes want it to move. */
  identification = 0;
}

/** Bytes of IP and TCP header, options included: what a packet takes beyond its payload. */
export function headersLength(header: TcpHeader): number {
  return (header.ipVersion === 4 ? IPV4_HEADER_LENGTH : IPV6_HEADER_LENGTH) + TCP_HEADER_LENGTH + header.optionsLength;
}

/**
 * Writes one packet at `offset` and returns its length. `view` covers the same bytes as `bytes`. The caller has made
 * room for `headersLength(header) + payloadLength` bytes, and keeps that below 65,536. DF is always set: a segment that
 * does not fit the path is cut by the sender, not by a router. `large`: it will be cut (`PacketBatch`).
 */
export function writeTcpPacket(
  bytes: Uint8Array,
  view: DataView,
  offset: number,
  header: TcpHeader,
  payload: Uint8Array | undefined,
  payloadOffset: number,
  payloadLength: number,
  large = false,
): number {
  const tcpLength = TCP_HEADER_LENGTH + header.optionsLength + payloadLength;
  const tcp =
    header.ipVersion === 4 ? writeIpv4(view, offset, header, tcpLength) : writeIpv6(view, offset, header, tcpLength);

  view.setUint16(tcp, header.srcPort);
  view.setUint16(tcp + 2, header.dstPort);
  view.setInt32(tcp + 4, header.seq);
  view.setInt32(tcp + 8, header.ack);
  view.setUint8(tcp + 12, (TCP_HEADER_LENGTH + header.optionsLength) << 2);
  view.setUint8(tcp + 13, header.flags);
  view.setUint16(tcp + 14, header.window);
  view.setUint16(tcp + 16, 0);
  view.setUint16(tcp + 18, header.urgentPointer);
  copyBytes(header.options, 0, header.optionsLength, bytes, tcp + TCP_HEADER_LENGTH);
  if (payload !== undefined) {
    copyBytes(payload, payloadOffset, payloadLength, bytes, tcp + TCP_HEADER_LENGTH + header.optionsLength);
  }

  const pseudo = pseudoHeaderSum(
    header.src0,
    header.src1,
    header.src2,
    header.src3,
    header.dst0,
    header.dst1,
    header.dst2,
    header.dst3,
    PROTOCOL_TCP,
    tcpLength,
  );
  view.setUint16(tcp + 16, large ? pseudo : ~foldSum(pseudo + sumBytes(view, tcp, tcpLength)));
  return tcp + tcpLength - offset;
}

/** RFC 791 §3.1. Returns where the TCP header begins. */
function writeIpv4(view: DataView, offset: number, header: TcpHeader, tcpLength: number): number {
  view.setUint16(offset, 0x4500);
  view.setUint16(offset + 2, IPV4_HEADER_LENGTH + tcpLength);
  view.setUint16(offset + 4, header.identification);
  view.setUint16(offset + 6, DONT_FRAGMENT);
  view.setUint8(offset + 8, header.ttl);
  view.setUint8(offset + 9, PROTOCOL_TCP);
  view.setUint16(offset + 10, 0);
  view.setInt32(offset + 12, header.src3);
  view.setInt32(offset + 16, header.dst3);
  view.setUint16(offset + 10, ~sumBytes(view, offset, IPV4_HEADER_LENGTH));
  return offset + IPV4_HEADER_LENGTH;
}

/** RFC 8200 §3; traffic class and flow label are 0. Returns where the TCP header begins. */
function writeIpv6(view: DataView, offset: number, header: TcpHeader, tcpLength: number): number {
  view.setInt32(offset, 0x6000_0000);
  view.setUint16(offset + 4, tcpLength);
  view.setUint8(offset + 6, PROTOCOL_TCP);
  view.setUint8(offset + 7, header.ttl);
  view.setInt32(offset + 8, header.src0);
  view.setInt32(offset + 12, header.src1);
  view.setInt32(offset + 16, header.src2);
  view.setInt32(offset + 20, header.src3);
  view.setInt32(offset + 24, header.dst0);
  view.setInt32(offset + 28, header.dst1);
  view.setInt32(offset + 32, header.dst2);
  view.setInt32(offset + 36, header.dst3);
  return offset + IPV6_HEADER_LENGTH;
}

function copyBytes(from: Uint8Array, start: number, length: number, to: Uint8Array, at: number): void {
  if (length <= LOOP_COPY_MAX) {
    for (let i = 0; i < length; i++) to[at + i] = from[start + i]!;
  } else if (start === 0 && length === from.length) {
    to.set(from, at);
  } else {
    to.set(from.subarray(start, start + length), at);
  }
}
