/**
 * One TCP segment as read in place from a captured frame, or from a control-channel message. One instance is reused for
 * every segment: its fields are valid until the next parse, its bytes as long as the batch they lie in.
 */
import { formatEndpoint, ipFromWords, type Endpoint } from '../core/ip-address.ts';
import { seqNum, type SeqNum } from '../core/seq-num.ts';
import { instant, type Instant } from '../core/time.ts';

/** TCP header flags (RFC 9293 §3.1). */
export const TCP_FIN = 0x01;
export const TCP_SYN = 0x02;
export const TCP_RST = 0x04;
export const TCP_PSH = 0x08;
export const TCP_ACK = 0x10;
export const TCP_URG = 0x20;

/** The TCP checksum holds, or the kernel vouches for it. */
export const CHECKSUM_GOOD = 0;
export const CHECKSUM_BAD = 1;
/** It cannot be told: only the pseudo-header was summed (offload), or the capture cut the payload. */
export const CHECKSUM_UNVERIFIED = 2;

const NOWHERE = new Uint8Array(0);

export class Segment {
  /** The memory that the options and the payload lie in. */
  bytes: Uint8Array = NOWHERE;
  view: DataView = new DataView(NOWHERE.buffer);
  time: Instant = instant(0.5);
  /** Addresses as signed 32-bit words, IPv4 held IPv4-mapped; see core/ip-address. */
  src0 = 0;
  src1 = 0;
  src2 = 0;
  src3 = 0;
  dst0 = 0;
  dst1 = 0;
  dst2 = 0;
  dst3 = 0;
  ipVersion: 4 | 6 = 4;
  srcPort = 0;
  dstPort = 0;
  /** 0 for a plain frame; otherwise names the VLANs and tunnels it came through, equal for equal paths. */
  encapsulation = 0;
  seq: SeqNum = seqNum(0);
  ack: SeqNum = seqNum(0);
  /** TCP_ bits. */
  flags = 0;
  /** As on the wire: not scaled. */
  window = 0;
  urgentPointer = 0;
  optionsOffset = 0;
  optionsLength = 0;
  payloadOffset = 0;
  /** Payload bytes present at `payloadOffset`. */
  payloadLength = 0;
  /** Payload bytes the IP header promises beyond those: cut by the snap length, or left out by the intercept. */
  payloadMissing = 0;
  /** CHECKSUM_ value. */
  checksum = CHECKSUM_GOOD;
  /** Whether the frame left the capturing host. */
  outgoing = false;

  /** Payload length as sent, whether or not the bytes are here. */
  get sentLength(): number {
    return this.payloadLength + this.payloadMissing;
  }

  source(): Endpoint {
    return { address: ipFromWords(this.src0, this.src1, this.src2, this.src3), port: this.srcPort };
  }

  destination(): Endpoint {
    return { address: ipFromWords(this.dst0, this.dst1, this.dst2, this.dst3), port: this.dstPort };
  }

  /** For traces and test failures only. */
  toString(): string {
    const names = ['FIN', 'SYN', 'RST', 'PSH', 'ACK', 'URG', 'ECE', 'CWR'].filter((_, i) => this.flags & (1 << i));
    return `${formatEndpoint(this.source())} > ${formatEndpoint(this.destination())} ${names.join(',')} seq ${
      this.seq >>> 0
    } ack ${this.ack >>> 0} win ${this.window} len ${this.sentLength}`;
  }
}
