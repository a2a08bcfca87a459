/**
 * Writes what would be sent to a pcap file of raw IP packets (LINKTYPE_RAW): a dry run. When the file cannot take more
 * (a full disk), that is reported for each packet from then on, and once more by `close`.
 */
import { createWriteStream, type WriteStream } from 'node:fs';
import { TcpcopyError } from '../core/errors.ts';
import { PacketBatch } from '../core/packet-batch.ts';
import type { Instant } from '../core/time.ts';
import { CaptureWriter } from '../pcap/capture-writer.ts';
import type { PacketSink, SinkListener, SinkStats } from './packet-sink.ts';
import { SinkCounters } from './sink-counters.ts';

const LINKTYPE_RAW = 101;

export class PcapSink implements PacketSink {
  readonly name: string;
  readonly batch: PacketBatch;
  readonly #clock: () => Instant;
  readonly #writer = new CaptureWriter(LINKTYPE_RAW);
  readonly #counters = new SinkCounters();
  #stream: WriteStream | undefined;
  #listener: SinkListener | undefined;
  #waiting = false;
  #failure: NodeJS.ErrnoException | undefined;

  /** `clock` gives the time that packets are written down with. */
  constructor(path: string, clock: () => Instant, batch = new PacketBatch()) {
    this.name = path;
    this.#clock = clock;
    this.batch = batch;
  }

  async open(listener: SinkListener): Promise<void> {
    const stream = createWriteStream(this.name);
    await new Promise<void>((resolve, reject) => {
      stream.once('open', () => resolve());
      stream.once('error', (error) => reject(this.#fileError(error)));
    });
    stream.on('error', (error) => {
      this.#failure = error;
      this.#resume();
    });
    stream.on('drain', () => this.#resume());
    this.#stream = stream;
    this.#listener = listener;
  }

  flush(): boolean {
    if (this.#waiting) return false;
    const { batch } = this;
    const time = this.#clock();
    for (let i = 0; i < batch.count; i++) this.#take(batch.offset[i]!, batch.length[i]!, time);
    batch.clear();
    this.#waiting = !this.#write();
    return !this.#waiting;
  }

  stats(): SinkStats {
    return this.#counters.snapshot();
  }

  /** Rejects with E_FILE when the file is not whole. */
  async close(): Promise<void> {
    const stream = this.#stream;
    this.#stream = undefined;
    this.#listener = undefined;
    if (stream === undefined) return;
    if (this.#writer.size > 0 && this.#failure === undefined) stream.write(this.#writer.take());
    await new Promise<void>((resolve) => {
      stream.once('close', resolve);
      if (stream.closed) resolve();
      else stream.end();
    });
    if (this.#failure !== undefined) throw this.#fileError(this.#failure);
  }

  #take(offset: number, length: number, time: Instant): void {
    if (this.#failure === undefined) {
      this.#writer.add(this.batch.bytes, offset, length, time);
      this.#counters.sent(length);
      return;
    }
    const code = this.#failure.code ?? 'EIO';
    this.#counters.failed(code);
    this.#listener?.failed({ offset, length, code, mtu: undefined });
  }

  /** False when the stream wants no more before it has drained. */
  #write(): boolean {
    if (this.#failure !== undefined || this.#writer.size === 0) return true;
    return this.#stream?.write(this.#writer.take()) ?? true;
  }

  #resume(): void {
    if (!this.#waiting) return;
    this.#waiting = false;
    this.#listener?.writable();
  }

  #fileError(cause: NodeJS.ErrnoException): TcpcopyError {
    return new TcpcopyError('E_FILE', `cannot be written (${cause.code ?? cause.message})`, {
      where: this.name,
      cause,
    });
  }
}
