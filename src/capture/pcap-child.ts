/**
 * The process in which the npm package `cap` (libpcap) captures for a PcapSource.
 *
 * A process of its own, because `cap` aborts the one it runs in when the device goes down, and does not return to the
 * event loop while packets keep coming. Here an abort ends only the capture, which the source reports.
 *
 * Frames are copied into a chunk; a chunk leaves when it is full or at the end of the turn. When the source does not
 * keep up, the pipe's queue is capped and frames are dropped and counted. `cap` has no timestamps: a frame's time is when
 * it arrived here.
 */
import { Socket } from 'node:net';
import { FRAME_OUTGOING } from '../core/frame-batch.ts';
import { loadCap, type CapInstance, type CapModule } from './cap-module.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_NULL, LINKTYPE_RAW, linkTypeOf } from './link-type.ts';
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
} from './pcap-record.ts';

const CHUNK = 256 * 1024;
const QUEUE_MAX = 16 << 20;
/** How long frames that are captured already may take to reach us: elsewhere than on Linux, libpcap's read timeout. */
const SETTLE_MS = process.platform === 'linux' ? 20 : 1_100;
const ARPHRD_LOOPBACK = 772;
const PACKET_OUTGOING = 4;

const options = JSON.parse(process.argv[2] ?? '{}') as PcapChildOptions;
const pipe = new Socket({ fd: 3 });
/** `cap` writes here without holding a reference: ours keeps it alive. */
const frame = Buffer.alloc(PCAP_MAX_FRAME);
let linkType = LINKTYPE_ETHERNET;
let chunk = Buffer.allocUnsafe(CHUNK);
let used = 0;
let dropped = 0;
let flushScheduled = false;
/** Kept for the life of the process: a closed Cap must not be collected while the event loop still lists it. */
const caps: CapInstance[] = [];

function tell(message: PcapChildMessage): void {
  process.send?.(message);
}

function flush(): void {
  flushScheduled = false;
  if (used === 0) return;
  pipe.write(chunk.subarray(0, used));
  chunk = Buffer.allocUnsafe(CHUNK);
  used = 0;
}

function append(captured: number, length: number, flags: number): number {
  const room = captured === RECORD_DROPS ? 0 : captured;
  if (used + RECORD_HEADER + room > CHUNK) flush();
  const at = used;
  chunk.writeUInt32LE(captured, at + RECORD_CAPTURED);
  chunk.writeUInt32LE(length, at + RECORD_LENGTH);
  chunk.writeUInt32LE(flags, at + RECORD_FLAGS);
  chunk.writeDoubleLE((performance.timeOrigin + performance.now()) * 1_000, at + RECORD_TIME);
  used += RECORD_HEADER + room;
  if (!flushScheduled) {
    flushScheduled = true;
    setImmediate(flush);
  }
  return at + RECORD_HEADER;
}

function onPacket(length: number): void {
  let flags = 0;
  if (linkType === LINKTYPE_LINUX_SLL && frame.readUInt16BE(0) === PACKET_OUTGOING) {
    // Loopback shows every frame leaving and arriving: once is enough.
    if (frame.readUInt16BE(2) === ARPHRD_LOOPBACK && options.direction === 'both') return;
    flags = FRAME_OUTGOING;
  }
  if (pipe.writableLength > QUEUE_MAX) {
    dropped++;
    return;
  }
  if (dropped > 0) {
    append(RECORD_DROPS, dropped, 0);
    dropped = 0;
  }
  const captured = Math.min(length, options.snapLength);
  frame.copy(chunk, append(captured, length, flags), 0, captured);
}

function open(module: CapModule, filter: string): string {
  const cap = new module.Cap();
  caps.push(cap);
  cap.on('packet', onPacket);
  return cap.open(options.device, filter, options.bufferBytes, frame);
}

/** libpcap's words for a direction, where it has them; on loopback it also keeps frames from being seen twice. */
function directionText(loopback: boolean): string {
  if (process.platform !== 'linux') return '';
  if (options.direction === 'out') return 'outbound';
  return options.direction === 'in' || loopback ? 'inbound' : '';
}

function linkTypeNamed(name: string): number {
  const known: Record<string, number> = {
    ETHERNET: LINKTYPE_ETHERNET,
    NULL: LINKTYPE_NULL,
    RAW: LINKTYPE_RAW,
    LINKTYPE_LINUX_SLL: LINKTYPE_LINUX_SLL,
  };
  return known[name] ?? linkTypeOf(Number(/\d+$/.exec(name)?.[0] ?? LINKTYPE_ETHERNET));
}

function start(): void {
  let what: (PcapChildMessage & { kind: 'failed' })['what'] = 'module';
  let devices: string[] = [];
  try {
    const module = loadCap();
    what = 'device';
    const list = module.Cap.deviceList();
    devices = list.map((d) => d.name);
    const device = list.find((d) => d.name === options.device);
    if (device === undefined && options.device !== 'any') throw new Error('no such network device');
    what = 'open';
    const parts = [directionText(device?.flags === 'PCAP_IF_LOOPBACK'), options.filter].filter((part) => part !== '');
    const filter = parts.map((part) => `(${part})`).join(' and ');
    try {
      linkType = linkTypeNamed(open(module, filter));
    } catch (error) {
      open(module, ''); // throws the same again, unless the filter was at fault
      what = 'filter';
      throw error;
    }
    tell({ kind: 'opened', linkType });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ kind: 'failed', what, message, devices } satisfies PcapChildMessage, () => process.exit(1));
  }
}

function stop(): void {
  setTimeout(() => {
    for (const cap of caps) cap.close();
    if (dropped > 0) append(RECORD_DROPS, dropped, 0);
    flush();
    pipe.end(() => process.exit(0));
  }, SETTLE_MS);
}

process.on('message', (message) => {
  if (message === PCAP_STOP) stop();
});
// The source's process is gone: nobody reads any more.
process.on('disconnect', () => process.exit(0));
pipe.on('error', () => process.exit(0));
// A terminal's ^C goes to the whole process group; the source decides when to stop.
process.on('SIGINT', () => undefined);
start();
