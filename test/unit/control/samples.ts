/** One message of each kind, and segments, for the tests of the control channel. */
import { createHmac } from 'node:crypto';
import { parseIp, type IpAddress } from '../../../src/core/ip-address.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import type { Hmac } from '../../../src/control/handshake-proof.ts';
import type { ControlMessage } from '../../../src/control/messages.ts';
import {
  BYE,
  CHALLENGE,
  HELLO,
  HURRY,
  LEASE_GRANT,
  LEASE_REQUEST,
  PING,
  PONG,
  PROBE,
  PROBE_REPORT,
  PROOF,
  RECLAIM,
  REFUSED,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  WELCOME,
} from '../../../src/control/protocol.ts';
import { Segment } from '../../../src/wire/segment.ts';

export function ip(text: string): IpAddress {
  return parseIp(text)!;
}

export function bytes(length: number, first = 0): Uint8Array {
  return Uint8Array.from({ length }, (_, i) => (first + i) & 255);
}

export const hmac: Hmac = (key, data) => new Uint8Array(createHmac('sha256', key).update(data).digest());

export const SAMPLES: readonly ControlMessage[] = [
  {
    type: HELLO,
    versionMin: 1,
    versionMax: 3,
    instanceId: bytes(8, 1),
    connectionIndex: 1,
    connections: 2,
    hasKey: true,
    capabilities: 3,
    nonce: bytes(32, 9),
    software: '0.1.0 – test',
  },
  { type: CHALLENGE, version: 1, nonce: bytes(32, 3) },
  { type: PROOF, proof: bytes(32, 77) },
  {
    type: WELCOME,
    version: 1,
    capabilities: 3,
    interceptId: bytes(8, 5),
    leaseSilence: 30_000,
    proof: bytes(32),
    software: '',
  },
  { type: REFUSED, reason: 2, versionMin: 1, versionMax: 1, text: 'no' },
  {
    type: TARGETS,
    targets: [
      { address: ip('192.0.2.1'), portFirst: 80, portLast: 80 },
      { address: ip('2001:db8::1'), portFirst: 1, portLast: 65535 },
    ],
    clients: [
      { first: ip('10.0.0.0'), count: 256 },
      { first: ip('2001:db8:1::'), count: 2 ** 40 + 5 },
    ],
  },
  { type: LEASE_REQUEST, blocks: 4 },
  { type: LEASE_GRANT, wanted: 4, free: 59, blocks: [1, 2, 3, 63] },
  { type: RECLAIM, blocks: [] },
  { type: WANT_PAYLOAD, maxBytes: 0xffff_ffff },
  { type: HURRY, on: true },
  { type: HURRY, on: false },
  { type: PING, token: 0xffff_fffe },
  { type: PONG, token: 7 },
  { type: STATS, frames: 2 ** 45 + 1, kernelDropped: 2, forwarded: 3, dropped: 4 },
  { type: BYE, text: '' },
  { type: PROBE, token: 5, duration: 1500 },
  {
    type: PROBE_REPORT,
    token: 5,
    open: true,
    problem: '',
    capturesOn: 'eth0',
    filter: 'port 80',
    devices: [
      { name: 'lo', forwards4: false, forwards6: false, rpFilter: 0, addresses: [] },
      {
        name: 'eth0',
        forwards4: true,
        forwards6: false,
        rpFilter: 2,
        addresses: [{ address: ip('192.0.2.20'), prefix: 24 }],
      },
    ],
    foreign: 3,
    sightings: [
      {
        kind: 'icmp',
        device: 'eth0',
        outgoing: true,
        taken: false,
        source: ip('192.0.2.1'),
        sourcePort: 80,
        destination: ip('2001:db8::7'),
        destinationPort: 2048,
        flags: 0x12,
        seq: -5,
        ack: 7,
        reporter: ip('192.0.2.20'),
        icmpType: 3,
        icmpCode: 1,
      },
    ],
  },
];

export interface SegmentFields {
  readonly src?: string;
  readonly dst?: string;
  readonly srcPort?: number;
  readonly dstPort?: number;
  readonly seq?: number;
  readonly ack?: number;
  readonly flags?: number;
  readonly window?: number;
  readonly options?: Uint8Array;
  readonly payload?: Uint8Array;
  readonly missing?: number;
}

/** A segment whose options and payload lie somewhere inside a larger memory, as they do in a capture. */
export function segment(fields: SegmentFields): Segment {
  const { options = new Uint8Array(0), payload = new Uint8Array(0) } = fields;
  const s = new Segment();
  const src = ip(fields.src ?? '192.0.2.1');
  const dst = ip(fields.dst ?? '10.0.0.7');
  const memory = new Uint8Array(13 + options.length + payload.length + 5);
  memory.set(options, 13);
  memory.set(payload, 13 + options.length);
  s.bytes = memory;
  s.view = new DataView(memory.buffer);
  [s.src0, s.src1, s.src2, s.src3] = [src.w0, src.w1, src.w2, src.w3];
  [s.dst0, s.dst1, s.dst2, s.dst3] = [dst.w0, dst.w1, dst.w2, dst.w3];
  s.ipVersion = src.version;
  s.srcPort = fields.srcPort ?? 80;
  s.dstPort = fields.dstPort ?? 2000;
  s.seq = seqNum(fields.seq ?? 0);
  s.ack = seqNum(fields.ack ?? 0);
  s.flags = fields.flags ?? 0x10;
  s.window = fields.window ?? 0;
  s.optionsOffset = 13;
  s.optionsLength = options.length;
  s.payloadOffset = 13 + options.length;
  s.payloadLength = payload.length;
  s.payloadMissing = fields.missing ?? 0;
  return s;
}

/** What of a segment crosses the control channel, as plain values. */
export function contents(s: Segment): Record<string, unknown> {
  return {
    text: s.toString(),
    urgent: s.urgentPointer,
    ipVersion: s.ipVersion,
    options: [...s.bytes.subarray(s.optionsOffset, s.optionsOffset + s.optionsLength)],
    payload: [...s.bytes.subarray(s.payloadOffset, s.payloadOffset + s.payloadLength)],
    missing: s.payloadMissing,
  };
}
