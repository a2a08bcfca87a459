import type { FrameBatch } from '../core/frame-batch.ts';
import type { SlidingBuffer } from './sliding-buffer.ts';

/** A longer record is taken for damage: no link has such frames, and it must fit into memory. */
export const RECORD_MAX = 16 << 20;

/** One interface of a capture; a pcap file has exactly one. */
export interface CaptureInterface {
  /** LINKTYPE_ value. */
  readonly linkType: number;
  /** 0 when the file does not say. */
  readonly snapLength: number;
  /** Timestamps are multiples of this many seconds. */
  readonly resolution: number;
}

export interface CaptureInfo {
  readonly format: 'pcap' | 'pcapng';
  /** pcapng: of the section being read. */
  readonly littleEndian: boolean;
  readonly version: string;
}

/** Takes one format apart. It keeps its place between calls, so bytes may come in any portions; what is damaged it
 * reports to the `CaptureProblems` it was made with. */
export interface CaptureDecoder {
  readonly info: CaptureInfo;
  readonly interfaces: readonly CaptureInterface[];
  /** Where the buffer starts now another file's header stands: files that somebody has put one behind the other. */
  readonly isOver: boolean;
  /** Adds frames to the batch until it is full, the buffer holds no whole record, or another file begins. */
  decode(buffer: SlidingBuffer, batch: FrameBatch): void;
  /** No more bytes will come: what is left in the buffer is a fragment. */
  end(buffer: SlidingBuffer): void;
}
