/**
 * A recording as a packet source: pcap or pcapng, plain or gzip, from a file or standard input, in constant memory.
 *
 * The next chunk is read when a poll finds no frame left, which is also when the frames handed out before are done with:
 * so a caller that does not poll holds the file back, and no frame is ever overwritten while in use. What the kernel has in
 * memory is read by the poll itself, up to a certain amount: then the event loop has its turn.
 */
import { setImmediate } from 'node:timers/promises';
import { TcpcopyError } from '../core/errors.ts';
import { FrameBatch } from '../core/frame-batch.ts';
import { CaptureReader } from '../pcap/capture-reader.ts';
import { compileExpression } from './capture-filter.ts';
import { FrameFilter } from './frame-filter.ts';
import type { PacketSource, SourceListener, SourceStats } from './packet-source.ts';
import { RecordingStream } from './recording-stream.ts';

export interface FileSourceOptions {
  /** A pcap-filter(7) expression for the recorded frames. */
  readonly expression?: string | undefined;
}

const BATCH_FRAMES = 1024;
const SNAP_LENGTH = 0x7fff_ffff;
const STDIN = '-';
/**
 * Read at once. What a batch brings is sent when it has been handled, all that came for a session together: smaller pieces,
 * though they would stay nearer to the processor, make smaller batches.
 */
const PIECE = 1 << 20;
const PIECES_IN_TURN = 4;

export class FileSource implements PacketSource {
  readonly name: string;
  readonly live = false;
  readonly #stream: RecordingStream;
  readonly #reader = new CaptureReader();
  readonly #batch = new FrameBatch(BATCH_FRAMES);
  readonly #filter: FrameFilter | undefined;
  #listener: SourceListener | undefined;
  /** Frames in the batch that no poll has returned yet: those found on opening. */
  #waiting = false;
  #reading = false;
  /** No more chunks will come. */
  #atEnd = false;
  #error: Error | undefined;
  #frames = 0;
  /** Read by polls since the event loop had its turn. */
  #pieces = 0;

  /** `path`: a file, or `-` for standard input. */
  constructor(path: string, options: FileSourceOptions = {}) {
    this.name = path;
    this.#stream = new RecordingStream(path);
    const { expression } = options;
    if (expression !== undefined) {
      this.#filter = new FrameFilter((linkType) => compileExpression({ expression }, linkType, SNAP_LENGTH));
    }
  }

  /** Resolves when the header has been read and is a capture's, and of a file the first frame. */
  async open(listener: SourceListener): Promise<void> {
    await this.#stream.open();
    try {
      while (!this.#atEnd && !this.#waiting && !this.#recognised) {
        await this.#readChunk();
        this.#waiting = this.#nextFrames();
      }
      this.#refuseRubble();
    } catch (error) {
      this.#stream.close();
      throw this.#named(error);
    }
    this.#listener = listener;
    listener.ready();
  }

  poll(): FrameBatch | undefined {
    if (this.#listener === undefined) return undefined;
    try {
      if (this.#waiting || (this.#error === undefined && !this.#reading && (this.#nextFrames() || this.#readOn()))) {
        this.#waiting = false;
        this.#frames += this.#batch.count;
        return this.#batch;
      }
    } catch (error) {
      this.#error = this.#named(error);
    }
    if (this.#atEnd || this.#error !== undefined) this.#end();
    else if (!this.#reading) void (this.#mayReadOn ? this.#pause() : this.#fetch());
    return undefined;
  }

  /** What has not been read yet stays unread. */
  stop(): void {
    this.#atEnd = true;
    this.#listener?.ready();
  }

  stats(): SourceStats {
    const { damage } = this.#stream;
    const { problems } = this.#reader;
    return {
      frames: this.#frames,
      kernelDropped: 0,
      unreadable: damage === undefined ? problems : [...problems, damage],
    };
  }

  close(): void {
    this.#listener = undefined;
    this.#stream.close();
  }

  /** A pipe may be silent for long after its header. */
  get #recognised(): boolean {
    return this.#reader.frames > 0 || (this.name === STDIN && this.#reader.info !== undefined);
  }

  /** Of a file that was damaged before its first frame there is nothing to take. */
  #refuseRubble(): void {
    const [damage] = this.stats().unreadable;
    if (!this.#atEnd || this.#reader.frames > 0 || damage === undefined) return;
    throw new TcpcopyError('E_CAPTURE_FORMAT', `not one frame is readable: ${damage.reason}`);
  }

  /** Whether the batch has frames; those the filter rejects are passed over. */
  #nextFrames(): boolean {
    while (this.#reader.next(this.#batch) > 0) {
      this.#filter?.apply(this.#batch);
      if (this.#batch.count > 0) return true;
    }
    return false;
  }

  /** Reads on what can be read at once; whether that gave frames. */
  #readOn(): boolean {
    while (this.#mayReadOn && this.#pieces < PIECES_IN_TURN) {
      this.#pieces++;
      this.#reader.filled(this.#stream.readNow(this.#reader.room(PIECE)));
      if (this.#nextFrames()) return true;
    }
    return false;
  }

  get #mayReadOn(): boolean {
    return !this.#atEnd && this.#stream.atOnce;
  }

  async #readChunk(): Promise<void> {
    const chunk = await this.#stream.next();
    if (this.#atEnd) return;
    if (chunk !== undefined) {
      this.#reader.push(chunk);
      return;
    }
    const { damage } = this.#stream;
    if (damage !== undefined && this.#reader.info === undefined) {
      throw new TcpcopyError('E_CAPTURE_FORMAT', `not one frame is readable: ${damage.reason}`);
    }
    this.#reader.end();
    this.#atEnd = true;
  }

  async #fetch(): Promise<void> {
    this.#reading = true;
    try {
      await this.#readChunk();
    } catch (error) {
      this.#error = this.#named(error);
    }
    this.#reading = false;
    this.#listener?.ready();
  }

  async #pause(): Promise<void> {
    this.#reading = true;
    await setImmediate();
    this.#reading = false;
    this.#pieces = 0;
    this.#listener?.ready();
  }

  #end(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    this.#stream.close();
    listener?.ended(this.#error);
  }

  #named(error: unknown): Error {
    if (!(error instanceof TcpcopyError) || error.where !== undefined) {
      return error instanceof Error ? error : new Error(String(error));
    }
    const hint = error.hint === undefined ? {} : { hint: error.hint };
    return new TcpcopyError(error.code, error.message, { where: this.name, ...hint, cause: error.cause });
  }
}
