/** Recordings with random damage, the same each time for the same seed. */

/** A small seeded generator (mulberry32): equal seeds, equal damage. */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b_79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Changes each byte with probability `rate`, then sometimes cuts the file short. Headers are not spared. */
export function damaged(bytes: Uint8Array, rate: number, seed: number): Uint8Array {
  const random = seededRandom(seed);
  // Not `slice`: a Buffer's would be a view, and the damage would add up.
  const copy = new Uint8Array(bytes);
  // From one damaged byte straight to the next, as far apart as coin flips would put them.
  const skip = () => Math.floor(Math.log(1 - random()) / Math.log(1 - rate));
  for (let i = skip(); i < copy.length; i += 1 + skip()) copy[i] = Math.floor(random() * 256);
  return random() < 0.2 ? copy.subarray(0, Math.floor(random() * copy.length)) : copy;
}
