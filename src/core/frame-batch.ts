/**
 * A batch of captured frames over one piece of memory: what every packet source hands out and the wire layer reads.
 *
 * Column layout (one typed array per field) so that walking a batch allocates nothing. The memory belongs to the source
 * and is valid until its next `poll`: whoever wants bytes longer copies them.
 */
import type { Instant } from './time.ts';

/** The frame's TCP checksum is only the pseudo-header's: the sender's NIC was to finish it. Trust the bytes. */
export const FRAME_CHECKSUM_PARTIAL = 1;
/** The kernel or NIC has verified the TCP checksum. */
export const FRAME_CHECKSUM_VALID = 2;
/** The frame left this host (PACKET_OUTGOING, pcapng direction 2). */
export const FRAME_OUTGOING = 4;

/** `vlanTci` of a frame from which no tag was stripped. */
export const NO_VLAN = 0x1_0000;

export class FrameBatch {
  bytes: Uint8Array;
  view: DataView;
  count = 0;
  readonly capacity: number;
  /** Where each frame begins in `bytes`. */
  readonly offset: Uint32Array;
  /** How many bytes of it are there. */
  readonly captured: Uint32Array;
  /** How many bytes it had on the wire. */
  readonly length: Uint32Array;
  /** When it was seen: an `Instant` in Unix microseconds. */
  readonly time: Float64Array;
  /** LINKTYPE_ value (pcap registry); a pcapng file may mix them. */
  readonly linkType: Uint16Array;
  /** FRAME_ bits. */
  readonly flags: Uint8Array;
  /** 802.1Q TCI that the kernel stripped, or `NO_VLAN`. */
  readonly vlanTci: Uint32Array;

  constructor(capacity: number, bytes: Uint8Array = new Uint8Array(0)) {
    this.capacity = capacity;
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.offset = new Uint32Array(capacity);
    this.captured = new Uint32Array(capacity);
    this.length = new Uint32Array(capacity);
    this.time = new Float64Array(capacity);
    this.linkType = new Uint16Array(capacity);
    this.flags = new Uint8Array(capacity);
    this.vlanTci = new Uint32Array(capacity);
  }

  /** Points the batch at other memory and empties it. */
  reset(bytes: Uint8Array): void {
    if (bytes !== this.bytes) {
      this.bytes = bytes;
      this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.count = 0;
  }

  /** Appends one frame's description; false when the batch is full. */
  add(
    offset: number,
    captured: number,
    length: number,
    time: Instant,
    linkType: number,
    flags = 0,
    vlanTci: number = NO_VLAN,
  ): boolean {
    const i = this.count;
    if (i === this.capacity) return false;
    this.offset[i] = offset;
    this.captured[i] = captured;
    this.length[i] = length;
    this.time[i] = time;
    this.linkType[i] = linkType;
    this.flags[i] = flags;
    this.vlanTci[i] = vlanTci;
    this.count = i + 1;
    return true;
  }
}
