/**
 * One device through two rings: headers can be seen the moment they come, while a frame of which more is wanted waits until its
 * block is handed over. Together they show every frame once, but for what comes while the share of either is changed: that
 * may come twice.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import type { NativeAddon } from '../native/addon.ts';
import type { CaptureFilter } from './capture-filter.ts';
import type { PacketSource, SourceListener, SourceStats } from './packet-source.ts';
import { RingSource, type RingSourceOptions } from './ring-source.ts';

export class PromptSource implements PacketSource {
  readonly name: string;
  readonly live = true;
  readonly polled = true;
  readonly #heads: RingSource;
  readonly #rest: RingSource;
  #payload = Infinity;

  constructor(addon: NativeAddon, device: string, options: Omit<RingSourceOptions, 'fanout' | 'part'>) {
    this.name = device;
    this.#heads = new RingSource(addon, device, { ...options, part: 'heads' });
    this.#rest = new RingSource(addon, device, { ...options, part: 'rest' });
  }

  async open({ ready, ended }: SourceListener): Promise<void> {
    let left = 2;
    let failure: Error | undefined;
    const listener: SourceListener = {
      ready,
      ended: (error) => {
        failure ??= error;
        if (--left === 0) ended(failure);
      },
    };
    await this.#heads.open(listener);
    try {
      await this.#rest.open(listener);
    } catch (error) {
      this.#heads.close();
      throw error;
    }
  }

  poll(): FrameBatch | undefined {
    return this.#heads.poll() ?? this.#rest.poll();
  }

  refilter(filter: CaptureFilter): void {
    this.#heads.refilter(filter);
    this.#rest.refilter(filter);
  }

  limitPayload(bytes: number): void {
    if (bytes === this.#payload) return;
    // Whichever is to see more sees it first.
    const [first, second] = bytes > this.#payload ? [this.#rest, this.#heads] : [this.#heads, this.#rest];
    this.#payload = bytes;
    first.limitPayload(bytes);
    second.limitPayload(bytes);
  }

  stop(): void {
    this.#heads.stop();
    this.#rest.stop();
  }

  stats(): SourceStats {
    const heads = this.#heads.stats();
    const rest = this.#rest.stats();
    return {
      frames: heads.frames + rest.frames,
      kernelDropped: (heads.kernelDropped ?? 0) + (rest.kernelDropped ?? 0),
      unreadable: [],
    };
  }

  close(): void {
    this.#heads.close();
    this.#rest.close();
  }
}
