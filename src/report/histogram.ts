/**
 * A histogram of durations with bounded relative error: 16 buckets to each power of two, 1 µs to about 70 minutes, in
 * one typed array. Recording allocates nothing.
 */
const PER_OCTAVE = 16;
const OCTAVES = 32;

export class Histogram {
  readonly #buckets = new Float64Array(PER_OCTAVE * OCTAVES);
  count = 0;

  /** `value` in microseconds; below 1 counts as 1. */
  record(value: number): void {
    const index = value <= 1 ? 0 : Math.min(this.#buckets.length - 1, Math.floor(Math.log2(value) * PER_OCTAVE));
    this.#buckets[index]!++;
    this.count++;
  }

  /** The counts by bucket, to be given to another's `add`. */
  get buckets(): Float64Array {
    return this.#buckets.slice();
  }

  /** Takes in what another one has recorded. */
  add(buckets: Float64Array): void {
    buckets.forEach((n, i) => {
      this.#buckets[i]! += n;
      this.count += n;
    });
  }

  /** The value below which `share` (0–1) of the recorded ones lie, in microseconds; `undefined` when there are none. */
  quantile(share: number): number | undefined {
    if (this.count === 0) return undefined;
    let left = Math.max(1, Math.ceil(share * this.count));
    for (let i = 0; i < this.#buckets.length; i++) {
      left -= this.#buckets[i]!;
      if (left <= 0) return 2 ** ((i + 1) / PER_OCTAVE);
    }
    return undefined;
  }
}
