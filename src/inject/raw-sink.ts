/**
 * Raw IP packets through the native addon: one sendmmsg for many packets, straight out of the batch's memory. To
 * `destinations` they go to the device itself where that can be done (direct-sending).
 *
 * When the socket is full the rest stays where it is, in the batch, and `flush` returns false; the sink goes on by
 * itself when there is room, and calls `writable` when the batch is empty again. A full device queue (ENOBUFS) has no
 * wake-up, so it is tried again after a millisecond. A packet the kernel refuses is reported and skipped.
 */
import { PacketBatch } from '../core/packet-batch.ts';
import {
  SEND_BLOCKED,
  SEND_FAILURE_WORDS,
  SEND_FAILURES,
  SEND_FIRST_FAILURE,
  type NativeAddon,
  type NativeSender,
} from '../native/addon.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { IpAddress } from '../core/ip-address.ts';
import { DirectSending } from './direct-sending.ts';
import { errnoName } from './errno.ts';
import type { PacketSink, SinkListener, SinkStats } from './packet-sink.ts';
import { SinkCounters } from './sink-counters.ts';
import { openError } from './sink-error.ts';

export interface RawSinkOptions {
  /** SO_MARK, for policy routing and firewall rules. */
  readonly mark?: number;
  /** Send through this device whatever the routes say. */
  readonly device?: string;
  /** Kernel send buffer, bytes. */
  readonly sendBuffer?: number;
  /** Where most packets go to. */
  readonly destinations?: readonly IpAddress[] | undefined;
  /** Told how packets to a destination are sent. */
  readonly told?: ((line: string) => void) | undefined;
}

const FAILURES_PER_CALL = 64;
const RETRY_MS = 1;
/** Long enough for a full socket to empty several times over; on close the rest is then given up. */
const CLOSE_MS = 500;

export class RawSink implements PacketSink {
  readonly name = 'raw';
  readonly takesLarge = true;
  readonly batch: PacketBatch;
  readonly #addon: NativeAddon;
  readonly #options: RawSinkOptions;
  readonly #result = new Int32Array(SEND_FIRST_FAILURE + SEND_FAILURE_WORDS * FAILURES_PER_CALL);
  readonly #counters = new SinkCounters();
  #sender: NativeSender | undefined;
  #sendBatch: ReturnType<NativeSender['sending']> | undefined;
  #direct: DirectSending | undefined;
  #listener: SinkListener | undefined;
  /** Packets of the batch before this one are dealt with. */
  #first = 0;
  #waiting = false;
  #retry: NodeJS.Timeout | undefined;

  constructor(addon: NativeAddon, options: RawSinkOptions = {}, batch = new PacketBatch()) {
    this.#addon = addon;
    this.#options = options;
    this.batch = batch;
  }

  async open(listener: SinkListener): Promise<void> {
    const { mark = 0, sendBuffer = 0, destinations = [], told } = this.#options;
    try {
      const device = this.#deviceIndex();
      const sender = new this.#addon.Sender({ mark, device, bufferBytes: sendBuffer }, () => this.#resume());
      this.#sender = sender;
      const { bytes, offset, length, segment } = this.batch;
      this.#sendBatch = sender.sending(bytes, offset, length, segment, this.#result);
      if (destinations.length > 0) {
        this.#direct = new DirectSending(this.#addon, sender, { destinations, routing: { mark, device }, told });
      }
    } catch (error) {
      throw openError(error);
    }
    this.#listener = listener;
  }

  flush(): boolean {
    if (this.#waiting) return false;
    const { batch } = this;
    while (this.#first < batch.count) {
      if (!this.#send()) return false;
    }
    batch.clear();
    this.#first = 0;
    return true;
  }

  stats(): SinkStats {
    return this.#counters.snapshot();
  }

  /** Sends what is still queued, for a bounded time. */
  async close(): Promise<void> {
    for (let waited = 0; this.#sender !== undefined && waited < CLOSE_MS && this.batch.count > 0; waited++) {
      this.#waiting = false;
      if (!this.flush()) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    clearTimeout(this.#retry);
    this.#direct?.close();
    this.#sender?.close();
    this.#sender = undefined;
    this.#listener = undefined;
  }

  /** One call into the kernel's queue; false when it is full. */
  #send(): boolean {
    const { batch } = this;
    const sender = this.#sender;
    if (sender === undefined) throw new TcpcopyError('E_BACKEND', 'the sink is not open', { where: this.name });
    const first = this.#first;
    const next = this.#sendBatch!(first, batch.count);
    this.#first = next;
    for (let i = first; i < next; i++) this.#count(i, 1);
    if (this.#result[SEND_FAILURES] !== 0) this.#reportFailures();
    const blocked = this.#result[SEND_BLOCKED]!;
    if (blocked === 0) return true;
    this.#waiting = true;
    if (errnoName(blocked) === 'EAGAIN') sender.awaitWritable();
    else this.#retry = setTimeout(() => this.#resume(), RETRY_MS);
    return false;
  }

  #reportFailures(): void {
    const result = this.#result;
    for (let i = 0; i < result[SEND_FAILURES]!; i++) {
      const at = SEND_FIRST_FAILURE + SEND_FAILURE_WORDS * i;
      const packet = result[at]!;
      const code = errnoName(result[at + 1]!);
      const mtu = result[at + 2]! === 0 ? undefined : result[at + 2]!;
      const { batch } = this;
      const whole = batch.length[packet]!;
      const segment = batch.segment[packet]!;
      const length = segment === 0 ? whole : Math.min(whole, headersOf(batch.bytes, batch.offset[packet]!) + segment);
      this.#count(packet, -1);
      this.#counters.failed(code);
      this.#listener?.failed({ offset: batch.offset[packet]!, length, code, mtu });
    }
  }

  /** Adds a packet to the counts, as those that it is cut into, or takes it away. */
  #count(packet: number, sign: 1 | -1): void {
    const { batch } = this;
    const length = batch.length[packet]!;
    const segment = batch.segment[packet]!;
    this.#counters.bytes += sign * length;
    this.#counters.packets += sign;
    if (segment === 0) return;
    const headers = headersOf(batch.bytes, batch.offset[packet]!);
    const more = Math.ceil((length - headers) / segment) - 1;
    this.#counters.packets += sign * more;
    this.#counters.bytes += sign * more * headers;
  }

  #resume(): void {
    if (this.#sender === undefined) return;
    this.#waiting = false;
    if (this.flush()) this.#listener?.writable();
  }

  #deviceIndex(): number {
    const { device } = this.#options;
    if (device === undefined) return 0;
    const devices = this.#addon.devices();
    const found = devices.find((d) => d.name === device);
    if (found !== undefined) return found.index;
    throw new TcpcopyError('E_DEVICE', 'no such network device', {
      where: device,
      hint: `devices here: ${devices.map((d) => d.name).join(', ')}`,
    });
  }
}

/** Bytes of IP and TCP header of a large packet. */
function headersOf(bytes: Uint8Array, at: number): number {
  const ip = bytes[at]! >> 4 === 4 ? (bytes[at]! & 15) << 2 : 40;
  return ip + ((bytes[at + ip + 12]! >> 4) << 2);
}
