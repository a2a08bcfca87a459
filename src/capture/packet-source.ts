import type { FrameBatch } from '../core/frame-batch.ts';

/** What a source knows of its own losses, cumulative since it was opened. */
export interface SourceStats {
  /** Frames handed out. */
  readonly frames: number;
  /** Frames the kernel (or the backend) dropped for want of buffer; `undefined` when the backend cannot tell. */
  readonly kernelDropped: number | undefined;
  /** Bytes of a recording that could not be read as frames, with the reason; empty when all were sound. */
  readonly unreadable: readonly { readonly bytes: number; readonly reason: string }[];
}

/**
 * Where frames come from: a ring, libpcap, a file, memory. The caller owns the loop:
 *
 *     source.open({ ready, ended });  // `ready` says: poll may have frames now
 *     while ((batch = source.poll())) …
 *
 * Frames of one `poll` stay valid until the next `poll` or `close` of the same source. A live source has frames when
 * the device does; a file has them when its next chunk has been read. A caller that does not poll applies
 * backpressure to a file and lets the kernel ring fill (and count drops) for a device.
 */
export interface PacketSource {
  /** For messages: a device or a file name. */
  readonly name: string;
  /** Live sources deliver in real time, and frames carry the loop's (`monotonicNow`); others as fast as they are polled. */
  readonly live: boolean;
  /** `poll` sees what has come without the event loop having told. */
  readonly polled?: boolean;
  open(listener: SourceListener): Promise<void>;
  /** The next batch, or `undefined` when there is none just now. Bounded: one batch at most. */
  poll(): FrameBatch | undefined;
  /**
   * Stops taking new frames and makes available what the kernel still holds; `ended` follows when the last of it has
   * been polled.
   */
  stop(): void;
  stats(): SourceStats;
  close(): void;
}

export interface SourceListener {
  ready(): void;
  /** After the last batch has been polled. `error` when the source broke (device gone, file damaged beyond reading). */
  ended(error?: Error): void;
}
