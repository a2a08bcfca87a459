/** Length of a large packet: with a link header it stays below the 64 KiB that devices take unless told otherwise. */
export const LARGE_PACKET_MAX = 65_280;

/**
 * A batch of outgoing IP packets in one arena: sessions write into it, a packet sink sends it.
 *
 * `reserve` gives room for one packet, `commit` makes what was written there part of the batch. Packets begin with the
 * IP header (no link header) and carry final checksums.
 *
 * A *large* packet stands for several TCP segments, which whoever sends it cuts, as kernels do with devices that can: its
 * headers are those of the first, but for the lengths, which are its own, and TCP's checksum, in whose place is the folded
 * sum of the pseudo-header. Only sinks that say so take any.
 */
export class PacketBatch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each packet begins in `bytes`, and how long it is. */
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  /** Payload of each segment of a large packet, its last may have less; 0: it is none. */
  readonly segment: Uint16Array;
  count = 0;
  used = 0;

  /** `capacity` packets, `size` bytes of arena. */
  constructor(capacity = 1024, size = 2 << 20) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.offset = new Uint32Array(capacity);
    this.length = new Uint32Array(capacity);
    this.segment = new Uint16Array(capacity);
  }

  /** Start of room for a packet of up to `size` bytes, or -1 when the batch must be flushed first. */
  reserve(size: number): number {
    return this.count < this.offset.length && this.used + size <= this.bytes.length ? this.used : -1;
  }

  /** Ends the packet begun by the last `reserve`; `segment`: it is large. Keeps packets 4-byte aligned. */
  commit(length: number, segment = 0): void {
    this.offset[this.count] = this.used;
    this.length[this.count] = length;
    this.segment[this.count] = segment;
    this.count++;
    this.used += (length + 3) & ~3;
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }
}
