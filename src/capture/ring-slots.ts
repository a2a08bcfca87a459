/**
 * TPACKET_V2 as it lies in memory (linux/if_packet.h), and a walker over it.
 *
 * The ring is slots of one size used in turn, one for each frame. A slot belongs to the kernel while its status is 0, and to us
 * once the kernel has set TP_STATUS_USER; storing 0 gives it back, which is done when the batch with its frame is done with:
 * at the next walk. A frame can be seen the moment it has come, where a block (ring-blocks.ts) is handed over when it is full
 * or some milliseconds old; but each takes a whole slot, so they are for frames that are cut to their headers.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import { FRAME_IN_SLOT, RingFrames, type Direction } from './ring-frames.ts';
import { FrameTimes } from './wall-clock.ts';

const TP_STATUS_KERNEL = 0;
const TP_STATUS_USER = 1;

export class RingSlots {
  readonly #frames: RingFrames;
  readonly #words: Int32Array;
  /** Of a slot, in 32-bit words. */
  readonly #stride: number;
  readonly #slots: number;
  /** The next to be walked. */
  #slot = 0;
  /** So many before it are ours still. */
  #held = 0;

  constructor(buffer: ArrayBuffer, slotSize: number, cooked: boolean, direction: Direction, times = new FrameTimes()) {
    this.#frames = new RingFrames(buffer, FRAME_IN_SLOT, cooked, direction, times);
    this.#words = this.#frames.words;
    this.#stride = slotSize >> 2;
    this.#slots = buffer.byteLength / slotSize;
  }

  /**
   * Fills `batch` with the next frames; false when the kernel has none for us. Invalidates the batch before it. Frames that are
   * all unwanted yield an empty batch.
   */
  walk(batch: FrameBatch): boolean {
    batch.reset(this.#frames.bytes);
    this.#giveBack();
    if (!this.#isOurs(this.#slot)) return false;
    this.#frames.begin();
    do {
      this.#frames.add(batch, this.#slot * this.#stride * 4);
      this.#held++;
      this.#slot = this.#slot + 1 === this.#slots ? 0 : this.#slot + 1;
    } while (this.#held < this.#slots && batch.count < batch.capacity && this.#isOurs(this.#slot));
    return true;
  }

  /** Whether the kernel holds no frame for us. */
  drained(): boolean {
    return this.#held === 0 && !this.#isOurs(this.#slot);
  }

  /** Whether half of the ring, or more, waits to be walked. */
  get halfFull(): boolean {
    return this.#isOurs((this.#slot + (this.#slots >> 1)) % this.#slots);
  }

  #isOurs(slot: number): boolean {
    return (Atomics.load(this.#words, slot * this.#stride) & TP_STATUS_USER) !== 0;
  }

  #giveBack(): void {
    let slot = this.#slot - this.#held;
    if (slot < 0) slot += this.#slots;
    for (; this.#held > 0; this.#held--) {
      Atomics.store(this.#words, slot * this.#stride, TP_STATUS_KERNEL);
      slot = slot + 1 === this.#slots ? 0 : slot + 1;
    }
  }
}
