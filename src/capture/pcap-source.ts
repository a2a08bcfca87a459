/**
 * Live capture through libpcap, by the npm package `cap`: portable, slower than the ring, without a direction of each
 * frame, and without the kernel's drop counts where there is no addon. `cap` runs in a process of its own (pcap-child.ts
 * says why); its frames arrive through a pipe into an arena of fixed size. While the caller does not poll, the pipe is
 * not read, and the other side drops and counts.
 */
import { fork, type ChildProcess } from 'node:child_process';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { TcpcopyError } from '../core/errors.ts';
import { FrameBatch } from '../core/frame-batch.ts';
import type { Instant } from '../core/time.ts';
import { withNetRaw } from '../native/privileges.ts';
import { deviceLost, permissionError, unknownDevice } from './capture-error.ts';
import { filterText, type CaptureFilter } from './capture-filter.ts';
import { monotonicEpoch } from '../clock/clock.ts';
import type { PacketSource, SourceListener, SourceStats } from './packet-source.ts';
import {
  PCAP_MAX_FRAME,
  PCAP_STOP,
  RECORD_CAPTURED,
  RECORD_DROPS,
  RECORD_FLAGS,
  RECORD_HEADER,
  RECORD_LENGTH,
  RECORD_TIME,
  type PcapChildMessage,
  type PcapChildOptions,
  type PcapPayloadLimit,
} from './pcap-record.ts';
import type { Direction } from './ring-frames.ts';

export interface PcapSourceOptions {
  readonly filter?: CaptureFilter;
  readonly direction?: Direction;
  /** Of the kernel, bytes. */
  readonly captureBuffer?: number;
  readonly snapLength?: number;
}

/** Each frame takes 128 KB of it, whatever its size: as many frames as there are of those. */
const DEFAULT_BUFFER = 64 << 20;
const ARENA = 1 << 20;
const BATCH_FRAMES = 1024;
const STDERR_KEPT = 2_000;

export class PcapSource implements PacketSource {
  readonly name: string;
  readonly live = true;
  readonly #options: PcapSourceOptions;
  readonly #arena = new Uint8Array(ARENA);
  readonly #view = new DataView(this.#arena.buffer);
  readonly #batch = new FrameBatch(BATCH_FRAMES, this.#arena);
  /** Bytes of the arena: before `#read` they belong to the last batch, up to `#filled` they are still to be parsed. */
  #read = 0;
  #filled = 0;
  /** A chunk that did not fit. */
  #pending: Uint8Array | undefined;
  #child: ChildProcess | undefined;
  #pipe: Readable | undefined;
  #listener: SourceListener | undefined;
  #linkType = 0;
  /** What is dropped before it reaches the other process is known, too. */
  #countsLosses = false;
  #frames = 0;
  #dropped = 0;
  #payload = PCAP_MAX_FRAME;
  #stopping = false;
  /** The pipe has ended and the process with it. */
  #over = false;
  #stderr = '';

  constructor(device: string, options: PcapSourceOptions = {}) {
    this.name = device;
    this.#options = options;
  }

  async open(listener: SourceListener): Promise<void> {
    const child = this.#start();
    const opened = await new Promise<PcapChildMessage & { kind: 'opened' }>((resolve, reject) => {
      child.once('message', (message: PcapChildMessage) => {
        if (message.kind === 'opened') resolve(message);
        else reject(this.#openError(message));
      });
      child.once('error', (cause) => reject(this.#broken(cause.message)));
      child.once('exit', () => reject(this.#broken('the capture process ended')));
    });
    this.#linkType = opened.linkType;
    this.#countsLosses = opened.countsLosses;
    this.#listener = listener;
    this.#pipe = child.stdio[3] as Readable;
    this.#pipe.on('data', (chunk: Buffer) => this.#take(chunk));
    const gone = new Promise((resolve) => child.once('exit', resolve));
    this.#pipe.once('end', () => void gone.then(() => this.#finish()));
  }

  poll(): FrameBatch | undefined {
    const batch = this.#batch;
    this.#compact();
    batch.reset(this.#arena);
    while (batch.count < batch.capacity && this.#parseRecord()) continue;
    if (batch.count > 0) {
      this.#frames += batch.count;
      return batch;
    }
    if (this.#over) this.#end();
    return undefined;
  }

  /** Only so many bytes of payload are wanted of each TCP segment from now on; more may come. */
  limitPayload(bytes: number): void {
    if (bytes === this.#payload || this.#child?.connected !== true) return;
    this.#payload = bytes;
    this.#child.send({ payload: bytes } satisfies PcapPayloadLimit, () => undefined);
  }

  stop(): void {
    if (this.#stopping) return;
    this.#stopping = true;
    if (this.#child?.connected === true) this.#child.send(PCAP_STOP, () => undefined);
  }

  stats(): SourceStats {
    const known = this.#countsLosses || this.#dropped > 0;
    return { frames: this.#frames, kernelDropped: known ? this.#dropped : undefined, unreadable: [] };
  }

  close(): void {
    this.#listener = undefined;
    this.#pipe?.destroy();
    this.#child?.removeAllListeners();
    if (this.#child?.exitCode === null) this.#child.kill('SIGKILL');
    this.#child = undefined;
  }

  #start(): ChildProcess {
    const {
      filter = {},
      direction = 'in',
      captureBuffer = DEFAULT_BUFFER,
      snapLength = PCAP_MAX_FRAME,
    } = this.#options;
    const options: PcapChildOptions = {
      device: this.name,
      filter: filterText(filter, true) ?? '',
      selection: filter.selection,
      direction,
      bufferBytes: captureBuffer,
      snapLength,
      epoch: monotonicEpoch(),
    };
    // The child's file lies beside this one, in whatever language this one runs.
    const self = fileURLToPath(import.meta.url);
    const script = fileURLToPath(new URL(`./pcap-child${extname(self)}`, import.meta.url));
    const loader = () => pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
    const child = withNetRaw(() =>
      fork(script, [JSON.stringify(options)], {
        stdio: ['ignore', 'ignore', 'pipe', 'pipe', 'ipc'],
        execArgv: extname(self) === '.ts' ? ['--import', loader()] : [],
      }),
    );
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#stderr = (this.#stderr + text).slice(-STDERR_KEPT);
    });
    this.#child = child;
    return child;
  }

  #take(chunk: Uint8Array): void {
    if (this.#pending === undefined && this.#filled + chunk.length <= ARENA) {
      this.#arena.set(chunk, this.#filled);
      this.#filled += chunk.length;
    } else {
      this.#pending = chunk;
      this.#pipe?.pause();
    }
    this.#listener?.ready();
  }

  /** Gives the last batch's memory back, and takes in what waited for it. */
  #compact(): void {
    if (this.#read > 0) {
      this.#arena.copyWithin(0, this.#read, this.#filled);
      this.#filled -= this.#read;
      this.#read = 0;
    }
    const pending = this.#pending;
    if (pending === undefined || this.#filled + pending.length > ARENA) return;
    this.#arena.set(pending, this.#filled);
    this.#filled += pending.length;
    this.#pending = undefined;
    this.#pipe?.resume();
  }

  /** Moves one record from the arena to the batch; false when it is not whole yet. */
  #parseRecord(): boolean {
    const at = this.#read;
    const view = this.#view;
    if (this.#filled - at < RECORD_HEADER) return false;
    const captured = view.getUint32(at + RECORD_CAPTURED, true);
    const length = view.getUint32(at + RECORD_LENGTH, true);
    if (captured === RECORD_DROPS) {
      this.#dropped += length;
      this.#read = at + RECORD_HEADER;
      return true;
    }
    if (this.#filled - at < RECORD_HEADER + captured) return false;
    const time = view.getFloat64(at + RECORD_TIME, true) as Instant;
    const flags = view.getUint32(at + RECORD_FLAGS, true);
    this.#batch.add(at + RECORD_HEADER, captured, length, time, this.#linkType, flags);
    this.#read = at + RECORD_HEADER + captured;
    return true;
  }

  #finish(): void {
    this.#over = true;
    this.#listener?.ready();
  }

  #end(): void {
    const listener = this.#listener;
    this.#listener = undefined;
    // `cap` aborts its process when the device goes down.
    listener?.ended(this.#stopping ? undefined : deviceLost(this.name, 'ENETDOWN'));
  }

  #openError(message: PcapChildMessage & { kind: 'failed' }): TcpcopyError {
    const cause = new Error(message.message);
    if (/permission|not permitted/i.test(message.message)) return permissionError(this.name, cause);
    switch (message.what) {
      case 'module':
        return new TcpcopyError('E_BACKEND', 'the npm package cap is not installed or not built', {
          where: '--io pcap',
          hint: 'with a C compiler and the libpcap headers (Debian: libpcap-dev), installing tcpcopy again builds it',
          cause,
        });
      case 'device':
        return unknownDevice(this.name, message.devices);
      case 'filter':
        return new TcpcopyError('E_FILTER', message.message, { where: '-F', hint: 'see pcap-filter(7)', cause });
      default:
        return /not up/.test(message.message)
          ? deviceLost(this.name, 'ENETDOWN')
          : new TcpcopyError('E_BACKEND', message.message, { where: this.name, cause });
    }
  }

  #broken(message: string): TcpcopyError {
    const detail = this.#stderr.trim();
    return new TcpcopyError('E_BACKEND', detail === '' ? message : `${message}: ${detail}`, { where: this.name });
  }
}
