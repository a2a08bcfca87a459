/**
 * Live capture on Linux: a ring shared with the kernel (native/ring.c), of blocks (ring-blocks.ts), or for frames that are cut
 * to their headers of slots (ring-slots.ts).
 *
 * Waking up: the native side calls `wake` once per `arm`, when a block is ready; we arm when a poll finds nothing. So a
 * caller that does not poll is not called again, and the ring fills (and counts drops) meanwhile.
 *
 * A caller that polls too slowly finds the ring half full at some time. Then everything in it is put aside in memory of
 * ours (frame-backlog.ts), which holds many times more of such frames, and the kernel has the whole ring again.
 *
 * Stopping: a filter that rejects everything keeps new frames out. What the kernel holds sits in finished blocks, and in
 * the open block, which its retire timer finishes within `retireMs`. The ring is done when the block it would fill next
 * is empty, looked at only after a few retire periods, so that a frame that passed the old filter on another CPU has
 * been written by then. Nothing that was captured is lost.
 *
 * Devices other than Ethernet and loopback, and `any`, are captured without link headers (`cooked`): they then begin
 * with the IP header whatever the device is.
 */
import { TcpcopyError } from '../core/errors.ts';
import { FrameBatch } from '../core/frame-batch.ts';
import { FANOUT_NEW, FANOUT_NONE, type NativeAddon, type NativeRing, type NetworkDevice } from '../native/addon.ts';
import type { BpfProgram } from './bpf.ts';
import { deviceLost, openError, unknownDevice } from './capture-error.ts';
import { compileKernelFilter, cutsSegments, REJECT_ALL, type CaptureFilter } from './capture-filter.ts';
import { FrameBacklog } from './frame-backlog.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_RAW } from './link-type.ts';
import { pageSize } from './page-size.ts';
import { lengthFor } from './payload-limit.ts';
import type { PacketSource, SourceListener, SourceStats } from './packet-source.ts';
import { RingBlocks } from './ring-blocks.ts';
import type { Direction } from './ring-frames.ts';
import { RingSlots } from './ring-slots.ts';

export interface RingSourceOptions {
  readonly filter?: CaptureFilter;
  /** Which frames: `in` is those that arrive, the default. */
  readonly direction?: Direction;
  /**
   * Ring, bytes: what is mapped of it, since the kernel takes blocks of 68 KB from pieces of 128 KB. 16 MiB hold about
   * 100 ms at 300,000 packets a second. Twice as much may be put aside where it fills up all the same.
   */
  readonly captureBuffer?: number;
  /** Bytes of a frame that are wanted; more make larger blocks. */
  readonly snapLength?: number;
  readonly promiscuous?: boolean;
  /** How long a block that is not full may wait, in milliseconds: latency against wake-ups. */
  readonly retireMs?: number;
  /** Share the frames with the rings of other processes on this device: the group's id, or begin one. */
  readonly fanout?: number | 'new' | undefined;
  /**
   * Which of the selected frames: `heads`, each seen the moment it comes, are those of which no more than headers is wanted,
   * and `rest` are all others. With an expression, or where payload is wanted, that is all.
   */
  readonly part?: 'all' | 'heads' | 'rest';
}

/** Outlasts a pause of 0.6 s, see `blockSizeFor`. */
const DEFAULT_BUFFER = 20 << 20;
/** A 64 KiB GRO frame behind any link header. */
const FRAME_SIZE = 65_600;
/** What the kernel puts before a frame, and before the first of a block, at most. */
const HEADERS = 256;
const RETIRE_MS = 2;
/** Headers without payload, behind what the kernel puts before them. */
const SLOT_SIZE = 256;
const SLOT_ROOM = SLOT_SIZE - 96;
/** How many slots' memory the kernel takes at once. */
const SLOTS_PER_BLOCK = 256;
/** What slots take of the memory that blocks would. */
const SLOTS_SHARE = 1 / 4;
/** How much may be put aside, times the ring. */
const ASIDE = 2;
const MIN_BLOCKS = 2;
/** The kernel's memory, which cannot be swapped out. */
const MAX_BUFFER = 1 << 30;
const BATCH_FRAMES = 1024;
/** Retire periods to wait on stop before an empty block is believed. */
const STOP_PERIODS = 5;

const ARPHRD_ETHER = 1;
const ARPHRD_LOOPBACK = 772;
const ANY: NetworkDevice = { name: 'any', index: 0, type: 0, up: true, loopback: false };

/** The most memory that a ring takes, with what is put aside, bytes. */
export function ringMemory(captureBuffer = DEFAULT_BUFFER): number {
  return captureBuffer * (1 + ASIDE);
}

export class RingSource implements PacketSource {
  readonly name: string;
  readonly live = true;
  readonly polled = true;
  readonly #addon: NativeAddon;
  readonly #options: Required<RingSourceOptions>;
  readonly #batch = new FrameBatch(BATCH_FRAMES);
  readonly #backlog: FrameBacklog;
  readonly #statistics = new Float64Array(3);
  #filter: CaptureFilter;
  #payload = Infinity;
  #ring: NativeRing | undefined;
  #blocks: RingBlocks | RingSlots | undefined;
  #cooked = false;
  #listener: SourceListener | undefined;
  #armed = false;
  #frames = 0;
  #stopTimer: NodeJS.Timeout | undefined;
  #failure: Error | undefined;

  constructor(addon: NativeAddon, device: string, options: RingSourceOptions = {}) {
    this.name = device;
    this.#addon = addon;
    this.#options = {
      filter: {},
      direction: 'in',
      captureBuffer: DEFAULT_BUFFER,
      snapLength: FRAME_SIZE,
      promiscuous: false,
      retireMs: RETIRE_MS,
      fanout: undefined,
      part: 'all',
      ...options,
    };
    this.#filter = this.#options.filter;
    this.#backlog = new FrameBacklog(this.#options.captureBuffer * ASIDE);
  }

  async open(listener: SourceListener): Promise<void> {
    const { direction, captureBuffer, snapLength, promiscuous, retireMs, fanout, part } = this.#options;
    if (captureBuffer > MAX_BUFFER) {
      throw new TcpcopyError('E_OPTION', 'a capture buffer has at most 1024 MB', { where: '-B', hint: 'ask for less' });
    }
    try {
      const device = this.#findDevice();
      const slotSize = part === 'heads' ? SLOT_SIZE : 0;
      const blockSize = slotSize > 0 ? slotSize * SLOTS_PER_BLOCK : blockSizeFor(snapLength, pageSize());
      const wanted = slotSize > 0 ? captureBuffer * SLOTS_SHARE : captureBuffer;
      const blockCount = Math.max(MIN_BLOCKS, Math.floor(wanted / blockSize));
      this.#cooked = device.type !== ARPHRD_ETHER && device.type !== ARPHRD_LOOPBACK;
      this.#listener = listener;
      this.#ring = new this.#addon.Ring(
        {
          device: device.index,
          cooked: this.#cooked,
          blockSize,
          blockCount,
          slotSize,
          retireMs,
          fanoutGroup: fanout === undefined ? FANOUT_NONE : fanout === 'new' ? FANOUT_NEW : fanout,
          promiscuous,
          ignoreOutgoing: direction === 'in' || (direction === 'both' && device.loopback),
          filter: this.#compile(this.#filter).toBytes(),
        },
        (error) => this.#wake(error),
      );
      this.#blocks =
        slotSize > 0
          ? new RingSlots(this.#ring.buffer, slotSize, this.#cooked, direction)
          : new RingBlocks(this.#ring.buffer, blockSize, this.#cooked, direction);
    } catch (error) {
      throw openError(this.name, error);
    }
    this.#arm();
  }

  /** The group that it shares its frames in; of an open source that does. */
  get fanoutGroup(): number {
    return this.#ring!.fanoutGroup();
  }

  poll(): FrameBatch | undefined {
    const blocks = this.#blocks;
    if (blocks === undefined) return undefined;
    if (blocks.halfFull) this.#putAside(blocks);
    const batch = this.#backlog.next() ?? this.#walk(blocks);
    if (batch === undefined) this.#arm();
    else this.#frames += batch.count;
    return batch;
  }

  /** Captures something else from now on, without a gap in between. */
  refilter(filter: CaptureFilter): void {
    const program = this.#compile(filter);
    this.#filter = filter;
    if (this.#stopTimer === undefined) this.#ring?.setFilter(program.toBytes());
  }

  /**
   * Only so many bytes of payload are wanted of each TCP segment from now on; more may come. An expression's frames stay
   * whole.
   */
  limitPayload(bytes: number): void {
    if (bytes === this.#payload) return;
    this.#payload = bytes;
    this.refilter(this.#filter);
  }

  stop(): void {
    if (this.#ring === undefined || this.#stopTimer !== undefined) return;
    this.#ring.setFilter(REJECT_ALL.toBytes());
    let periods = 0;
    this.#stopTimer = setInterval(() => {
      periods++;
      if (periods < STOP_PERIODS) return;
      if (this.#backlog.isEmpty && this.#blocks?.drained() === true) this.#end();
      else this.#listener?.ready();
    }, this.#options.retireMs + 1);
  }

  stats(): SourceStats {
    this.#ring?.statistics(this.#statistics);
    return { frames: this.#frames, kernelDropped: this.#statistics[1]!, unreadable: [] };
  }

  close(): void {
    clearInterval(this.#stopTimer);
    if (this.#ring === undefined) return;
    this.#ring.statistics(this.#statistics);
    this.#batch.reset(new Uint8Array(0));
    this.#backlog.clear();
    this.#blocks = undefined;
    this.#ring.close();
    this.#ring = undefined;
  }

  /** The next frames of the ring itself. */
  #walk(blocks: RingBlocks | RingSlots): FrameBatch | undefined {
    const batch = this.#batch;
    while (blocks.walk(batch)) if (batch.count > 0) return batch;
    return undefined;
  }

  #putAside(blocks: RingBlocks | RingSlots): void {
    const backlog = this.#backlog;
    while (!backlog.isFull && blocks.walk(this.#batch)) backlog.add(this.#batch);
  }

  #findDevice(): NetworkDevice {
    if (this.name === ANY.name) return ANY;
    const devices = this.#addon.devices();
    const found = devices.find((d) => d.name === this.name);
    if (found === undefined) {
      throw unknownDevice(
        this.name,
        devices.map((d) => d.name),
      );
    }
    return found;
  }

  #compile(filter: CaptureFilter): BpfProgram {
    const shape = this.#cooked ? 'cooked' : 'ethernet';
    const linkType = this.#cooked ? LINKTYPE_RAW : LINKTYPE_ETHERNET;
    const { snapLength, part } = this.#options;
    const ofSegment = Math.min(snapLength, lengthFor(this.#payload));
    if (part === 'all') return compileKernelFilter(filter, shape, linkType, snapLength, ofSegment);
    if (!cutsSegments(filter) || ofSegment > SLOT_ROOM) {
      return part === 'rest' ? compileKernelFilter(filter, shape, linkType, snapLength, ofSegment) : REJECT_ALL;
    }
    // What is cut to no bytes is not let in.
    const [restLength, headLength] = part === 'heads' ? [0, ofSegment] : [snapLength, 0];
    return compileKernelFilter(filter, shape, linkType, restLength, headLength);
  }

  #arm(): void {
    if (this.#armed || this.#ring === undefined) return;
    this.#armed = true;
    this.#ring.arm();
  }

  #wake(error: string | undefined): void {
    this.#armed = false;
    if (error !== undefined) {
      this.#failure ??= deviceLost(this.name, error);
      this.stop();
    }
    this.#listener?.ready();
  }

  /** The source stays open, for its statistics, until `close`. */
  #end(): void {
    clearInterval(this.#stopTimer);
    this.#listener?.ended(this.#failure);
    this.#listener = undefined;
  }
}

/**
 * The smallest block that holds a frame of `snapLength` bytes. At modest rates a block goes over when its timer fires, nearly
 * empty, so what the ring then holds of a stalled process's time is the number of blocks times the retire time.
 */
export function blockSizeFor(snapLength: number, page: number): number {
  return Math.ceil((Math.max(snapLength, FRAME_SIZE) + HEADERS) / page) * page;
}
