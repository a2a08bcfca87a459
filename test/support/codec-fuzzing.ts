/** What fuzz targets of codecs have in common: seeded choices, bytes cut anywhere, and a codec fed with them. */
import type { ClientBytes, Codec, Instant, Piece } from 'tcpcopy/plugin';
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

/** What is known of pieces that came out of `sent`: none without its message, and each message one stretch of `sent`, behind the one before. */
export class PieceAccount {
  /** Bytes of all pieces. */
  taken = 0;
  /** A message has begun and not ended. */
  open = false;
  readonly #sent: Buffer;
  #message = Buffer.alloc(0);
  #searchFrom = 0;

  constructor(sent: Uint8Array) {
    this.#sent = Buffer.from(sent);
  }

  /** `found`: the bytes are those that were sent. */
  take(piece: Pick<Piece, 'first' | 'last' | 'bytes' | 'offset' | 'length'>, found = true): void {
    this.taken += piece.length;
    if (!piece.first && !this.open) throw new Error('a piece of no message');
    this.open = !piece.last;
    if (piece.first) {
      this.#searchFrom += this.#message.length;
      this.#message = Buffer.alloc(0);
    }
    const bytes = piece.bytes.subarray(piece.offset, piece.offset + piece.length);
    this.#message = Buffer.concat([this.#message, bytes]);
    if (!found) return;
    this.#searchFrom = this.#sent.indexOf(this.#message, this.#searchFrom);
    if (this.#searchFrom < 0) throw new Error(`bytes that were not sent: ${this.#message.toString('latin1')}`);
  }
}

/**
 * Gives a codec all chunks but a fifth of them, which are gaps, and the end. `lost` is told what it says of each gap: whether
 * it broke a message.
 */
export function pushWithGaps<P>(
  random: Random,
  codec: Pick<Codec, 'push' | 'gap' | 'end'> & { next(): P | undefined },
  chunks: Iterable<Uint8Array>,
  take: (piece: P) => void,
  lost: (broken: boolean) => void,
): void {
  for (const chunk of chunks) {
    if (random() < 0.2) {
      lost(codec.gap(chunk.length));
      continue;
    }
    push(codec, chunk, random() < 0.3 ? 10 : 0);
    drain(codec, take);
  }
  codec.end?.();
  drain(codec, take);
}
