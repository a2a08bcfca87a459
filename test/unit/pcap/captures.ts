/** Builds captures byte by byte, and reads them in any portions. */
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import type { CaptureProblem } from '../../../src/pcap/capture-problems.ts';
import { CaptureReader } from '../../../src/pcap/capture-reader.ts';

export interface Frame {
  bytes: Uint8Array;
  length: number;
  time: number;
  linkType: number;
  flags: number;
}

export interface Reading {
  frames: Frame[];
  problems: readonly CaptureProblem[];
  reader: CaptureReader;
}

/** Reads chunks as a file source does; frames are copied while they are valid. */
export function read(chunks: Iterable<Uint8Array>, capacity = 3): Reading {
  const reader = new CaptureReader();
  const batch = new FrameBatch(capacity);
  const frames: Frame[] = [];
  const drain = () => {
    while (reader.next(batch) > 0) {
      for (let i = 0; i < batch.count; i++) {
        const start = batch.offset[i]!;
        frames.push({
          bytes: batch.bytes.slice(start, start + batch.captured[i]!),
          length: batch.length[i]!,
          time: batch.time[i]!,
          linkType: batch.linkType[i]!,
          flags: batch.flags[i]!,
        });
      }
    }
  };
  for (const chunk of chunks) {
    reader.push(chunk);
    drain();
  }
  reader.end();
  drain();
  return { frames, problems: reader.problems, reader };
}

export function* portions(bytes: Uint8Array, size: number): Generator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

/** Words of 16 and 32 bits, in the byte order of a capture. */
export class Order {
  readonly little: boolean;

  constructor(little: boolean) {
    this.little = little;
  }

  u16(...values: number[]): Uint8Array {
    const view = new DataView(new ArrayBuffer(2 * values.length));
    values.forEach((value, i) => view.setUint16(2 * i, value, this.little));
    return new Uint8Array(view.buffer);
  }

  u32(...values: number[]): Uint8Array {
    const view = new DataView(new ArrayBuffer(4 * values.length));
    values.forEach((value, i) => view.setUint32(4 * i, value, this.little));
    return new Uint8Array(view.buffer);
  }

  /** A pcapng option, padded. */
  option(code: number, value: Uint8Array): Uint8Array {
    return concat(this.u16(code, value.length), value, new Uint8Array(-value.length & 3));
  }

  /** A pcapng block around a body of whole words. */
  block(type: number, ...body: Uint8Array[]): Uint8Array {
    const inner = concat(...body);
    const length = this.u32(12 + inner.length);
    return concat(this.u32(type), length, inner, length);
  }

  section(): Uint8Array {
    return this.block(0x0a0d_0d0a, this.u32(0x1a2b_3c4d), this.u16(1, 0), this.u32(0xffff_ffff, 0xffff_ffff));
  }

  device(linkType: number, snapLength = 0, ...options: Uint8Array[]): Uint8Array {
    return this.block(1, this.u16(linkType, 0), this.u32(snapLength), ...options);
  }

  enhanced(
    device: number,
    ticks: bigint,
    frame: Uint8Array,
    length = frame.length,
    ...options: Uint8Array[]
  ): Uint8Array {
    const time = this.u32(Number(ticks >> 32n), Number(ticks & 0xffff_ffffn));
    const padding = new Uint8Array(-frame.length & 3);
    return this.block(6, this.u32(device), time, this.u32(frame.length, length), frame, padding, ...options);
  }
}

export function concat(...parts: Uint8Array[]): Uint8Array {
  const out = new Uint8Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

export const MAGIC_MICROSECONDS = 0xa1b2_c3d4;
export const MAGIC_NANOSECONDS = 0xa1b2_3c4d;
export const MAGIC_MODIFIED = 0xa1b2_cd34;

export function pcapHeader(
  order: Order,
  magic = MAGIC_MICROSECONDS,
  linkType = 1,
  snapLength = 65_535,
  minor = 4,
): Uint8Array {
  return concat(order.u32(magic), order.u16(2, minor), order.u32(0, 0, snapLength, linkType));
}

export function record(
  order: Order,
  seconds: number,
  fraction: number,
  frame: Uint8Array,
  length = frame.length,
): Uint8Array {
  return concat(order.u32(seconds, fraction, frame.length, length), frame);
}
