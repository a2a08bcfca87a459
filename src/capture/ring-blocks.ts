/**
 * TPACKET_V3 as it lies in memory (linux/if_packet.h), and a walker over it.
 *
 * The ring is `blockCount` blocks used in turn. A block belongs to the kernel while its status is 0, and to us once the
 * kernel has set TP_STATUS_USER; storing 0 gives it back. It holds a chain of frames, each with a `tpacket3_hdr` and a
 * `sockaddr_ll`. Fields are in host order and aligned, so the block is read through a few typed arrays over the whole
 * ring, made once.
 *
 * One walk fills one batch, from one block. A block that holds more than a batch is walked in several turns, and given
 * back when the batch that ended it is done with: at the next walk.
 */
import {
  FRAME_CHECKSUM_PARTIAL,
  FRAME_CHECKSUM_VALID,
  FRAME_OUTGOING,
  NO_VLAN,
  type FrameBatch,
} from '../core/frame-batch.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_RAW } from './link-type.ts';
import { FrameTimes } from './wall-clock.ts';

/** struct tpacket_block_desc, as 32-bit words. */
const BLOCK_STATUS = 8 >> 2;
const BLOCK_PACKETS = 12 >> 2;
const BLOCK_FIRST = 16 >> 2;

/** struct tpacket3_hdr, in bytes. */
const NEXT_OFFSET = 0;
const SECONDS = 4;
const NANOSECONDS = 8;
const CAPTURED = 12;
const LENGTH = 16;
const STATUS = 20;
const MAC = 24;
const VLAN_TCI = 32;
/** struct sockaddr_ll, which follows it. */
const LL_PROTOCOL = 48 + 2;
const LL_HATYPE = 48 + 8;
const LL_PACKET_TYPE = 48 + 10;

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;
const TP_STATUS_CSUMNOTREADY = 8;
const TP_STATUS_VLAN_VALID = 16;
const TP_STATUS_CSUM_VALID = 128;

const PACKET_OUTGOING = 4;
const ARPHRD_LOOPBACK = 772;

/** EtherTypes as they lie in `sll_protocol` (network order) when read in little- or big-endian host order. */
const LITTLE_ENDIAN = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const PROTOCOL_IP4 = LITTLE_ENDIAN ? 0x0008 : 0x0800;
const PROTOCOL_IP6 = LITTLE_ENDIAN ? 0xdd86 : 0x86dd;
const PROTOCOL_VLAN = LITTLE_ENDIAN ? 0x0081 : 0x8100;

/** Bytes of a Linux cooked (SLL) header. */
const SLL_HEADER = 16;

export type Direction = 'in' | 'out' | 'both';

export class RingBlocks {
  readonly #bytes: Uint8Array;
  readonly #halves: Uint16Array;
  readonly #words: Int32Array;
  readonly #unsigned: Uint32Array;
  readonly #blockSize: number;
  readonly #blockCount: number;
  readonly #cooked: boolean;
  readonly #direction: Direction;
  readonly #times: FrameTimes;
  #block = 0;
  /** Frames of the current block not yet walked; 0 with `#walked`: the block can be given back. */
  #left = 0;
  #next = 0;
  #walked = false;

  constructor(buffer: ArrayBuffer, blockSize: number, cooked: boolean, direction: Direction, times = new FrameTimes()) {
    this.#bytes = new Uint8Array(buffer);
    this.#halves = new Uint16Array(buffer);
    this.#words = new Int32Array(buffer);
    this.#unsigned = new Uint32Array(buffer);
    this.#blockSize = blockSize;
    this.#blockCount = buffer.byteLength / blockSize;
    this.#cooked = cooked;
    this.#direction = direction;
    this.#times = times;
  }

  /**
   * Fills `batch` with the next frames; false when the kernel has none for us. Invalidates the batch before it. A block
   * whose frames are all unwanted yields an empty batch.
   */
  walk(batch: FrameBatch): boolean {
    batch.reset(this.#bytes);
    if (this.#left === 0) {
      if (this.#walked) this.#giveBack();
      const header = (this.#block * this.#blockSize) >> 2;
      if ((Atomics.load(this.#words, header + BLOCK_STATUS) & TP_STATUS_USER) === 0) return false;
      this.#left = this.#words[header + BLOCK_PACKETS]!;
      this.#next = this.#block * this.#blockSize + this.#words[header + BLOCK_FIRST]!;
      this.#walked = true;
    }
    this.#times.look();
    while (this.#left > 0 && batch.count < batch.capacity) {
      const frame = this.#next;
      this.#add(batch, frame);
      this.#next = frame + this.#unsigned[(frame + NEXT_OFFSET) >> 2]!;
      this.#left--;
    }
    return true;
  }

  /**
   * Whether the kernel holds no frame for us: the block it would fill next is empty. The count lives in the block's
   * header while the kernel fills it; it is cleared here when a block is given back, and by the kernel when it opens one.
   */
  drained(): boolean {
    if (this.#left > 0 || this.#walked) return false;
    const header = (this.#block * this.#blockSize) >> 2;
    const status = Atomics.load(this.#words, header + BLOCK_STATUS);
    return status === TP_STATUS_KERNEL && Atomics.load(this.#words, header + BLOCK_PACKETS) === 0;
  }

  /** Whether half of the ring, or more, waits to be walked. */
  get halfFull(): boolean {
    const ahead = (this.#block + (this.#blockCount >> 1)) % this.#blockCount;
    return (Atomics.load(this.#words, ((ahead * this.#blockSize) >> 2) + BLOCK_STATUS) & TP_STATUS_USER) !== 0;
  }

  #giveBack(): void {
    const header = (this.#block * this.#blockSize) >> 2;
    this.#words[header + BLOCK_PACKETS] = 0;
    Atomics.store(this.#words, header + BLOCK_STATUS, TP_STATUS_KERNEL);
    this.#walked = false;
    this.#block = this.#block + 1 === this.#blockCount ? 0 : this.#block + 1;
  }

  #add(batch: FrameBatch, frame: number): void {
    const outgoing = this.#bytes[frame + LL_PACKET_TYPE] === PACKET_OUTGOING;
    if (!this.#wanted(frame, outgoing)) return;
    const word = frame >> 2;
    const status = this.#words[word + (STATUS >> 2)]!;
    let flags = outgoing ? FRAME_OUTGOING : 0;
    if ((status & TP_STATUS_CSUMNOTREADY) !== 0) flags |= FRAME_CHECKSUM_PARTIAL;
    else if ((status & TP_STATUS_CSUM_VALID) !== 0) flags |= FRAME_CHECKSUM_VALID;
    const vlan = (status & TP_STATUS_VLAN_VALID) !== 0 ? this.#words[word + (VLAN_TCI >> 2)]! & 0xffff : NO_VLAN;
    let offset = frame + this.#halves[(frame + MAC) >> 1]!;
    let captured = this.#unsigned[word + (CAPTURED >> 2)]!;
    let length = this.#unsigned[word + (LENGTH >> 2)]!;
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
    const stamp = this.#unsigned[word + (SECONDS >> 2)]! * 1e6 + this.#unsigned[word + (NANOSECONDS >> 2)]! / 1e3;
    batch.add(offset, captured, length, this.#times.place(stamp), linkType, flags, vlan);
  }

  /** On loopback every frame is seen leaving and arriving: once is enough. */
  #wanted(frame: number, outgoing: boolean): boolean {
    if (this.#direction === 'in') return !outgoing;
    if (this.#direction === 'out') return outgoing;
    return !outgoing || this.#halves[(frame + LL_HATYPE) >> 1] !== ARPHRD_LOOPBACK;
  }

  /**
   * The EtherType of what a cooked frame begins with. Newer kernels report the innermost one, although the tags after
   * the first are still in the frame (vlan_get_protocol_dgram): such a frame is `TCI, EtherType, IP`. Nothing says so but
   * its bytes; an IPv4 packet that looks like it is 0x0800 bytes long.
   */
  #cookedProtocol(frame: number, offset: number, length: number, vlan: number): number {
    const protocol = this.#halves[(frame + LL_PROTOCOL) >> 1]!;
    if (vlan === NO_VLAN) return protocol;
    const version = protocol === PROTOCOL_IP4 ? 4 : 6;
    const tagged = this.#halves[(offset + 2) >> 1] === protocol && this.#bytes[offset + 4]! >> 4 === version;
    return tagged && length !== 0x0800 ? PROTOCOL_VLAN : protocol;
  }

  /** Packet type, ARPHRD_ and EtherType; the link address is left out. */
  #writeSllHeader(frame: number, offset: number, protocol: number): void {
    const bytes = this.#bytes;
    const hatype = this.#halves[(frame + LL_HATYPE) >> 1]!;
    bytes.fill(0, offset, offset + SLL_HEADER);
    bytes[offset + 1] = bytes[frame + LL_PACKET_TYPE]!;
    bytes[offset + 2] = hatype >> 8;
    bytes[offset + 3] = hatype & 0xff;
    this.#halves[(offset + 14) >> 1] = protocol;
  }
}
