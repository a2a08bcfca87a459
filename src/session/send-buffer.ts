/**
 * Where bytes wait until the peer has acknowledged them: send buffer and retransmission store in one.
 *
 * `SendBufferPool` is one slab for all sessions, cut into blocks of equal size that are numbered across chunks allocated
 * as they are needed, never beyond the cap. `SendBuffer` is one session's queue: a chain of blocks, linked through the
 * pool, of which it knows only the ends and a cursor. Payload is copied in once by `append`, and from there into each
 * packet that carries it.
 *
 * Invariants: every block is either in the pool's free chain or in exactly one queue; a queue of `length` bytes that
 * begins `#headOffset` into its first block holds ceil((#headOffset + length) / blockSize) blocks, none when empty.
 */
const NO_BLOCK = -1;
const CHUNK_BYTES = 1 << 20;
/** Below this a word-by-word copy beats `TypedArray.set`, which needs a view of the source. */
const WORD_COPY_MAX = 512;
const BYTE_COPY_MAX = 320;

export interface SendBufferPoolOptions {
  /** Memory cap in bytes, rounded down to whole blocks. */
  readonly limit: number;
  /** Bytes per block, a power of two from 64 to 65,536; 2 KiB holds the usual request. */
  readonly blockSize?: number;
}

export class SendBufferPool {
  readonly blockSize: number;
  /** Blocks there may ever be. */
  readonly blockLimit: number;
  /** Bytes not accepted because every block was taken. */
  refusedBytes = 0;
  /** Most blocks ever in use at once. */
  peakBlocks = 0;
  #used = 0;
  readonly #blockShift: number;
  readonly #chunkShift: number;
  readonly #chunks: Uint8Array[] = [];
  readonly #views: DataView[] = [];
  /** Per chunk: the block that follows each block, in a queue or in the free chain. */
  readonly #links: Int32Array[] = [];
  #free = NO_BLOCK;

  constructor(options: SendBufferPoolOptions) {
    const blockSize = options.blockSize ?? 2_048;
    if (blockSize < 64 || blockSize > 65_536 || (blockSize & (blockSize - 1)) !== 0) {
      throw new RangeError(`send buffer: block size ${blockSize} is not a power of two from 64 to 65536`);
    }
    this.blockSize = blockSize;
    this.blockLimit = Math.floor(options.limit / blockSize);
    this.#blockShift = 31 - Math.clz32(blockSize);
    this.#chunkShift = 31 - Math.clz32(CHUNK_BYTES / blockSize);
  }

  get usedBlocks(): number {
    return this.#used;
  }

  /** Bytes of memory allocated so far. */
  get allocatedBytes(): number {
    return this.#chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  }

  /** A block, or -1 at the cap. */
  take(): number {
    if (this.#free === NO_BLOCK && !this.grow()) return NO_BLOCK;
    const block = this.#free;
    this.#free = this.next(block);
    this.setNext(block, NO_BLOCK);
    this.#used++;
    if (this.#used > this.peakBlocks) this.peakBlocks = this.#used;
    return block;
  }

  /** Gives back one block. */
  free(block: number): void {
    this.setNext(block, this.#free);
    this.#free = block;
    this.#used--;
  }

  next(block: number): number {
    const shift = this.#chunkShift;
    return this.#links[block >> shift]![block & ((1 << shift) - 1)]!;
  }

  link(block: number, following: number): void {
    this.setNext(block, following);
  }

  /** Copies into a block. */
  write(block: number, at: number, bytes: Uint8Array, offset: number, length: number): void {
    const chunk = this.#chunks[block >> this.#chunkShift]!;
    const to = this.position(block) + at;
    if (length <= BYTE_COPY_MAX) {
      for (let i = 0; i < length; i++) chunk[to + i] = bytes[offset + i]!;
    } else if (offset === 0 && length === bytes.length) {
      chunk.set(bytes, to);
    } else {
      chunk.set(bytes.subarray(offset, offset + length), to);
    }
  }

  /** Copies out of a block; `view` covers the same bytes as `target`. */
  read(block: number, at: number, length: number, target: Uint8Array, view: DataView, to: number): void {
    const index = block >> this.#chunkShift;
    const from = this.position(block) + at;
    if (length > WORD_COPY_MAX) {
      target.set(this.#chunks[index]!.subarray(from, from + length), to);
      return;
    }
    const source = this.#views[index]!;
    let i = 0;
    for (; i + 4 <= length; i += 4) view.setInt32(to + i, source.getInt32(from + i, true), true);
    for (; i < length; i++) target[to + i] = source.getUint8(from + i);
  }

  private position(block: number): number {
    return (block & ((1 << this.#chunkShift) - 1)) << this.#blockShift;
  }

  private setNext(block: number, following: number): void {
    const shift = this.#chunkShift;
    this.#links[block >> shift]![block & ((1 << shift) - 1)] = following;
  }

  private grow(): boolean {
    const perChunk = 1 << this.#chunkShift;
    const first = this.#chunks.length * perChunk;
    const count = Math.min(perChunk, this.blockLimit - first);
    if (count <= 0) return false;
    const chunk = new Uint8Array(count * this.blockSize);
    this.#chunks.push(chunk);
    this.#views.push(new DataView(chunk.buffer));
    const links = new Int32Array(count);
    for (let i = 0; i < count; i++) links[i] = i + 1 < count ? first + i + 1 : NO_BLOCK;
    this.#links.push(links);
    this.#free = first;
    return true;
  }
}

export class SendBuffer {
  /** Bytes queued. */
  length = 0;
  readonly #pool: SendBufferPool;
  #head = NO_BLOCK;
  #tail = NO_BLOCK;
  /** Bytes of the head block that are no longer queued. */
  #headOffset = 0;
  /** The block last read from, and where its first byte lies, counted from the head of the queue. */
  #cursor = NO_BLOCK;
  #cursorAt = 0;

  constructor(pool: SendBufferPool) {
    this.#pool = pool;
  }

  /** Copies up to `length` bytes to the end of the queue; returns how many: fewer when the pool is exhausted. */
  append(bytes: Uint8Array, offset: number, length: number): number {
    const blockSize = this.#pool.blockSize;
    let done = 0;
    while (done < length) {
      const at = (this.#headOffset + this.length) & (blockSize - 1);
      if (at === 0 && !this.extend()) {
        this.#pool.refusedBytes += length - done;
        break;
      }
      const n = Math.min(blockSize - at, length - done);
      this.#pool.write(this.#tail, at, bytes, offset + done, n);
      this.length += n;
      done += n;
    }
    return done;
  }

  /** Copies `length` bytes, from the one `start` bytes behind the head on, to `to` of `target`. */
  copyTo(start: number, length: number, target: Uint8Array, view: DataView, to: number): void {
    const pool = this.#pool;
    const blockSize = pool.blockSize;
    if (this.#cursor === NO_BLOCK || start < this.#cursorAt) {
      this.#cursor = this.#head;
      // Not the negative: that of 0 is no small integer.
      this.#cursorAt = 0 - this.#headOffset;
    }
    let from = start;
    const end = start + length;
    while (from < end) {
      while (from >= this.#cursorAt + blockSize) {
        this.#cursor = pool.next(this.#cursor);
        this.#cursorAt += blockSize;
      }
      const at = from - this.#cursorAt;
      const n = Math.min(blockSize - at, end - from);
      pool.read(this.#cursor, at, n, target, view, to);
      from += n;
      to += n;
    }
  }

  /** Forgets the first `count` bytes. */
  discard(count: number): void {
    if (count >= this.length) {
      this.clear();
      return;
    }
    const blockSize = this.#pool.blockSize;
    this.length -= count;
    this.#headOffset += count;
    this.#cursorAt -= count;
    while (this.#headOffset >= blockSize) {
      const block = this.#head;
      this.#head = this.#pool.next(block);
      this.#pool.free(block);
      this.#headOffset -= blockSize;
      if (block === this.#cursor) this.#cursor = NO_BLOCK;
    }
  }

  clear(): void {
    for (let block = this.#head; block !== NO_BLOCK;) {
      const next = this.#pool.next(block);
      this.#pool.free(block);
      block = next;
    }
    this.length = 0;
    this.#head = NO_BLOCK;
    this.#tail = NO_BLOCK;
    this.#headOffset = 0;
    this.#cursor = NO_BLOCK;
  }

  private extend(): boolean {
    const block = this.#pool.take();
    if (block === NO_BLOCK) return false;
    if (this.#tail === NO_BLOCK) this.#head = block;
    else this.#pool.link(this.#tail, block);
    this.#tail = block;
    return true;
  }
}
