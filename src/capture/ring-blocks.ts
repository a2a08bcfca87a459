/**
 * TPACKET_V3 as it lies in memory (linux/if_packet.h), and a walker over it.
 *
 * The ring is `blockCount` blocks used in turn. A block belongs to the kernel while its status is 0, and to us once the
 * kernel has set TP_STATUS_USER; storing 0 gives it back. It holds a chain of frames, each with a `tpacket3_hdr` and a
 * `sockaddr_ll` (ring-frames.ts).
 *
 * One walk fills one batch, from one block. A block that holds more than a batch is walked in several turns, and given
 * back when the batch that ended it is done with: at the next walk.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import { FRAME_IN_BLOCK, RingFrames, type Direction } from './ring-frames.ts';
import { FrameTimes } from './wall-clock.ts';

/** struct tpacket_block_desc, as 32-bit words. */
const BLOCK_STATUS = 8 >> 2;
const BLOCK_PACKETS = 12 >> 2;
const BLOCK_FIRST = 16 >> 2;

/** struct tpacket3_hdr, in bytes: how far the next frame is. */
const NEXT_OFFSET = 0;

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;

export class RingBlocks {
  readonly #frames: RingFrames;
  readonly #words: Int32Array;
  readonly #blockSize: number;
  readonly #blockCount: number;
  #block = 0;
  /** Frames of the current block not yet walked; 0 with `#walked`: the block can be given back. */
  #left = 0;
  #next = 0;
  #walked = false;

  constructor(buffer: ArrayBuffer, blockSize: number, cooked: boolean, direction: Direction, times = new FrameTimes()) {
    this.#frames = new RingFrames(buffer, FRAME_IN_BLOCK, cooked, direction, times);
    this.#words = this.#frames.words;
    this.#blockSize = blockSize;
    this.#blockCount = buffer.byteLength / blockSize;
  }

  /**
   * Fills `batch` with the next frames; false when the kernel has none for us. Invalidates the batch before it. A block
   * whose frames are all unwanted yields an empty batch.
   */
  walk(batch: FrameBatch): boolean {
    batch.reset(this.#frames.bytes);
    if (this.#left === 0) {
      if (this.#walked) this.#giveBack();
      const header = (this.#block * this.#blockSize) >> 2;
      if (!this.#isOurs(header)) return false;
      this.#left = this.#words[header + BLOCK_PACKETS]!;
      this.#next = this.#block * this.#blockSize + this.#words[header + BLOCK_FIRST]!;
      this.#walked = true;
    }
    this.#frames.begin();
    while (this.#left > 0 && batch.count < batch.capacity) {
      const frame = this.#next;
      this.#frames.add(batch, frame);
      this.#next = frame + this.#frames.unsigned[(frame + NEXT_OFFSET) >> 2]!;
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
    return (this.#words[((ahead * this.#blockSize) >> 2) + BLOCK_STATUS]! & TP_STATUS_USER) !== 0;
  }

  /** What the block holds is read behind an atomic load of its status. That is a call, which most looks need not make. */
  #isOurs(header: number): boolean {
    const at = header + BLOCK_STATUS;
    return (this.#words[at]! & TP_STATUS_USER) !== 0 && (Atomics.load(this.#words, at) & TP_STATUS_USER) !== 0;
  }

  #giveBack(): void {
    const header = (this.#block * this.#blockSize) >> 2;
    this.#words[header + BLOCK_PACKETS] = 0;
    Atomics.store(this.#words, header + BLOCK_STATUS, TP_STATUS_KERNEL);
    this.#walked = false;
    this.#block = this.#block + 1 === this.#blockCount ? 0 : this.#block + 1;
  }
}
