/** Medians and quantiles, and ratios pair by pair: what drifts with the machine is the same for both of a pair. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** NaN of nothing. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? NaN;
}

export function medianRatio(ours: readonly number[], theirs: readonly number[]): number {
  return median(ours.map((value, i) => value / theirs[i]!));
}

export interface RatioRange {
  readonly ratio: number;
  /** 95 % of the ratios of resampled pairs lie between. */
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 300;

/** Of what `figure` makes of all values together, ours over theirs; how sure that is, by a bootstrap over the pairs. */
export function pooledRatio(
  ours: readonly (readonly number[])[],
  theirs: readonly (readonly number[])[],
  figure: (sorted: Float64Array) => number,
): RatioRange {
  const ratioOf = (pairs: readonly number[]): number =>
    figure(pooled(pairs.map((pair) => ours[pair]!))) / figure(pooled(pairs.map((pair) => theirs[pair]!)));
  const all = ours.map((_, pair) => pair);
  const ratios = Array.from({ length: RESAMPLES }, () =>
    ratioOf(all.map(() => Math.floor(Math.random() * all.length))),
  ).sort((a, b) => a - b);
  return {
    ratio: ratioOf(all),
    low: ratios[Math.floor(RESAMPLES * 0.025)]!,
    high: ratios[Math.floor(RESAMPLES * 0.975)]!,
  };
}

function pooled(parts: readonly (readonly number[])[]): Float64Array {
  const values = new Float64Array(parts.reduce((n, part) => n + part.length, 0));
  let at = 0;
  for (const part of parts) {
    values.set(part, at);
    at += part.length;
  }
  return values.sort();
}
