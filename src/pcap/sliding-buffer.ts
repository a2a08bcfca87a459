/**
 * Bytes that have been read and not yet taken apart: appended at the end, taken from the front, moved only by
 * `append`. Grows to what the longest record needs, and no further.
 */
const CAPACITY_MIN = 64 << 10;

export class SlidingBuffer {
  bytes = new Uint8Array(CAPACITY_MIN);
  view = new DataView(this.bytes.buffer);
  /** The bytes waiting are those from `start` up to `end`. */
  start = 0;
  end = 0;
  /** Bytes still to be thrown away as they come. */
  private toSkip = 0;

  get length(): number {
    return this.end - this.start;
  }

  /** Whether a `skip` has not met its end yet. */
  get skipping(): boolean {
    return this.toSkip > 0;
  }

  /** Copies `chunk`; offsets and views into `bytes` that were handed out before are void. */
  append(chunk: Uint8Array): void {
    this.room(chunk.length).set(chunk);
    this.filled(chunk.length);
  }

  /** Where the next `length` bytes belong, to be written there and told by `filled`; voids what `append` does. */
  room(length: number): Uint8Array {
    if (this.end + length > this.bytes.length) this.makeRoom(length);
    return this.bytes.subarray(this.end, this.end + length);
  }

  /** So many bytes have been written to the room. */
  filled(length: number): void {
    this.end += length;
    const skipped = Math.min(this.toSkip, length);
    this.start += skipped;
    this.toSkip -= skipped;
  }

  /** Throws away the next `length` bytes, also those that are still to come. */
  skip(length: number): void {
    const here = Math.min(length, this.length);
    this.start += here;
    this.toSkip += length - here;
  }

  private makeRoom(length: number): void {
    const waiting = this.length;
    if (waiting + length > this.bytes.length) {
      let capacity = this.bytes.length;
      while (capacity < waiting + length) capacity *= 2;
      const grown = new Uint8Array(capacity);
      grown.set(this.bytes.subarray(this.start, this.end));
      this.bytes = grown;
      this.view = new DataView(grown.buffer);
    } else {
      this.bytes.copyWithin(0, this.start, this.end);
    }
    this.start = 0;
    this.end = waiting;
  }
}
