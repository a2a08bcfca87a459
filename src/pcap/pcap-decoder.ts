/**
 * The pcap format (draft-ietf-opsawg-pcap): a file header, then records of a header and a frame each. Nothing marks
 * where a record begins, so after a length that cannot be true there is no sound way on: the rest is unreadable. Where a record
 * should begin another file may: of files put one behind the other all are read.
 */
import { FRAME_OUTGOING, type FrameBatch } from '../core/frame-batch.ts';
import { instant } from '../core/time.ts';
import { RECORD_MAX, type CaptureDecoder, type CaptureInfo, type CaptureInterface } from './capture-decoder.ts';
import type { CaptureProblems } from './capture-problems.ts';
import { sectionByteOrder } from './pcapng-section.ts';
import type { SlidingBuffer } from './sliding-buffer.ts';

const PCAP_MAGIC_MICROSECONDS = 0xa1b2c3d4;
export const PCAP_MAGIC_NANOSECONDS = 0xa1b23c4d;
/** Kuznetzov's patch to libpcap: records carry the interface, the protocol and the packet type too. */
const PCAP_MAGIC_MODIFIED = 0xa1b2cd34;
export const PCAP_FILE_HEADER_LENGTH = 24;
export const PCAP_RECORD_HEADER_LENGTH = 16;

const MODIFIED_RECORD_HEADER_LENGTH = 24;
/** In the modified header: the value of PACKET_OUTGOING, at this offset. */
const MODIFIED_PACKET_TYPE = 22;
const PACKET_OUTGOING = 4;

/** Snap lengths below this are not held against a record: many writers put nonsense there. */
const FRAME_MAX_TRUSTED = 1 << 20;

/** The upper half says how many FCS bytes frames end in; IP's length leaves those out. */
const LINK_TYPE_MASK = 0xffff;

const IMPOSSIBLE_LENGTH = 'a record has an impossible length, and nothing marks where the next one begins';
const CUT_RECORD = 'the file ends in the middle of a record';

/** Whether these are the magic's bytes, and in which order: 1 little-endian, 0 big-endian, -1 neither. */
export function pcapByteOrder(view: DataView, at: number): number {
  for (const littleEndian of [true, false]) {
    const magic = view.getUint32(at, littleEndian);
    if (magic === PCAP_MAGIC_MICROSECONDS || magic === PCAP_MAGIC_NANOSECONDS || magic === PCAP_MAGIC_MODIFIED) {
      return littleEndian ? 1 : 0;
    }
  }
  return -1;
}

/**
 * Whether a file header stands at `at` (PCAP_FILE_HEADER_LENGTH bytes are there) in the middle of other data, where the magic
 * alone may be something else: a version that ever was, and of the two words behind it, which nobody uses, the second is 0.
 */
export function pcapFileBegins(view: DataView, at: number): boolean {
  const order = pcapByteOrder(view, at);
  if (order < 0) return false;
  const little = order === 1;
  return view.getUint16(at + 4, little) === 2 && view.getUint16(at + 6, little) <= 4 && view.getUint32(at + 12) === 0;
}

export class PcapDecoder implements CaptureDecoder {
  readonly info: CaptureInfo;
  readonly interfaces: readonly CaptureInterface[];
  private readonly littleEndian: boolean;
  private readonly modified: boolean;
  private readonly headerLength: number;
  private readonly fractionsPerMicrosecond: number;
  private readonly linkType: number;
  private readonly frameMax: number;
  /** Before version 2.3 the two lengths were in the other order, in 2.3 sometimes. */
  private readonly lengthsSwapped: 'always' | 'sometimes' | 'never';
  private readonly problems: CaptureProblems;
  private damaged = false;
  /** Of the last record: looks are taken for another file's header only where it changes. */
  private second = -1;
  isOver = false;

  /** Takes the file header off the buffer, which holds it whole. */
  constructor(buffer: SlidingBuffer, problems: CaptureProblems) {
    const { view, start } = buffer;
    const littleEndian = pcapByteOrder(view, start) === 1;
    const magic = view.getUint32(start, littleEndian);
    const major = view.getUint16(start + 4, littleEndian);
    const minor = view.getUint16(start + 6, littleEndian);
    const snapLength = view.getUint32(start + 16, littleEndian);
    this.problems = problems;
    this.littleEndian = littleEndian;
    this.modified = magic === PCAP_MAGIC_MODIFIED;
    this.headerLength = this.modified ? MODIFIED_RECORD_HEADER_LENGTH : PCAP_RECORD_HEADER_LENGTH;
    this.fractionsPerMicrosecond = magic === PCAP_MAGIC_NANOSECONDS ? 1000 : 1;
    this.linkType = view.getUint32(start + 20, littleEndian) & LINK_TYPE_MASK;
    this.frameMax = Math.min(Math.max(snapLength, FRAME_MAX_TRUSTED), RECORD_MAX);
    this.lengthsSwapped = major !== 2 || minor > 3 ? 'never' : minor === 3 ? 'sometimes' : 'always';
    this.info = { format: 'pcap', littleEndian, version: `${major}.${minor}` };
    this.interfaces = [
      { linkType: this.linkType, snapLength, resolution: magic === PCAP_MAGIC_NANOSECONDS ? 1e-9 : 1e-6 },
    ];
    buffer.skip(PCAP_FILE_HEADER_LENGTH);
  }

  decode(buffer: SlidingBuffer, batch: FrameBatch): void {
    const view = buffer.view;
    const little = this.littleEndian;
    const headerLength = this.headerLength;
    while (!this.damaged && batch.count < batch.capacity && buffer.length >= headerLength) {
      const at = buffer.start;
      const second = view.getUint32(at, little);
      if (second !== this.second) {
        if (pcapByteOrder(view, at) >= 0 && buffer.length < PCAP_FILE_HEADER_LENGTH) return;
        this.isOver = sectionByteOrder(view, at) >= 0 || pcapFileBegins(view, at);
        if (this.isOver) return;
        this.second = second;
      }
      let captured = view.getUint32(at + 8, little);
      let length = view.getUint32(at + 12, little);
      if (this.lengthsSwapped !== 'never' && (this.lengthsSwapped === 'always' || captured > length)) {
        const swapped = captured;
        captured = length;
        length = swapped;
      }
      if (captured > this.frameMax) {
        this.damaged = true;
        break;
      }
      if (buffer.length < headerLength + captured) return;
      const time = second * 1e6 + view.getUint32(at + 4, little) / this.fractionsPerMicrosecond;
      const outgoing = this.modified && view.getUint8(at + MODIFIED_PACKET_TYPE) === PACKET_OUTGOING;
      const flags = outgoing ? FRAME_OUTGOING : 0;
      batch.add(at + headerLength, captured, Math.max(captured, length), instant(time), this.linkType, flags);
      buffer.skip(headerLength + captured);
    }
    if (this.damaged) this.passOver(buffer, IMPOSSIBLE_LENGTH);
  }

  end(buffer: SlidingBuffer): void {
    this.passOver(buffer, this.damaged ? IMPOSSIBLE_LENGTH : CUT_RECORD);
  }

  private passOver(buffer: SlidingBuffer, reason: string): void {
    if (buffer.length === 0) return;
    this.problems.add(buffer.length, reason);
    buffer.skip(buffer.length);
  }
}
