/**
 * The bytes of a recording, chunk by chunk as they are asked for: a file or standard input, unpacked when it is gzip
 * (by its first bytes, not by its name). A truncated gzip file gives what there is; a damaged one gives what comes
 * before the damage, and `damage` says what happened.
 *
 * Of a plain file that the kernel has in memory the next bytes can be read at once (`readNow`), to where they are taken apart:
 * that takes less than asking another thread and copying what it gives.
 */
import { readSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { TcpcopyError } from '../core/errors.ts';
import { errnoOf, messageOf } from './capture-error.ts';
import { Gunzip } from './gunzip.ts';

/** Each is read by another thread: smaller ones cost more, larger ones nothing less but memory. */
const CHUNK = 1 << 20;
/** What tells how to read the rest. */
const HEAD = 64 << 10;

/** Reads that take longer on average, ms, have to wait for a disk: that is left to another thread. */
const SLOW = 2;
/** Of how many reads, about. A few may take long since something else had the processor. */
const AVERAGED = 64;

export interface RecordingDamage {
  /** Packed bytes not read; 0 when the size is not known. */
  readonly bytes: number;
  readonly reason: string;
}

export class RecordingStream {
  readonly name: string;
  #chunks: AsyncIterator<Uint8Array> | undefined;
  #source: Readable | undefined;
  #file: FileHandle | undefined;
  #damage: RecordingDamage | undefined;
  /** To be read from at once. */
  #direct: FileHandle | undefined;
  #asked = false;
  /** How long reads take, ms. */
  #time = 0;
  readonly #now: () => number;

  /** A path, or `-` for standard input. `now`: ms. */
  constructor(path: string, now = (): number => performance.now()) {
    this.name = path;
    this.#now = now;
  }

  get damage(): RecordingDamage | undefined {
    return this.#damage;
  }

  async open(): Promise<void> {
    const { raw, size } = await this.#openSource();
    const first = await this.#read(raw);
    const isGzip = first !== undefined && first[0] === 0x1f && first[1] === 0x8b;
    this.#chunks = isGzip ? this.#unpack(putBack(first, raw), size) : putBack(first, raw);
    this.#direct = isGzip ? undefined : this.#file;
  }

  /** The next bytes, valid until the following call; `undefined` at the end. */
  async next(): Promise<Uint8Array | undefined> {
    // Behind its head a file is read ahead.
    if (this.#asked) this.#direct = undefined;
    this.#asked = true;
    return this.#chunks === undefined ? undefined : this.#read(this.#chunks);
  }

  /** Whether what follows can be read by `readNow`; where it cannot, or not any more, `next` is to be asked. */
  get atOnce(): boolean {
    return this.#direct !== undefined;
  }

  /** Fills `into`, or a part of it, with what follows; returns how much. */
  readNow(into: Uint8Array): number {
    if (this.#direct === undefined) return 0;
    const begun = this.#now();
    let length: number;
    try {
      length = readSync(this.#direct.fd, into);
    } catch (error) {
      throw this.#fileError(error);
    }
    this.#time += (this.#now() - begun - this.#time) / AVERAGED;
    if (length === 0 || this.#time > SLOW) this.#direct = undefined;
    return length;
  }

  close(): void {
    this.#chunks = undefined;
    this.#direct = undefined;
    this.#source?.destroy();
    this.#file?.close().catch(() => undefined);
    this.#file = undefined;
  }

  async #openSource(): Promise<{ raw: AsyncIterator<Uint8Array>; size: number | undefined }> {
    if (this.name === '-') return { raw: this.#streamed(process.stdin), size: undefined };
    try {
      const handle = await open(this.name);
      const stat = await handle.stat();
      if (!stat.isFile()) return { raw: this.#streamed(handle.createReadStream()), size: undefined };
      this.#file = handle;
      return { raw: chunksOf(handle), size: stat.size };
    } catch (error) {
      throw this.#fileError(error);
    }
  }

  #streamed(stream: Readable): AsyncIterator<Uint8Array> {
    this.#source = stream;
    return stream[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  }

  async #read(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array | undefined> {
    try {
      const result = await chunks.next();
      return result.done === true ? undefined : result.value;
    } catch (error) {
      throw this.#fileError(error);
    }
  }

  async *#unpack(packed: AsyncGenerator<Uint8Array>, size: number | undefined): AsyncGenerator<Uint8Array> {
    const gunzip = new Gunzip();
    let unpacked = 0;
    try {
      for await (const chunk of gunzip.unpack(packed)) {
        unpacked += chunk.length;
        yield chunk;
      }
      if (unpacked === 0) this.#damage = { bytes: size ?? 0, reason: 'the gzip data holds nothing, or ends before it' };
    } catch (error) {
      if (errnoOf(error)?.startsWith('Z_') !== true) throw error;
      const bytes = size === undefined ? 0 : Math.max(0, size - gunzip.bytesRead);
      this.#damage = { bytes, reason: `the gzip data is damaged (${messageOf(error)})` };
    }
  }

  #fileError(cause: unknown): TcpcopyError {
    const reasons: Record<string, string> = {
      ENOENT: 'there is no such file',
      EACCES: 'no permission to read it',
      EISDIR: 'this is a directory, not a recording',
    };
    return new TcpcopyError('E_FILE', reasons[errnoOf(cause) ?? ''] ?? messageOf(cause), { where: this.name, cause });
  }
}

async function* putBack(first: Uint8Array | undefined, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  if (first === undefined) return;
  yield first;
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

/** A file's bytes: its head, then chunks in one of two buffers in turn, so that while one is used the next one is being read. */
async function* chunksOf(file: FileHandle): AsyncGenerator<Uint8Array> {
  const head = await file.read(new Uint8Array(HEAD), 0, HEAD, null);
  if (head.bytesRead === 0) return;
  yield head.buffer.subarray(0, head.bytesRead);
  const read = (into: Uint8Array) => {
    const reading = file.read(into, 0, into.length, null);
    // It may fail, or be cut short by `close`, when nobody asks for more.
    reading.catch(() => undefined);
    return reading;
  };
  let used = new Uint8Array(CHUNK);
  let free = new Uint8Array(CHUNK);
  for (let next = read(free); ;) {
    const { bytesRead } = await next;
    if (bytesRead === 0) return;
    [used, free] = [free, used];
    next = read(free);
    yield used.subarray(0, bytesRead);
  }
}
