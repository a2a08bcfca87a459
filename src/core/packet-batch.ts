/**
 * A batch of outgoing IP packets in one arena: sessions write into it, a packet sink sends it.
 *
 * `reserve` gives room for one packet, `commit` makes what was written there part of the batch. Packets begin with the
 * IP header (no link header) and carry final checksums.
 */
export class PacketBatch {
  readonly bytes: Uint8Array;
  readonly view: DataView;
  /** Where each packet begins in `bytes`, and how long it is. */
  readonly offset: Uint32Array;
  readonly length: Uint32Array;
  count = 0;
  used = 0;

  /** `capacity` packets, `size` bytes of arena. */
  constructor(capacity = 1024, size = 2 << 20) {
    this.bytes = new Uint8Array(size);
    this.view = new DataView(this.bytes.buffer);
    this.offset = new Uint32Array(capacity);
    this.length = new Uint32Array(capacity);
  }

  /** Start of room for a packet of up to `size` bytes, or -1 when the batch must be flushed first. */
  reserve(size: number): number {
    return this.count < this.offset.length && this.used + size <= this.bytes.length ? this.used : -1;
  }

  /** Ends the packet begun by the last `reserve`. Keeps packets 4-byte aligned. */
  commit(length: number): void {
    this.offset[this.count] = this.used;
    this.length[this.count] = length;
    this.count++;
    this.used += (length + 3) & ~3;
  }

  clear(): void {
    this.count = 0;
    this.used = 0;
  }
}
