/**
 * One direction of a session that is compressed by zlib, back to the packets in it.
 *
 * Frames have seven bytes before them: their length (3), a number (1), and the length of what is in them (3), which is 0 where
 * they are not compressed. Packets begin and end anywhere in them.
 *
 * https://dev.mysql.com/doc/dev/mysql-server/latest/page_protocol_basic_compression_packet.html
 */
import { inflateSync } from 'node:zlib';
import { PendingBytes, type ByteBudget } from 'tcpcopy/plugin';

const HEADER_LENGTH = 7;
const EMPTY: Uint8Array = new Uint8Array(0);

export class Decompressor {
  /** Why nothing more comes: a few constant words. It stays so. */
  failure: string | undefined;
  /** Frames that are through. */
  frames = 0;
  readonly #held: PendingBytes;
  readonly #frameLimit: number;
  readonly #header = new Uint8Array(HEADER_LENGTH);
  #headerLength = 0;
  /** Bytes of the frame still to come, and what they come to; 0: they are not compressed. */
  #missing = 0;
  #plainLength = 0;
  #bytes = EMPTY;
  #at = 0;
  #end = 0;

  /** `frameLimit`: the longest frame that is taken, bytes, compressed or not. What is held counts in `budget`. */
  constructor(budget: ByteBudget, frameLimit = 1 << 24) {
    this.#held = new PendingBytes(budget);
    this.#frameLimit = frameLimit;
  }

  /** Nothing of a frame has been read. */
  get idle(): boolean {
    return this.#headerLength === 0 && this.#at === this.#end;
  }

  /** Lent until `next` has returned `undefined`. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#bytes = bytes;
    this.#at = offset;
    this.#end = offset + length;
  }

  /** The next plain bytes, a view that is valid until the next call; `undefined`: more is needed, or there is a failure. */
  next(): Uint8Array | undefined {
    while (this.failure === undefined && this.#at < this.#end) {
      if (this.#headerLength < HEADER_LENGTH) {
        this.#readHeader();
        continue;
      }
      const plain = this.#plainLength === 0 ? this.#stored() : this.#inflate();
      if (plain !== undefined) return plain;
    }
    return undefined;
  }

  /** What is held is given back: nothing more comes. */
  end(): void {
    this.#held.release();
  }

  #readHeader(): void {
    this.#header[this.#headerLength++] = this.#bytes[this.#at++]!;
    if (this.#headerLength < HEADER_LENGTH) return;
    this.#missing = u24(this.#header, 0);
    this.#plainLength = u24(this.#header, 4);
    if (Math.max(this.#missing, this.#plainLength) > this.#frameLimit) this.#fail('compressed-frame-too-long');
    else if (this.#missing === 0) this.#fail('empty-compressed-frame');
  }

  /** A frame that is not compressed goes through as it comes. */
  #stored(): Uint8Array {
    const length = Math.min(this.#missing, this.#end - this.#at);
    this.#at += length;
    this.#missing -= length;
    if (this.#missing === 0) this.#ended();
    return this.#bytes.subarray(this.#at - length, this.#at);
  }

  #inflate(): Uint8Array | undefined {
    const length = Math.min(this.#missing, this.#end - this.#at);
    if (!this.#held.append(this.#bytes, this.#at, length)) {
      this.#fail('no-memory-for-compressed');
      return undefined;
    }
    this.#at += length;
    this.#missing -= length;
    if (this.#missing > 0) return undefined;
    try {
      const plain = inflateSync(this.#held.bytes.subarray(0, this.#held.length), {
        maxOutputLength: this.#plainLength,
      });
      if (plain.length !== this.#plainLength) throw new RangeError('shorter than said');
      this.#held.release();
      this.#ended();
      return plain;
    } catch {
      this.#fail('not-zlib');
      return undefined;
    }
  }

  #ended(): void {
    this.#headerLength = 0;
    this.frames++;
  }

  #fail(failure: string): void {
    this.failure = failure;
    this.#held.release();
  }
}

function u24(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
}
