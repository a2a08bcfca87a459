/** Chance that is the same for everybody: on every host, in every run, for the same seed. */

/**
 * Where in [0, 1) `id` falls. It follows from both, and looks random in both. To choose a share of things, take those that
 * fall below it: then those of 5 % are among those of 10 %.
 *
 * MurmurHash3 x86_32 (Appleby, 2011), over UTF-16 code units of 32 bits each. It is asked once a connection, where a
 * cryptographic hash costs as much as all the rest; who knows the seed could choose where they fall either way.
 */
export function seededPosition(seed: number, id: string): number {
  let h = seed | 0;
  for (let i = 0; i < id.length; i++) {
    let k = Math.imul(id.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  h ^= id.length * 4;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return ((h ^ (h >>> 16)) >>> 0) / 2 ** 32;
}
