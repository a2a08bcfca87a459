/** Samples the memory of a process while a test runs, and says whether it grows. */
import { usageOf } from './usage.ts';

const EVERY_MS = 250;
const MB = 1 << 20;

export class MemoryWatch {
  readonly #samples: { readonly at: number; readonly rss: number }[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#timer = setInterval(() => {
      try {
        this.#samples.push({ at: performance.now(), rss: usageOf(pid).rss });
      } catch {
        clearInterval(this.#timer); // it has ended
      }
    }, EVERY_MS);
  }

  /** Megabytes: the most there was, and by how much a straight line through the latter half rises in a minute. */
  stop(): { readonly most: number; readonly slope: number } {
    clearInterval(this.#timer);
    const samples = this.#samples.slice(this.#samples.length >> 1);
    const mean = (values: readonly number[]): number => values.reduce((sum, each) => sum + each, 0) / values.length;
    const [at, rss] = [mean(samples.map((s) => s.at)), mean(samples.map((s) => s.rss))];
    const over = samples.reduce((sum, s) => sum + (s.at - at) ** 2, 0);
    const slope = samples.reduce((sum, s) => sum + (s.at - at) * (s.rss - rss), 0) / over;
    return { most: Math.max(...this.#samples.map((s) => s.rss)) / MB, slope: (slope * 60_000) / MB };
  }
}
