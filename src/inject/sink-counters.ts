import type { SinkStats } from './packet-sink.ts';

/** The figures every sink keeps. */
export class SinkCounters {
  packets = 0;
  bytes = 0;
  readonly #failed: Record<string, number> = {};

  sent(length: number): void {
    this.packets++;
    this.bytes += length;
  }

  failed(code: string): void {
    this.#failed[code] = (this.#failed[code] ?? 0) + 1;
  }

  snapshot(): SinkStats {
    return { packets: this.packets, bytes: this.bytes, failed: { ...this.#failed } };
  }
}
