/** Frames from memory: for tests, and for whoever has frames already. Delivers in batches of `batchFrames`. */
import { FrameBatch, NO_VLAN } from '../core/frame-batch.ts';
import type { Instant } from '../core/time.ts';
import { LINKTYPE_ETHERNET } from './link-type.ts';
import type { PacketSource, SourceListener, SourceStats } from './packet-source.ts';

export interface MemoryFrame {
  readonly bytes: Uint8Array;
  readonly time: Instant;
  /** Bytes on the wire, when more than `bytes`. */
  readonly length?: number;
  readonly linkType?: number;
  readonly flags?: number;
  readonly vlanTci?: number;
}

export class MemorySource implements PacketSource {
  readonly name: string;
  readonly live: boolean;
  readonly #queue: MemoryFrame[];
  readonly #batch: FrameBatch;
  #listener: SourceListener | undefined;
  #ending = false;
  #error: Error | undefined;
  #frames = 0;

  constructor(
    frames: readonly MemoryFrame[] = [],
    options: { name?: string; live?: boolean; batchFrames?: number } = {},
  ) {
    this.name = options.name ?? 'memory';
    this.live = options.live ?? false;
    this.#queue = [...frames];
    this.#batch = new FrameBatch(options.batchFrames ?? 64);
  }

  async open(listener: SourceListener): Promise<void> {
    this.#listener = listener;
    if (this.#queue.length > 0 || this.#ending) listener.ready();
  }

  /** Adds frames, as if they had just arrived. */
  push(...frames: readonly MemoryFrame[]): void {
    if (this.#ending) return;
    this.#queue.push(...frames);
    this.#listener?.ready();
  }

  /** Lets the source end once what it holds has been polled; with an error, as a device that went away. */
  end(error?: Error): void {
    this.#ending = true;
    this.#error = error;
    this.#listener?.ready();
  }

  poll(): FrameBatch | undefined {
    const batch = this.#batch;
    const frames = this.#queue.splice(0, batch.capacity);
    // Memory of its own for each batch: whoever keeps bytes of an old one reads zeros.
    batch.bytes.fill(0);
    batch.reset(new Uint8Array(frames.reduce((sum, f) => sum + f.bytes.length, 0)));
    let offset = 0;
    for (const {
      bytes,
      time,
      length = bytes.length,
      linkType = LINKTYPE_ETHERNET,
      flags = 0,
      vlanTci = NO_VLAN,
    } of frames) {
      batch.bytes.set(bytes, offset);
      batch.add(offset, bytes.length, length, time, linkType, flags, vlanTci);
      offset += bytes.length;
    }
    this.#frames += batch.count;
    if (batch.count > 0) return batch;
    if (this.#ending) {
      const listener = this.#listener;
      this.#listener = undefined;
      listener?.ended(this.#error);
    }
    return undefined;
  }

  stop(): void {
    this.end();
  }

  stats(): SourceStats {
    return { frames: this.#frames, kernelDropped: 0, unreadable: [] };
  }

  close(): void {
    this.#listener = undefined;
    this.#queue.length = 0;
  }
}
