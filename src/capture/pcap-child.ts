/**
 * The process in which the npm package `cap` (libpcap) captures for a PcapSource.
 *
 * A process of its own, because `cap` aborts the one it runs in when the device goes down, and does not return to the
 * event loop while packets keep coming. Here an abort ends only the capture, which the source reports.
 *
 * `cap` has no timestamps: a frame's time is when it arrived here. Nor does it tell what the kernel dropped: that is
 * asked of its socket, where there is the addon. Once it captures, a process of root's goes on as nobody.
 */
import { readFileSync } from 'node:fs';
import { Socket } from 'node:net';
import { networkInterfaces } from 'node:os';
import { FRAME_OUTGOING } from '../core/frame-batch.ts';
import { becomeNobody } from '../native/privileges.ts';
import { clockOf } from '../clock/clock.ts';
import { loadCap, type CapInstance, type CapModule } from './cap-module.ts';
import { EarlyFrames } from './early-frames.ts';
import { FrameChunks } from './frame-chunks.ts';
import { LINKTYPE_ETHERNET, LINKTYPE_LINUX_SLL, LINKTYPE_NULL, LINKTYPE_RAW, linkTypeOf } from './link-type.ts';
import { wantedLength } from './payload-limit.ts';
import { countLosses } from './socket-losses.ts';
import { TaggedFrames } from './tagged-frames.ts';
import {
  PCAP_MAX_FRAME,
  PCAP_STOP,
  type PcapChildMessage,
  type PcapChildOptions,
  type PcapPayloadLimit,
} from './pcap-record.ts';

/** How long frames that are captured already may take to reach us: elsewhere than on Linux, libpcap's read timeout. */
const SETTLE_MS = process.platform === 'linux' ? 20 : 1_100;
const ARPHRD_LOOPBACK = 772;
const PACKET_OUTGOING = 4;

const options = JSON.parse(process.argv[2] ?? '{}') as PcapChildOptions;
const pipe = new Socket({ fd: 3 });
/** `cap` writes here without holding a reference: ours keeps it alive. */
const frame = Buffer.alloc(PCAP_MAX_FRAME);
let linkType = LINKTYPE_ETHERNET;
let tagged = new TaggedFrames(linkType, options.selection);
let mac: Buffer | undefined;
let onlyLoopback = false;
let payloadLimit = PCAP_MAX_FRAME;
let early: EarlyFrames | undefined;
let losses: (() => number) | undefined;
const chunks = new FrameChunks(pipe, () => losses?.() ?? 0, clockOf(options.epoch));
/** Kept for the life of the process: a closed Cap must not be collected while the event loop still lists it. */
const caps: CapInstance[] = [];

function tell(message: PcapChildMessage): void {
  process.send?.(message);
}

function onPacket(length: number): void {
  if (early === undefined || early.takes()) return;
  const outgoing = isOutgoing();
  if (!wanted(outgoing) || !tagged.wanted(frame, length)) return;
  const captured = Math.min(wantedLength(frame, length, linkType, payloadLimit), options.snapLength);
  chunks.add(frame, captured, length, outgoing ? FRAME_OUTGOING : 0);
}

/** A cooked frame says it; an Ethernet frame came from this host when its source is the device's address. */
function isOutgoing(): boolean {
  if (linkType === LINKTYPE_LINUX_SLL) return frame.readUInt16BE(0) === PACKET_OUTGOING;
  return linkType === LINKTYPE_ETHERNET && mac !== undefined && frame.compare(mac, 0, 6, 6, 12) === 0;
}

/**
 * What the filter could not express. Loopback frames are seen leaving and arriving; that only a cooked capture tells
 * apart, so `lo` is captured through `any`.
 */
function wanted(outgoing: boolean): boolean {
  if (linkType !== LINKTYPE_LINUX_SLL) return true;
  const loopback = frame.readUInt16BE(2) === ARPHRD_LOOPBACK;
  if (onlyLoopback && !loopback) return false;
  if (options.direction === 'both') return !(loopback && outgoing);
  return outgoing === (options.direction === 'out');
}

function open(module: CapModule, filter: string): string {
  const cap = new module.Cap();
  caps.push(cap);
  cap.on('packet', onPacket);
  return cap.open(onlyLoopback ? 'any' : options.device, filter, options.bufferBytes, frame);
}

/** The device's Ethernet address; `undefined` when it has none. */
function macOf(device: string): Buffer | undefined {
  let text = networkInterfaces()[device]?.[0]?.mac;
  if (text === undefined) {
    try {
      text = readFileSync(`/sys/class/net/${device}/address`, 'latin1').trim(); // it has no IP address: Linux knows
    } catch {
      return undefined;
    }
  }
  const bytes = Buffer.from(text.replaceAll(':', ''), 'hex');
  return bytes.length === 6 && bytes.some((byte) => byte !== 0) ? bytes : undefined;
}

/**
 * The direction as a filter, by the device's own address. Not libpcap's `inbound`: it runs the filter itself over the
 * first frame, where that cannot be told, and the frame is lost.
 */
function directionText(): string {
  if (mac === undefined || options.direction === 'both') return '';
  const source = `ether src ${[...mac].map((byte) => byte.toString(16).padStart(2, '0')).join(':')}`;
  return options.direction === 'out' ? source : `not ${source}`;
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
    onlyLoopback = device?.flags === 'PCAP_IF_LOOPBACK' && process.platform === 'linux';
    mac = macOf(options.device);
    const parts = [directionText(), options.filter].filter((part) => part !== '');
    const filter = parts.map((part) => `(${part})`).join(' and ');
    try {
      linkType = linkTypeNamed(open(module, filter));
    } catch (error) {
      open(module, ''); // throws the same again, unless the filter was at fault
      what = 'filter';
      throw error;
    }
    tagged = new TaggedFrames(linkType, options.selection);
    losses = countLosses();
    becomeNobody();
    early = new EarlyFrames(options.bufferBytes, () => {
      losses?.(); // of frames that do not count
      tell({ kind: 'opened', linkType, countsLosses: losses !== undefined });
    });
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    process.send?.({ kind: 'failed', what, message, devices } satisfies PcapChildMessage, () => process.exit(1));
  }
}

function stop(): void {
  setTimeout(() => {
    chunks.flush();
    for (const cap of caps) cap.close();
    pipe.end(() => process.exit(0));
  }, SETTLE_MS);
}

process.on('message', (message) => {
  if (message === PCAP_STOP) stop();
  else payloadLimit = (message as PcapPayloadLimit).payload;
});
// The source's process is gone: nobody reads any more.
process.on('disconnect', () => process.exit(0));
pipe.on('error', () => process.exit(0));
// A terminal's ^C goes to the whole process group; the source decides when to stop.
process.on('SIGINT', () => undefined);
start();
