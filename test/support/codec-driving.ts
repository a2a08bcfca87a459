/** What tests drive codecs with: bytes cut as wanted and lying as captured ones do, and conversations told step by step. */
import type { ClientBytes, Codec, Instant, Piece } from 'tcpcopy/plugin';

export function text(latin1: string): Uint8Array {
  return Uint8Array.from(Buffer.from(latin1, 'latin1'));
}

/** Cuts before every offset in `cuts`. */
export function cut(bytes: Uint8Array, cuts: readonly number[]): Uint8Array[] {
  const edges = [0, ...[...new Set(cuts)].sort((a, b) => a - b), bytes.length];
  return edges.slice(1).flatMap((end, i) => (end > edges[i]! ? [bytes.subarray(edges[i], end)] : []));
}

export function byteByByte(bytes: Uint8Array): Uint8Array[] {
  return Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
}

export function contentOf(piece: Piece): Uint8Array {
  return Uint8Array.from(piece.bytes.subarray(piece.offset, piece.offset + piece.length));
}

/** A push whose bytes lie in the middle of memory that is overwritten afterwards, as those of a capture are. */
export class Pusher {
  readonly #memory = new Uint8Array(1 << 17);
  #time = 0;
  #used = 0;

  input(chunk: Uint8Array, serverBytesSeen = 0): ClientBytes {
    const offset = 3 + (this.#time % 7);
    this.#memory.fill(0x47, 0, this.#used);
    this.#memory.set(chunk, offset);
    this.#used = offset + chunk.length;
    return { bytes: this.#memory, offset, length: chunk.length, time: ++this.#time as Instant, serverBytesSeen };
  }
}

/** A codec driven step by step; every step tells, in one line a piece, what came out. */
export class CodecConversation<P extends Piece, C extends Omit<Codec, 'next'> & { next(): P | undefined }> {
  readonly codec: C;
  readonly #tell: (piece: P) => string;
  readonly #pusher = new Pusher();

  constructor(codec: C, tell: (piece: P) => string) {
    this.codec = codec;
    this.#tell = tell;
  }

  /** One segment of the client, which had seen `seen` more bytes of the server. */
  push(latin1: string, seen = 0): string[] {
    this.codec.push(this.#pusher.input(text(latin1), seen));
    return this.#drain();
  }

  end(): string[] {
    this.codec.end?.();
    return this.#drain();
  }

  get skipped(): [bytes: number, messages: number] {
    return [this.codec.skippedBytes, this.codec.skippedMessages];
  }

  #drain(): string[] {
    const told: string[] = [];
    for (let piece = this.codec.next(); piece !== undefined; piece = this.codec.next()) told.push(this.#tell(piece));
    return told;
  }
}
