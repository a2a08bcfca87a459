/**
 * Frames of a packet socket's ring as they lie in memory (linux/if_packet.h): what the kernel says of one, in the layout of
 * the ring's version, becomes an entry of a batch. Fields are in host order and aligned, so they are read through a few
 * typed arrays over the whole ring, made once.
 */
import {
  FRAME_CHECKSUM_PARTIAL,
  FRAME_CHECKSUM_VALID,
  FRAME_OUTGOING,
  NO_VLAN,
  type FrameBatch,
} from '../core/frame-batch.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_RAW } from './link-type.ts';
import type { FrameTimes } from './wall-clock.ts';

const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;

/** Where a frame's header has its fields, in bytes. */
export interface FrameLayout {
  readonly status: number;
  readonly length: number;
  readonly captured: number;
  readonly mac: number;
  /** Nanoseconds follow. */
  readonly seconds: number;
  /** 16 bits. */
  readonly vlanTci: number;
  /** struct sockaddr_ll. */
  readonly address: number;
}

/** struct tpacket3_hdr, with which the frames of a block begin. */
export const FRAME_IN_BLOCK: FrameLayout = {
  status: 20,
  length: 16,
  captured: 12,
  mac: 24,
  seconds: 4,
  vlanTci: LITTLE_ENDIAN ? 32 : 34,
  address: 48,
};

/** struct tpacket2_hdr, with which a slot begins. */
export const FRAME_IN_SLOT: FrameLayout = {
  status: 0,
  length: 4,
  captured: 8,
  mac: 12,
  seconds: 16,
  vlanTci: 24,
  address: 32,
};

/** struct sockaddr_ll. */
const LL_PROTOCOL = 2;
const LL_HATYPE = 8;
const LL_PACKET_TYPE = 10;

const TP_STATUS_CSUMNOTREADY = 8;
const TP_STATUS_VLAN_VALID = 16;
const TP_STATUS_CSUM_VALID = 128;

const PACKET_OUTGOING = 4;
const ARPHRD_LOOPBACK = 772;

/** EtherTypes as they lie in `sll_protocol` (network order) when read in little- or big-endian host order. */
const PROTOCOL_IP4 = LITTLE_ENDIAN ? 0x0008 : 0x0800;
const PROTOCOL_IP6 = LITTLE_ENDIAN ? 0xdd86 : 0x86dd;
const PROTOCOL_VLAN = LITTLE_ENDIAN ? 0x0081 : 0x8100;

/** Bytes of a Linux cooked (SLL) header. */
const SLL_HEADER = 16;

export type Direction = 'in' | 'out' | 'both';

export class RingFrames {
  readonly bytes: Uint8Array;
  readonly words: Int32Array;
  readonly unsigned: Uint32Array;
  readonly #halves: Uint16Array;
  readonly #cooked: boolean;
  readonly #direction: Direction;
  readonly #times: FrameTimes;
  /** The layout: of whole words in words, else in bytes. */
  readonly #status: number;
  readonly #length: number;
  readonly #captured: number;
  readonly #mac: number;
  readonly #seconds: number;
  readonly #vlanTci: number;
  readonly #protocol: number;
  readonly #hatype: number;
  readonly #packetType: number;

  constructor(buffer: ArrayBuffer, layout: FrameLayout, cooked: boolean, direction: Direction, times: FrameTimes) {
    this.bytes = new Uint8Array(buffer);
    this.words = new Int32Array(buffer);
    this.unsigned = new Uint32Array(buffer);
    this.#halves = new Uint16Array(buffer);
    this.#cooked = cooked;
    this.#direction = direction;
    this.#times = times;
    this.#status = layout.status >> 2;
    this.#length = layout.length >> 2;
    this.#captured = layout.captured >> 2;
    this.#mac = layout.mac;
    this.#seconds = layout.seconds >> 2;
    this.#vlanTci = layout.vlanTci;
    this.#protocol = layout.address + LL_PROTOCOL;
    this.#hatype = layout.address + LL_HATYPE;
    this.#packetType = layout.address + LL_PACKET_TYPE;
  }

  /** Frames are added from now on: looks at the clocks. */
  begin(): void {
    this.#times.look();
  }

  /** Adds the frame whose header begins at `frame`, if it is wanted. */
  add(batch: FrameBatch, frame: number): void {
    const outgoing = this.bytes[frame + this.#packetType] === PACKET_OUTGOING;
    if (!this.#wanted(frame, outgoing)) return;
    const word = frame >> 2;
    const status = this.words[word + this.#status]!;
    let flags = outgoing ? FRAME_OUTGOING : 0;
    if ((status & TP_STATUS_CSUMNOTREADY) !== 0) flags |= FRAME_CHECKSUM_PARTIAL;
    else if ((status & TP_STATUS_CSUM_VALID) !== 0) flags |= FRAME_CHECKSUM_VALID;
    const vlan = (status & TP_STATUS_VLAN_VALID) !== 0 ? this.#halves[(frame + this.#vlanTci) >> 1]! : NO_VLAN;
    let offset = frame + this.#halves[(frame + this.#mac) >> 1]!;
    let captured = this.unsigned[word + this.#captured]!;
    let length = this.unsigned[word + this.#length]!;
    let linkType = LINKTYPE_ETHERNET;
    if (this.#cooked) {
      const protocol = this.#cookedProtocol(frame, offset, length, vlan);
      linkType = LINKTYPE_RAW;
      if (protocol !== PROTOCOL_IP4 && protocol !== PROTOCOL_IP6) {
        // The kernel leaves 16 bytes before a cooked frame: room for the header that says what it carries.
        linkType = LINKTYPE_LINUX_SLL;
        offset -= SLL_HEADER;
        captured += SLL_HEADER;
        length += SLL_HEADER;
        this.#writeSllHeader(frame, offset, protocol);
      }
    }
    const stamp = this.unsigned[word + this.#seconds]! * 1e6 + this.unsigned[word + this.#seconds + 1]! / 1e3;
    batch.add(offset, captured, length, this.#times.place(stamp), linkType, flags, vlan);
  }

  /** On loopback every frame is seen leaving and arriving: once is enough. */
  #wanted(frame: number, outgoing: boolean): boolean {
    if (this.#direction === 'in') return !outgoing;
    if (this.#direction === 'out') return outgoing;
    return !outgoing || this.#halves[(frame + this.#hatype) >> 1] !== ARPHRD_LOOPBACK;
  }

  /**
   * The EtherType of what a cooked frame begins with. Newer kernels report the innermost one, although the tags after
   * the first are still in the frame (vlan_get_protocol_dgram): such a frame is `TCI, EtherType, IP`. Nothing says so but
   * its bytes; an IPv4 packet that looks like it is 0x0800 bytes long.
   */
  #cookedProtocol(frame: number, offset: number, length: number, vlan: number): number {
    const protocol = this.#halves[(frame + this.#protocol) >> 1]!;
    if (vlan === NO_VLAN) return protocol;
    const version = protocol === PROTOCOL_IP4 ? 4 : 6;
    const tagged = this.#halves[(offset + 2) >> 1] === protocol && this.bytes[offset + 4]! >> 4 === version;
    return tagged && length !== 0x0800 ? PROTOCOL_VLAN : protocol;
  }

  /** Packet type, ARPHRD_ and EtherType; the link address is left out. */
  #writeSllHeader(frame: number, offset: number, protocol: number): void {
    const { bytes } = this;
    const hatype = this.#halves[(frame + this.#hatype) >> 1]!;
    bytes.fill(0, offset, offset + SLL_HEADER);
    bytes[offset + 1] = bytes[frame + this.#packetType]!;
    bytes[offset + 2] = hatype >> 8;
    bytes[offset + 3] = hatype & 0xff;
    this.#halves[(offset + 14) >> 1] = protocol;
  }
}
