/**
 * The unpacked bytes of gzip data, as far as they are sound.
 *
 * Theory of operation. zlib tells of damage in place of all that it unpacked of the piece that it was given, and the stream
 * around it forgets what nobody has read yet. So it is given pieces, each when all of those before have been read: what is lost
 * is one piece at most. A piece is a small share of what came before it, so that of a short file little is lost too; and what
 * may be the checksum behind the data, at the end of each chunk, is a piece of its own.
 */
import { constants, createGunzip, type Gunzip as ZlibGunzip } from 'node:zlib';

const UNPACKED_CHUNK = 256 * 1024;
/** Packed bytes: each piece costs a wake-up of another thread. */
const LEAST_PIECE = 64;
const MOST_PIECE = 64 * 1024;
const SHARE = 1 / 16;
/** CRC and length (RFC 1952 §2.3.1). */
const TRAILER = 8;

export class Gunzip {
  readonly #gunzip: ZlibGunzip;
  #failure: Error | undefined = undefined;
  #over = false;
  #wake = (): void => undefined;

  constructor() {
    // A sync flush at the end: a file that was cut off is no error, its records say where it ends.
    this.#gunzip = createGunzip({ chunkSize: UNPACKED_CHUNK, finishFlush: constants.Z_SYNC_FLUSH });
    this.#gunzip.on('readable', () => this.#wake());
    this.#gunzip.on('end', () => {
      this.#over = true;
      this.#wake();
    });
    this.#gunzip.on('error', (error: Error) => {
      this.#failure = error;
      this.#wake();
    });
  }

  /** Packed bytes that were unpacked. */
  get bytesRead(): number {
    return this.#gunzip.bytesWritten;
  }

  /** Of damage it throws what zlib says (a `code` that begins with `Z_`), behind all that came before. */
  async *unpack(packed: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      for await (const piece of pieces(packed)) {
        let taken = false;
        this.#gunzip.write(piece, () => {
          taken = true;
          this.#wake();
        });
        yield* this.#unpacked(() => taken);
        if (this.#over) return;
      }
      this.#gunzip.end();
      yield* this.#unpacked(() => false);
    } finally {
      this.#gunzip.destroy();
    }
  }

  /** What there is to read, until it is over or all of what was written last `isTaken`. */
  async *#unpacked(isTaken: () => boolean): AsyncGenerator<Uint8Array> {
    for (;;) {
      const unpacked = this.#gunzip.read() as Uint8Array | null;
      if (unpacked !== null) yield unpacked;
      else if (this.#failure !== undefined) throw this.#failure;
      else if (this.#over || isTaken()) return;
      else await new Promise<void>((resolve) => (this.#wake = resolve));
    }
  }
}

/** The bytes of a chunk are valid until the next is asked for, and a piece is done with before. */
async function* pieces(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  let before = 0;
  for await (const chunk of chunks) {
    const trailer = Math.max(0, chunk.length - TRAILER);
    for (let at = 0; at < trailer;) {
      const size = Math.min(MOST_PIECE, Math.max(LEAST_PIECE, Math.floor((before + at) * SHARE)));
      const end = Math.min(at + size, trailer);
      yield chunk.subarray(at, end);
      at = end;
    }
    yield chunk.subarray(trailer);
    before += chunk.length;
  }
}
