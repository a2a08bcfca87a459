/**
 * Raw IP packets through the npm package `raw-socket`: for systems without the native addon, at several times its cost.
 *
 * By itself it sends one packet per turn of the event loop, which a busy loop has a few hundred of a second; so each packet
 * that it has queued it is told to send at once. One that met a full buffer is tried again in its place a little later. Its
 * errors have text only: errno.ts finds their names.
 */
import { formatIp, fromBytes } from '../core/ip-address.ts';
import { PacketBatch } from '../core/packet-batch.ts';
import { errnoOfText } from './errno.ts';
import type { PacketSink, SinkListener, SinkStats } from './packet-sink.ts';
import type { RawSocket, RawSocketModule } from './raw-socket-module.ts';
import { SinkCounters } from './sink-counters.ts';
import { openError } from './sink-error.ts';

const IPPROTO_IP = 0;
const IPPROTO_IPV6 = 41;
/** No packet arrives for it, and on Linux it implies that packets bring their header. */
const IPPROTO_RAW = 255;
const FAMILY_IP4 = 1;
const FAMILY_IP6 = 2;
/** IP_HDRINCL of the BSDs and macOS, and of Linux. */
const IP_HDRINCL = process.platform === 'linux' ? 3 : 2;
/** linux/in6.h; the other systems have no such option. */
const IPV6_HDRINCL = 36;

const FULL = ['EAGAIN', 'ENOBUFS'];
const RETRY_MS = 1;
const CLOSE_MS = 500;

/**
 * `raw-socket` holds its sockets weakly, even while packets wait in them: a sink that only its own callbacks refer to
 * would be collected and never finish.
 */
const openSinks = new Set<PortableSink>();

export class PortableSink implements PacketSink {
  readonly name = 'portable';
  readonly batch: PacketBatch;
  readonly #module: RawSocketModule;
  readonly #counters = new SinkCounters();
  /** `raw-socket` wants a Buffer; the same memory as the batch. */
  readonly #buffer: Buffer;
  #ip4: RawSocket | undefined;
  #ip6: RawSocket | undefined;
  #listener: SinkListener | undefined;
  #first = 0;
  /** What became of the packet sent last: an errno name, or `undefined`. */
  #code: string | undefined;
  /** A buffer was full. */
  #retry: NodeJS.Timeout | undefined;
  readonly #sent = (error: Error | null): void => {
    this.#code = error === null ? undefined : errnoOfText(error.message);
  };

  constructor(module: RawSocketModule, batch = new PacketBatch()) {
    this.#module = module;
    this.batch = batch;
    this.#buffer = Buffer.from(batch.bytes.buffer, batch.bytes.byteOffset, batch.bytes.byteLength);
  }

  async open(listener: SinkListener): Promise<void> {
    try {
      this.#ip4 = this.#socket(FAMILY_IP4, IPPROTO_IP, IP_HDRINCL);
      if (process.platform === 'linux') this.#ip6 = this.#socket(FAMILY_IP6, IPPROTO_IPV6, IPV6_HDRINCL);
    } catch (error) {
      this.#ip4?.close();
      throw openError(error);
    }
    this.#listener = listener;
    openSinks.add(this);
  }

  flush(): boolean {
    return this.#retry === undefined && this.#send();
  }

  stats(): SinkStats {
    return this.#counters.snapshot();
  }

  /** Sends what is still queued, for a bounded time. */
  async close(): Promise<void> {
    const giveUpAt = performance.now() + CLOSE_MS;
    this.flush();
    while (this.batch.count > 0 && performance.now() < giveUpAt) {
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    clearTimeout(this.#retry);
    this.#listener = undefined;
    this.#ip4?.close();
    this.#ip6?.close();
    this.#ip4 = this.#ip6 = undefined;
    openSinks.delete(this);
  }

  #socket(addressFamily: number, level: number, option: number): RawSocket {
    const socket = this.#module.createSocket({ protocol: IPPROTO_RAW, addressFamily });
    socket.setOption(level, option, 1);
    socket.pauseRecv();
    // Errors of the watcher itself; those of a packet go to its callback.
    socket.on('error', () => this.#counters.failed('EIO'));
    return socket;
  }

  /** Sends what is left of the batch; false when a buffer is full, and then it goes on by itself. */
  #send(): boolean {
    const { batch } = this;
    for (; this.#first < batch.count; this.#first++) {
      const offset = batch.offset[this.#first]!;
      const length = batch.length[this.#first]!;
      const version = batch.bytes[offset]! >> 4;
      const socket = version === 4 ? this.#ip4 : version === 6 ? this.#ip6 : undefined;
      if (socket === undefined || length < (version === 4 ? 20 : 40)) {
        this.#fail(version === 6 && length >= 40 ? 'EAFNOSUPPORT' : 'EINVAL');
        continue;
      }
      socket.send(this.#buffer, offset, length, this.#destination(offset, version), this.#sent);
      socket.onSendReady();
      const code = this.#code;
      if (code === undefined) {
        this.#counters.sent(length);
      } else if (FULL.includes(code)) {
        this.#retry = setTimeout(() => this.#resume(), RETRY_MS);
        return false;
      } else {
        this.#fail(code);
      }
    }
    batch.clear();
    this.#first = 0;
    return true;
  }

  #resume(): void {
    this.#retry = undefined;
    if (this.#ip4 !== undefined && this.#send()) this.#listener?.writable();
  }

  #destination(offset: number, version: number): string {
    const { bytes } = this.batch;
    const at = offset + (version === 4 ? 16 : 24);
    return formatIp(fromBytes(bytes.subarray(at, at + (version === 4 ? 4 : 16))));
  }

  #fail(code: string): void {
    const offset = this.batch.offset[this.#first]!;
    const length = this.batch.length[this.#first]!;
    this.#counters.failed(code);
    this.#listener?.failed({ offset, length, code, mtu: undefined });
  }
}
