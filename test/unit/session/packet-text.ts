/**
 * Packets as text in the manner of packetdrill, and a decoder that shares no code with `src/wire`:
 *
 *     FLAGS START:END(LENGTH) [ack N] [win N] [<option,…>]        flags: S F R P U, and . for ACK
 *     options: mss N, sackOK, ws N, TS val N ecr N, sack A:B C:D
 *
 * Sequence numbers are relative to the initial ones of either side.
 */
import { ipv4FromWord } from '../../../src/core/ip-address.ts';
import type { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import { CHECKSUM_GOOD, Segment } from '../../../src/wire/segment.ts';

export const LOCAL = { address: ipv4FromWord(0x0a00_0001), port: 40_000 };
export const REMOTE = { address: ipv4FromWord(0x0a00_0002), port: 80 };

const FLAG_BITS: Record<string, number> = { F: 1, S: 2, R: 4, P: 8, '.': 16, U: 32 };
const FLAG_ORDER = 'SFRPU.';

export interface Packet {
  flags: number;
  seq: number;
  ack: number;
  window: number;
  payload: Uint8Array;
  mss: number;
  sackPermitted: boolean;
  windowShift: number;
  timestamps: { value: number; echo: number } | undefined;
  /** Absolute numbers. */
  sack: { start: number; end: number }[];
  /** Length of the IP packet. */
  size: number;
}

/** Decodes packet `i` of a batch, which is not large, and checks lengths and both checksums. */
export function decodePacket(batch: PacketBatch, i: number): Packet {
  const [bytes, ...more] = segmentsOf(batch, i);
  if (more.length > 0) throw new Error('a large packet');
  return decodeBytes(bytes!);
}

/** Packet `i` of a batch as it goes on the wire: a large one is cut, and its checksum field was the pseudo-header's sum. */
export function segmentsOf(batch: PacketBatch, i: number): Uint8Array[] {
  const whole = batch.bytes.slice(batch.offset[i], batch.offset[i]! + batch.length[i]!);
  const segment = batch.segment[i]!;
  if (segment === 0) return [whole];
  const ip = whole[0]! >> 4 === 6 ? 40 : 20;
  const header = ip + (whole[ip + 12]! >> 4) * 4;
  const length = whole.length - ip;
  const addresses = ip === 40 ? whole.subarray(8, 40) : whole.subarray(12, 20);
  const pseudo = (n: number) => [...addresses, 0, 6, n >> 8, n & 255];
  const view = new DataView(whole.buffer);
  if (view.getUint16(ip + 16) !== onesSum(Uint8Array.from(pseudo(length)))) throw new Error('bad pseudo-header sum');
  if (length <= header - ip + segment) throw new Error('a large packet of one segment');
  const packets: Uint8Array[] = [];
  for (let at = header; at < whole.length; at += segment) {
    const end = Math.min(at + segment, whole.length);
    const packet = Uint8Array.from([...whole.subarray(0, header), ...whole.subarray(at, end)]);
    const out = new DataView(packet.buffer);
    out.setUint16(ip === 40 ? 4 : 2, ip === 40 ? packet.length - 40 : packet.length);
    if (ip === 20) {
      out.setUint16(10, 0);
      out.setUint16(10, ~onesSum(packet.subarray(0, 20)));
    }
    out.setInt32(ip + 4, view.getInt32(ip + 4) + at - header);
    if (end < whole.length) packet[ip + 13]! &= ~9;
    out.setUint16(ip + 16, 0);
    out.setUint16(ip + 16, ~onesSum(Uint8Array.from([...pseudo(packet.length - ip), ...packet.subarray(ip)])));
    packets.push(packet);
  }
  return packets;
}

export function decodeBytes(b: Uint8Array): Packet {
  const v6 = b[0]! >> 4 === 6;
  const ipHeader = v6 ? 40 : (b[0]! & 15) * 4;
  const u16 = (at: number) => b[at]! * 256 + b[at + 1]!;
  const u32 = (at: number) => u16(at) * 65_536 + u16(at + 2);
  const total = v6 ? 40 + u16(4) : u16(2);
  if (total !== b.length) throw new Error(`IP length ${total}, packet ${b.length}`);
  if (!v6 && onesSum(b.subarray(0, ipHeader)) !== 0xffff) throw new Error('bad IP checksum');
  const tcp = b.subarray(ipHeader);
  const addresses = v6 ? b.subarray(8, 40) : b.subarray(12, 20);
  const pseudo = new Uint8Array([...addresses, 0, 6, tcp.length >> 8, tcp.length & 255, ...tcp]);
  if (onesSum(pseudo) !== 0xffff) throw new Error('bad TCP checksum');
  const dataOffset = (tcp[12]! >> 4) * 4;
  const packet: Packet = {
    flags: tcp[13]!,
    seq: u32(ipHeader + 4) | 0,
    ack: u32(ipHeader + 8) | 0,
    window: u16(ipHeader + 14),
    payload: tcp.slice(dataOffset),
    mss: 0,
    sackPermitted: false,
    windowShift: -1,
    timestamps: undefined,
    sack: [],
    size: b.length,
  };
  for (let at = ipHeader + 20; at < ipHeader + dataOffset;) {
    const kind = b[at]!;
    if (kind === 0) break;
    if (kind === 1) {
      at++;
      continue;
    }
    const length = b[at + 1]!;
    if (length < 2) throw new Error('bad option');
    if (kind === 2) packet.mss = u16(at + 2);
    else if (kind === 3) packet.windowShift = b[at + 2]!;
    else if (kind === 4) packet.sackPermitted = true;
    else if (kind === 8) packet.timestamps = { value: u32(at + 2), echo: u32(at + 6) };
    else if (kind === 5) {
      for (let k = at + 2; k < at + length; k += 8) packet.sack.push({ start: u32(k) | 0, end: u32(k + 4) | 0 });
    } else throw new Error(`option ${kind}`);
    at += length;
  }
  return packet;
}

function onesSum(b: Uint8Array): number {
  let sum = 0;
  for (let i = 0; i < b.length; i += 2) sum += b[i]! * 256 + (b[i + 1] ?? 0);
  while (sum > 0xffff) sum = (sum & 0xffff) + Math.floor(sum / 65_536);
  return sum;
}

/** Numbers relative to the sender's and the receiver's initial sequence number. */
export function formatPacket(p: Packet, senderIss: number, receiverIss: number, withWindow = false): string {
  const flags = [...FLAG_ORDER].filter((f) => p.flags & FLAG_BITS[f]!).join('');
  const start = (p.seq - senderIss) | 0;
  const parts = [`${flags} ${start}:${start + p.payload.length}(${p.payload.length})`];
  if (p.flags & 16) parts.push(`ack ${(p.ack - receiverIss) | 0}`);
  if (withWindow) parts.push(`win ${p.window}`);
  const options: string[] = [];
  if (p.mss) options.push(`mss ${p.mss}`);
  if (p.sackPermitted) options.push('sackOK');
  if (p.timestamps) options.push(`TS val ${p.timestamps.value} ecr ${p.timestamps.echo}`);
  if (p.windowShift >= 0) options.push(`ws ${p.windowShift}`);
  const block = (s: { start: number; end: number }) => `${(s.start - receiverIss) | 0}:${(s.end - receiverIss) | 0}`;
  if (p.sack.length > 0) options.push(`sack ${p.sack.map(block).join(' ')}`);
  if (options.length > 0) parts.push(`<${options.join(',')}>`);
  return parts.join(' ');
}

/** The segment that `text` describes, coming from the peer; `payload` gives its bytes by stream position. */
export function parseSegment(
  text: string,
  senderIss: number,
  receiverIss: number,
  payload: (position: number) => number,
): Segment {
  const match = /^([SFRPU.]+) (-?\d+):(-?\d+)\((\d+)\)(?: ack (-?\d+))?(?: win (\d+))?(?: <(.*)>)?$/.exec(text);
  if (!match) throw new Error(`not a packet: ${text}`);
  const [, flags, start, end, length, ack, window, options] = match;
  if (Number(end) - Number(start) !== Number(length)) throw new Error(`length does not add up: ${text}`);
  const bits = [...flags!].reduce((all, f) => all | FLAG_BITS[f]!, 0);
  const data = Array.from({ length: Number(length) }, (_, i) => payload(Number(start) - 1 + i));
  return makeSegment({
    flags: bits,
    seq: (senderIss + Number(start)) | 0,
    ack: ack === undefined ? 0 : (receiverIss + Number(ack)) | 0,
    window: window === undefined ? 65_535 : Number(window),
    options: options === undefined ? [] : optionBytes(options, receiverIss),
    payload: Uint8Array.from(data),
  });
}

function optionBytes(text: string, receiverIss: number): number[] {
  const word = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const out: number[] = [];
  const sack: number[] = [];
  for (const option of text.split(',')) {
    const [name, ...rest] = option.split(' ');
    if (name === 'mss') out.push(2, 4, Number(rest[0]) >> 8, Number(rest[0]) & 255);
    else if (name === 'sackOK') out.push(4, 2);
    else if (name === 'ws') out.push(3, 3, Number(rest[0]));
    else if (name === 'TS') out.push(8, 10, ...word(Number(rest[1])), ...word(Number(rest[3])));
    else if (name === 'sack') {
      for (const n of rest.flatMap((block) => block.split(':'))) sack.push(...word((receiverIss + Number(n)) | 0));
    } else throw new Error(`option ${option}`);
  }
  if (sack.length > 0) out.push(5, sack.length + 2, ...sack);
  while (out.length % 4 !== 0) out.push(1);
  return out;
}

/** The options of a packet as bytes. */
export function optionsOf(packet: Packet): number[] {
  const word = (n: number) => [(n >>> 24) & 255, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
  const out: number[] = [];
  if (packet.mss) out.push(2, 4, packet.mss >> 8, packet.mss & 255);
  if (packet.sackPermitted) out.push(4, 2);
  if (packet.windowShift >= 0) out.push(3, 3, packet.windowShift);
  if (packet.timestamps) out.push(8, 10, ...word(packet.timestamps.value), ...word(packet.timestamps.echo));
  if (packet.sack.length > 0) {
    out.push(5, 2 + 8 * packet.sack.length, ...packet.sack.flatMap((s) => [...word(s.start), ...word(s.end)]));
  }
  while (out.length % 4 !== 0) out.push(1);
  return out;
}

export interface SegmentFields {
  flags: number;
  seq: number;
  ack: number;
  window: number;
  options: readonly number[];
  payload: Uint8Array;
}

/** A segment from the peer, as the wire layer would hand it over. */
export function makeSegment(fields: SegmentFields, into = new Segment()): Segment {
  const bytes = new Uint8Array(fields.options.length + fields.payload.length);
  bytes.set(fields.options);
  bytes.set(fields.payload, fields.options.length);
  into.bytes = bytes;
  into.view = new DataView(bytes.buffer);
  into.src2 = into.dst2 = 0xffff;
  into.src3 = REMOTE.address.w3;
  into.dst3 = LOCAL.address.w3;
  into.srcPort = REMOTE.port;
  into.dstPort = LOCAL.port;
  into.seq = seqNum(fields.seq);
  into.ack = seqNum(fields.ack);
  into.flags = fields.flags;
  into.window = fields.window;
  into.optionsOffset = 0;
  into.optionsLength = fields.options.length;
  into.payloadOffset = fields.options.length;
  into.payloadLength = fields.payload.length;
  into.payloadMissing = 0;
  into.checksum = CHECKSUM_GOOD;
  return into;
}
