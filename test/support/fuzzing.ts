/**
 * How much, and from which seed, property tests and fuzz targets try: the same few seconds' worth in every run, so that a
 * red run means a change and not bad luck. `script/fuzz` looks for new cases. A setup file, so that fast-check's seed is this
 * one too.
 */
import fc from 'fast-check';

const SEED = Number(process.env['TEST_SEED'] ?? 1);
const SCALE = Number(process.env['FUZZ_SCALE'] ?? 1);

/** How many inputs to try where `usual` many are tried in an ordinary run. */
export function fuzzRuns(usual: number): number {
  return Math.ceil(usual * SCALE);
}

/** That many seeds, other ones for every `TEST_SEED`. */
export function* fuzzSeeds(usual: number): Generator<number> {
  const count = fuzzRuns(usual);
  for (let i = 0; i < count; i++) yield SEED * 1_000_003 + i;
}

fc.configureGlobal({ seed: SEED });
