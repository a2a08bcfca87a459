import { type FrameBatch } from '../core/frame-batch.ts';
import type { CaptureDecoder, CaptureInfo, CaptureInterface } from './capture-decoder.ts';
import { CaptureProblems, type CaptureProblem } from './capture-problems.ts';
import { FOREIGN_PROBE_LENGTH, notACapture } from './foreign-format.ts';
import { PCAP_FILE_HEADER_LENGTH, pcapByteOrder, PcapDecoder } from './pcap-decoder.ts';
import { PcapngDecoder } from './pcapng-decoder.ts';
import { sectionByteOrder } from './pcapng-section.ts';
import { SlidingBuffer } from './sliding-buffer.ts';

const MAGIC_LENGTH = 4;
const SECTION_MAGIC_LENGTH = 12;
const CUT_HEADER = 'the file ends in the middle of its header';

/**
 * Reads pcap and pcapng, whichever it is, also several files one behind the other, from chunks of any size, in memory bounded by the longest record:
 *
 *     reader.push(chunk);
 *     while (reader.next(batch) > 0) …    // until it gives no more, then the next chunk
 *     reader.end();
 *     while (reader.next(batch) > 0) …
 *
 * The batch points into the reader's own buffer: its frames hold until the next `push`, `room` or `next`. Bytes that are no
 * frames are listed in `problems`; only a file that does not begin like a capture is an error (E_CAPTURE_FORMAT, thrown
 * by `next` or `end`).
 */
export class CaptureReader {
  /** Frames handed out. */
  frames = 0;
  private readonly buffer = new SlidingBuffer();
  private readonly found = new CaptureProblems();
  private decoder: CaptureDecoder | undefined;
  private ended = false;

  /** `undefined` until the file's header has come; of several files, that of the one being read. */
  get info(): CaptureInfo | undefined {
    return this.decoder?.info;
  }

  /** In pcapng: those of the current section, so far. */
  get interfaces(): readonly CaptureInterface[] {
    return this.decoder?.interfaces ?? [];
  }

  /** Complete once `end` was called and `next` gives no more. */
  get problems(): readonly CaptureProblem[] {
    return this.found.list();
  }

  /** Takes a copy of the chunk. Call `next` until it returns 0 before the next one, or memory grows. */
  push(chunk: Uint8Array): void {
    this.buffer.append(chunk);
  }

  /** Instead of `push`, without a copy: where the next `length` bytes belong. `filled` tells how many of them have come. */
  room(length: number): Uint8Array {
    return this.buffer.room(length);
  }

  filled(length: number): void {
    this.buffer.filled(length);
  }

  /** No more chunks will come. */
  end(): void {
    this.ended = true;
    if (this.decoder === undefined) this.recognise();
  }

  /** Empties the batch, points it at the reader's memory, and fills it. Returns how many frames it has. */
  next(batch: FrameBatch): number {
    batch.reset(this.buffer.bytes);
    if (this.decoder === undefined && !this.ended) this.recognise();
    if (this.decoder === undefined) return 0;
    this.decoder.decode(this.buffer, batch);
    while (this.decoder.isOver) {
      this.recognise();
      this.decoder.decode(this.buffer, batch);
    }
    this.frames += batch.count;
    if (this.ended && batch.count === 0) this.decoder.end(this.buffer);
    return batch.count;
  }

  private recognise(): void {
    const { view, start, length } = this.buffer;
    if (length >= MAGIC_LENGTH && pcapByteOrder(view, start) >= 0) {
      if (length >= PCAP_FILE_HEADER_LENGTH) this.decoder = new PcapDecoder(this.buffer, this.found);
      else if (this.ended) this.cutHeader();
      return;
    }
    if (length >= SECTION_MAGIC_LENGTH && sectionByteOrder(view, start) >= 0) {
      this.decoder = new PcapngDecoder(this.found);
      return;
    }
    if (length >= FOREIGN_PROBE_LENGTH || this.ended) {
      throw notACapture(this.buffer.bytes.slice(start, start + Math.min(length, FOREIGN_PROBE_LENGTH)));
    }
  }

  private cutHeader(): void {
    this.found.add(this.buffer.length, CUT_HEADER);
    this.buffer.skip(this.buffer.length);
  }
}
