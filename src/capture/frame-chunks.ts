/**
 * Frames on their way from the libpcap process to its source, as records (pcap-record.ts) in chunks. A chunk leaves when
 * it is full or at the end of the turn; where the reader does not keep up, frames are dropped.
 *
 * A chunk begins with how many frames were lost until it left: whoever finds that bytes are missing has read of the loss before.
 */
import type { Instant } from '../core/time.ts';
import {
  RECORD_CAPTURED,
  RECORD_DROPS,
  RECORD_FLAGS,
  RECORD_HEADER,
  RECORD_LENGTH,
  RECORD_TIME,
} from './pcap-record.ts';

export const CHUNK = 256 * 1024;
/** Bytes that may wait for the reader. */
export const QUEUE_MAX = 16 << 20;

export interface ChunkSink {
  readonly writableLength: number;
  write(chunk: Uint8Array): unknown;
}

export class FrameChunks {
  readonly #out: ChunkSink;
  readonly #lost: () => number;
  readonly #now: () => Instant;
  #chunk = Buffer.allocUnsafe(CHUNK);
  #used = RECORD_HEADER;
  #refused = 0;
  #scheduled = false;

  /** `lost`: frames that were lost before they came here, since last asked. */
  constructor(out: ChunkSink, lost: () => number, now: () => Instant) {
    this.#out = out;
    this.#lost = lost;
    this.#now = now;
  }

  /** The first `captured` bytes of a frame that has `length`, with FRAME_ bits. */
  add(frame: Buffer, captured: number, length: number, flags: number): void {
    if (this.#out.writableLength > QUEUE_MAX) {
      this.#refused++;
      return;
    }
    if (this.#used + RECORD_HEADER + captured > CHUNK) this.flush();
    const at = this.#used;
    this.#header(at, captured, length, flags);
    frame.copy(this.#chunk, at + RECORD_HEADER, 0, captured);
    this.#used = at + RECORD_HEADER + captured;
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => this.flush());
  }

  flush(): void {
    this.#scheduled = false;
    const lost = this.#refused + this.#lost();
    if (lost === 0 && this.#used === RECORD_HEADER) return;
    if (lost > 0) this.#header(0, RECORD_DROPS, lost, 0);
    this.#out.write(this.#chunk.subarray(lost > 0 ? 0 : RECORD_HEADER, this.#used));
    this.#chunk = Buffer.allocUnsafe(CHUNK);
    this.#used = RECORD_HEADER;
    this.#refused = 0;
  }

  #header(at: number, captured: number, length: number, flags: number): void {
    this.#chunk.writeUInt32LE(captured, at + RECORD_CAPTURED);
    this.#chunk.writeUInt32LE(length, at + RECORD_LENGTH);
    this.#chunk.writeUInt32LE(flags, at + RECORD_FLAGS);
    this.#chunk.writeDoubleLE(this.#now(), at + RECORD_TIME);
  }
}
