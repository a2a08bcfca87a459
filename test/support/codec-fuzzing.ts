/** What fuzz targets of codecs have in common: seeded choices, bytes cut anywhere, and a codec fed with them. */
import type { ClientBytes, Instant } from 'tcpcopy/plugin';
import { seededRandom } from './damage.ts';
import { fuzzSeeds } from './fuzzing.ts';

/** In [0, 1). */
export type Random = () => number;

export function pick<T>(random: Random, from: readonly T[]): T {
  return from[Math.floor(random() * from.length)]!;
}

/** Runs it for so many seeds; what it throws tells which. */
export function repeat(runs: number, run: (random: Random) => void): void {
  for (const seed of fuzzSeeds(runs)) {
    try {
      run(seededRandom(seed));
    } catch (error) {
      throw new Error(`with the seed ${seed}`, { cause: error });
    }
  }
}

/** Cuts `bytes` at a few random places, or at all; mostly into chunks of `usual` bytes at most. */
export function* chunksOf(random: Random, bytes: Uint8Array, usual = 60): Generator<Uint8Array> {
  const most = random() < 0.1 ? 1 : random() < 0.5 ? bytes.length : 1 + random() * usual;
  for (let at = 0; at < bytes.length;) {
    const end = Math.min(bytes.length, at + Math.max(1, Math.floor(random() * most * 1.5)));
    yield bytes.subarray(at, end);
    at = end;
  }
}

export function push(codec: { push(input: ClientBytes): void }, chunk: Uint8Array, serverBytesSeen: number): void {
  codec.push({ bytes: chunk, offset: 0, length: chunk.length, time: 0 as Instant, serverBytesSeen });
}

export function drain<P>(codec: { next(): P | undefined }, take: (piece: P) => void): void {
  for (let piece = codec.next(); piece !== undefined; piece = codec.next()) take(piece);
}
