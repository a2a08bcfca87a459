/**
 * Writes packets to pcapng files, one after the other: a new one begins when one is full or old, and the oldest goes when
 * there are too many. Files hold secrets, so only their owner may read them.
 *
 * Writing is synchronous, block by whole block: what the program was told to keep is with the kernel when `flush` returns,
 * a full disk is noticed at once, and a slow one lets the capture's own buffer fill, where losses are counted. A packed
 * file is a row of gzip members (RFC 1952 §2.2), so that it is whole after every flush.
 */
import { closeSync, ftruncateSync, openSync, unlinkSync, writeSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { TcpcopyError } from '../core/errors.ts';
import { elapsed, seconds, type Duration, type Instant } from '../core/time.ts';
import { PcapngWriter } from '../pcap/pcapng-writer.ts';

export interface RecordingFilesOptions {
  /** Of the file, packed when it ends in `.gz`; with a limit each file gets a number and its time. */
  readonly path: string;
  /** Bytes in a file, as on disk. */
  readonly maxSize: number | undefined;
  /** Time in a file. */
  readonly maxAge: Duration | undefined;
  /** Files kept; older ones are removed. */
  readonly keep: number | undefined;
  readonly application: string;
  readonly comment: string;
  /** Of the same kind as the frames' times. */
  readonly clock: () => Instant;
  /** What these are in Unix time, which is written. */
  readonly unix: (time: Instant) => Instant;
}

export interface RecordingStats {
  /** Paths of the files that are there, oldest first. */
  readonly files: readonly string[];
  readonly removed: number;
  readonly packets: number;
  /** On disk, in the files that were removed too. */
  readonly bytes: number;
  /** Packets that could not be written. */
  readonly failed: number;
}

/** Bytes gathered before they are written. */
const BATCH = 256 << 10;
/** What was recorded is on disk after this long at most. */
const LONGEST_WAIT = seconds(1);
/** Enough for text, and twice as fast as the default. */
const GZIP_LEVEL = 3;
const OWNER_ONLY = 0o600;

export class RecordingFiles {
  readonly #options: RecordingFilesOptions;
  readonly #files: string[] = [];
  /** Interfaces of the run, which each file describes anew: link type and name. */
  readonly #interfaces: (readonly [linkType: number, name: string])[] = [];
  #writer: PcapngWriter;
  #fd: number | undefined;
  #opened: Instant;
  #flushed: Instant;
  #written = 0;
  #count = 0;
  #packets = 0;
  #inFile = 0;
  #waiting = 0;
  #failed = 0;
  #bytes = 0;
  #failure: TcpcopyError | undefined;

  constructor(options: RecordingFilesOptions) {
    this.#options = options;
    this.#opened = this.#flushed = options.clock();
    this.#writer = new PcapngWriter(options.application, options.comment);
  }

  /** Why nothing is written any more. */
  get failure(): TcpcopyError | undefined {
    return this.#failure;
  }

  /** Begins the first file; throws when it cannot be written. */
  open(): void {
    this.#begin();
    this.#write();
    if (this.#failure !== undefined) throw this.#failure;
  }

  /** The number that frames of this link type and device are added with. */
  interfaceOf(linkType: number, name: string): number {
    const known = this.#interfaces.findIndex(([type, device]) => type === linkType && device === name);
    if (known >= 0) return known;
    this.#interfaces.push([linkType, name]);
    return this.#writer.addInterface(linkType, name);
  }

  /** Copies a frame, as `PcapngWriter.add` does. */
  add(
    from: number,
    frame: Uint8Array,
    offset: number,
    captured: number,
    time: Instant,
    length: number,
    flags: number,
  ): void {
    if (this.#failure !== undefined) {
      this.#failed++;
      return;
    }
    this.#writer.add(from, frame, offset, captured, this.#options.unix(time), length, flags);
    this.#packets++;
    this.#inFile++;
    this.#waiting++;
    const { maxSize = Infinity } = this.#options;
    if (this.#writer.size >= Math.min(BATCH, maxSize - this.#written)) this.flush();
  }

  /** Writes what has gathered for long enough, and ends a file that is old; to be called every now and then. */
  tick(): void {
    const now = this.#options.clock();
    if (elapsed(now, this.#flushed) >= LONGEST_WAIT) this.flush();
    const { maxAge } = this.#options;
    if (maxAge !== undefined && elapsed(now, this.#opened) >= maxAge) this.#rotate();
  }

  /** Writes what has gathered. */
  flush(): void {
    this.#flushed = this.#options.clock();
    this.#write();
    const { maxSize } = this.#options;
    if (maxSize !== undefined && this.#written >= maxSize) this.#rotate();
  }

  /** Writes the rest and closes. */
  close(): void {
    this.#write();
    this.#end();
  }

  stats(): RecordingStats {
    return {
      files: this.#files,
      removed: this.#count - this.#files.length,
      packets: this.#packets - this.#waiting,
      bytes: this.#bytes,
      failed: this.#failed,
    };
  }

  /** Only when there is something in the file: a quiet hour makes no empty ones. */
  #rotate(): void {
    if (this.#failure !== undefined || this.#inFile === 0) return;
    this.#write();
    this.#end();
    this.#begin();
  }

  #begin(): void {
    const { path, keep, clock, unix, application, comment } = this.#options;
    this.#opened = clock();
    this.#written = 0;
    this.#inFile = 0;
    const name = this.#rotates ? numbered(path, this.#count + 1, unix(this.#opened)) : path;
    try {
      this.#fd = openSync(name, 'w', OWNER_ONLY);
      this.#files.push(name);
      this.#count++;
      while (keep !== undefined && this.#files.length > keep) unlinkSync(this.#files.shift()!);
    } catch (error) {
      this.#fail(name, error);
    }
    if (this.#count === 1) return;
    this.#writer = new PcapngWriter(application, comment);
    for (const [linkType, device] of this.#interfaces) this.#writer.addInterface(linkType, device);
  }

  get #rotates(): boolean {
    const { maxSize, maxAge } = this.#options;
    return maxSize !== undefined || maxAge !== undefined;
  }

  #write(): void {
    if (this.#fd === undefined || this.#failure !== undefined || this.#writer.size === 0) return;
    const taken = this.#writer.take();
    const bytes = this.#options.path.endsWith('.gz') ? gzipSync(taken, { level: GZIP_LEVEL }) : taken;
    try {
      for (let at = 0; at < bytes.length;) at += writeSync(this.#fd, bytes, at);
    } catch (error) {
      this.#fail(this.#files.at(-1)!, error);
      return;
    }
    this.#written += bytes.length;
    this.#bytes += bytes.length;
    this.#waiting = 0;
  }

  /** What was written of a block is taken back, so that what is there can be read. */
  #fail(name: string, cause: unknown): void {
    const { code, message } = cause as NodeJS.ErrnoException;
    const reason = code === 'ENOSPC' ? 'the disk is full' : `cannot be written (${code ?? message})`;
    this.#failure = new TcpcopyError('E_FILE', reason, {
      where: name,
      hint: 'what was recorded before is sound',
      cause,
    });
    this.#failed += this.#waiting;
    this.#packets -= this.#waiting;
    this.#waiting = 0;
    if (this.#fd === undefined) return;
    try {
      ftruncateSync(this.#fd, this.#written);
    } catch {
      // A pipe or a device: it takes what it takes.
    }
  }

  #end(): void {
    if (this.#fd !== undefined) closeSync(this.#fd);
    this.#fd = undefined;
  }
}

/** `traffic.pcapng.gz` becomes `traffic_00001_20240229120000.pcapng.gz`, as dumpcap numbers files; the time is UTC. */
function numbered(path: string, number: number, time: Instant): string {
  const slash = path.lastIndexOf('/') + 1;
  const [, stem, extension] = /^(.+?)((?:\.(?:pcapng|pcap|cap|ntar))?(?:\.gz)?)$/i.exec(path.slice(slash))!;
  const stamp = new Date(time / 1000).toISOString().replace(/[-:T]|\.\d+Z$/g, '');
  return `${path.slice(0, slash)}${stem}_${String(number).padStart(5, '0')}_${stamp}${extension}`;
}
