/** Finds the ends of packets in bytes that come cut anywhere. */
import { HEADER_LENGTH } from './packet.ts';

export class PacketScanner {
  /** Of the packet under way, or the last one; valid from its header on. */
  length = 0;
  sequence = 0;
  /** The first byte of its payload; −1: it has none, or has not come yet. */
  code = -1;
  /** What was fed last has brought the end of a packet. */
  ended = false;
  /** Bytes of payload at the end of what was fed last. */
  taken = 0;
  #header = 0;
  #left = 0;

  /** Nothing of a packet has been read since the last one ended. */
  get idle(): boolean {
    return this.#header === 0;
  }

  /** The header of the packet under way is read. */
  get hasHeader(): boolean {
    return this.#header === HEADER_LENGTH;
  }

  /** Bytes of its payload that are still to come; 0 without a header. */
  get left(): number {
    return this.hasHeader ? this.#left : 0;
  }

  /** Reads up to the end of a packet, or of the bytes. Returns where it stopped. */
  feed(bytes: Uint8Array, from: number, to: number): number {
    let at = from;
    while (this.#header < HEADER_LENGTH && at < to) {
      const byte = bytes[at++]!;
      if (this.#header === 0) this.length = byte;
      else if (this.#header === 3) this.sequence = byte;
      else this.length |= byte << (this.#header * 8);
      if (++this.#header === HEADER_LENGTH) this.#left = this.length;
    }
    this.ended = false;
    this.taken = 0;
    if (this.#header < HEADER_LENGTH) return at;
    if (this.#left === this.length && this.#left > 0 && at < to) this.code = bytes[at]!;
    else if (this.length === 0) this.code = -1;
    const taken = Math.min(this.#left, to - at);
    this.taken = taken;
    this.#left -= taken;
    if (this.#left === 0) {
      this.#header = 0;
      this.ended = true;
    }
    return at + taken;
  }

  /** So many bytes of the payload under way are missing; no more than `left`. */
  skip(length: number): void {
    this.#left -= length;
    this.ended = this.#left === 0;
    if (this.ended) this.#header = 0;
  }

  /** The next byte begins a packet. */
  reset(): void {
    this.#header = 0;
    this.#left = 0;
    this.code = -1;
    this.ended = false;
  }
}
