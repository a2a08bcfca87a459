/**
 * The pcapng format (draft-ietf-opsawg-pcapng): blocks, each with its length at both ends. A section header fixes the
 * byte order and forgets all interfaces; interface blocks describe them, packet blocks refer to them by number.
 *
 * Damage inside a block whose two lengths agree costs that block. Where they disagree, or a length cannot be true, the
 * decoder looks for the next section header, the one block that can be recognised by its bytes; what it passes over is
 * counted as unreadable.
 */
import { FRAME_OUTGOING, type FrameBatch } from '../core/frame-batch.ts';
import { instant, type Instant } from '../core/time.ts';
import { RECORD_MAX, type CaptureDecoder, type CaptureInfo, type CaptureInterface } from './capture-decoder.ts';
import type { CaptureProblems } from './capture-problems.ts';
import { PCAP_FILE_HEADER_LENGTH, pcapByteOrder, pcapFileBegins } from './pcap-decoder.ts';
import { BLOCK_SECTION, sectionByteOrder } from './pcapng-section.ts';
import { PcapngClock } from './pcapng-time.ts';
import type { SlidingBuffer } from './sliding-buffer.ts';

const BLOCK_INTERFACE = 1;
const BLOCK_OBSOLETE_PACKET = 2;
const BLOCK_SIMPLE_PACKET = 3;
const BLOCK_ENHANCED_PACKET = 6;

/** No magic of pcap is less, in any byte order; the types of blocks that are needed all are. */
const PCAP_MAGICS_FROM = 0x3000_0000;
/** Type and length in front, length behind. */
const BLOCK_LENGTH_MIN = 12;
const BLOCK_BODY = 8;
const SECTION_LENGTH_MIN = 28;
const INTERFACE_LENGTH_MIN = 20;
const SIMPLE_PACKET_LENGTH_MIN = 16;
/** Enhanced and obsolete packets alike: five words before the frame. */
const PACKET_LENGTH_MIN = 32;
const PACKET_FRAME = 28;

const OPTION_END = 0;
const OPTION_EPB_FLAGS = 2;
const OPTION_IF_TSRESOL = 9;
const OPTION_IF_TSOFFSET = 14;
/** Bits of epb_flags. */
const DIRECTION_MASK = 3;
const DIRECTION_OUTBOUND = 2;

/** Of one section. A capture of every device of a large host has hundreds. */
const INTERFACES_MAX = 65_536;

const BAD_FRAMING = 'a block has lengths that disagree or cannot be true; skipped to the next section';
const BAD_PACKET = 'a packet block is malformed or refers to an unknown interface';
const BAD_INTERFACE = 'an interface block is malformed, or there are too many';
const CUT_BLOCK = 'the file ends in the middle of a block';

export class PcapngDecoder implements CaptureDecoder {
  /** Of the current section. */
  interfaces: CaptureInterface[] = [];
  /** By interface. */
  private clocks: PcapngClock[] = [];
  private littleEndian = true;
  private version = '';
  /** Framing is lost: looking for a section header. */
  private lost = false;
  isOver = false;
  /** Simple packets have no time: they get that of the packet before them. */
  private lastTime: Instant = instant(0);
  private readonly problems: CaptureProblems;

  constructor(problems: CaptureProblems) {
    this.problems = problems;
  }

  get info(): CaptureInfo {
    return { format: 'pcapng', littleEndian: this.littleEndian, version: this.version };
  }

  decode(buffer: SlidingBuffer, batch: FrameBatch): void {
    while (batch.count < batch.capacity && buffer.length >= BLOCK_LENGTH_MIN) {
      if (this.lost) this.findSection(buffer);
      else if (!this.decodeBlock(buffer, batch)) return;
    }
  }

  end(buffer: SlidingBuffer): void {
    if (buffer.length === 0 && !buffer.skipping) return;
    this.problems.add(buffer.length, this.lost ? BAD_FRAMING : CUT_BLOCK);
    buffer.skip(buffer.length);
  }

  /** False: the block is not all here yet. */
  private decodeBlock(buffer: SlidingBuffer, batch: FrameBatch): boolean {
    const { view, start } = buffer;
    if (view.getUint32(start) === BLOCK_SECTION) {
      const order = sectionByteOrder(view, start);
      if (order < 0) return this.loseFraming(buffer);
      this.littleEndian = order === 1;
    }
    const type = view.getUint32(start, this.littleEndian);
    if (type >= PCAP_MAGICS_FROM && pcapByteOrder(view, start) >= 0) {
      if (buffer.length < PCAP_FILE_HEADER_LENGTH) return false;
      this.isOver = pcapFileBegins(view, start);
      if (this.isOver) return false;
    }
    const length = view.getUint32(start + 4, this.littleEndian);
    if (length < BLOCK_LENGTH_MIN || (length & 3) !== 0) return this.loseFraming(buffer);
    if (length > RECORD_MAX) {
      if (isNeeded(type)) return this.loseFraming(buffer);
      buffer.skip(length);
      return true;
    }
    if (buffer.length < length) return false;
    if (view.getUint32(start + length - 4, this.littleEndian) !== length) return this.loseFraming(buffer);
    switch (type) {
      case BLOCK_SECTION:
        if (length < SECTION_LENGTH_MIN) return this.loseFraming(buffer);
        this.startSection(view, start);
        break;
      case BLOCK_INTERFACE:
        this.addInterface(view, start, length);
        break;
      case BLOCK_ENHANCED_PACKET:
      case BLOCK_OBSOLETE_PACKET:
        if (!this.addPacket(view, start, length, type, batch)) this.problems.add(length, BAD_PACKET);
        break;
      case BLOCK_SIMPLE_PACKET:
        if (!this.addSimplePacket(view, start, length, batch)) this.problems.add(length, BAD_PACKET);
        break;
      default:
        break;
    }
    buffer.skip(length);
    return true;
  }

  /** Steps into the block, so that it is not found again. */
  private loseFraming(buffer: SlidingBuffer): true {
    this.lost = true;
    this.passOver(buffer, 1);
    return true;
  }

  /** Moves to the next section header, or to the last bytes, which may be the beginning of one. */
  private findSection(buffer: SlidingBuffer): void {
    const { view, start } = buffer;
    const last = buffer.end - BLOCK_LENGTH_MIN;
    let at = start;
    while (at <= last && sectionByteOrder(view, at) < 0) at++;
    this.passOver(buffer, at - start);
    this.lost = at > last;
  }

  private passOver(buffer: SlidingBuffer, length: number): void {
    this.problems.add(length, BAD_FRAMING);
    buffer.skip(length);
  }

  private startSection(view: DataView, start: number): void {
    const major = view.getUint16(start + 12, this.littleEndian);
    const minor = view.getUint16(start + 14, this.littleEndian);
    this.version = `${major}.${minor}`;
    this.interfaces = [];
    this.clocks = [];
  }

  private addInterface(view: DataView, start: number, length: number): void {
    if (length < INTERFACE_LENGTH_MIN || this.interfaces.length === INTERFACES_MAX) {
      this.problems.add(length, BAD_INTERFACE);
      return;
    }
    const little = this.littleEndian;
    const options = start + 16;
    const end = start + length - 4;
    const resolutionAt = this.findOption(view, options, end, OPTION_IF_TSRESOL, 1);
    const offsetAt = this.findOption(view, options, end, OPTION_IF_TSOFFSET, 8);
    const clock = new PcapngClock(
      resolutionAt < 0 ? undefined : view.getUint8(resolutionAt),
      offsetAt < 0 ? 0 : Number(view.getBigInt64(offsetAt, little)),
    );
    this.interfaces.push({
      linkType: view.getUint16(start + BLOCK_BODY, little),
      snapLength: view.getUint32(start + 12, little),
      resolution: clock.resolution,
    });
    this.clocks.push(clock);
  }

  /** An enhanced or an obsolete packet: they differ in the interface number alone. */
  private addPacket(view: DataView, start: number, length: number, type: number, batch: FrameBatch): boolean {
    if (length < PACKET_LENGTH_MIN) return false;
    const little = this.littleEndian;
    const number =
      type === BLOCK_ENHANCED_PACKET
        ? view.getUint32(start + BLOCK_BODY, little)
        : view.getUint16(start + BLOCK_BODY, little);
    const from = this.interfaces[number];
    const captured = view.getUint32(start + 20, little);
    if (from === undefined || captured > length - PACKET_LENGTH_MIN) return false;
    const sent = view.getUint32(start + 24, little);
    const time = this.clocks[number]!.toInstant(view.getUint32(start + 12, little), view.getUint32(start + 16, little));
    const options = start + PACKET_FRAME + ((captured + 3) & ~3);
    const flagsAt = this.findOption(view, options, start + length - 4, OPTION_EPB_FLAGS, 4);
    const outgoing = flagsAt >= 0 && (view.getUint32(flagsAt, little) & DIRECTION_MASK) === DIRECTION_OUTBOUND;
    const flags = outgoing ? FRAME_OUTGOING : 0;
    batch.add(start + PACKET_FRAME, captured, Math.max(captured, sent), time, from.linkType, flags);
    this.lastTime = time;
    return true;
  }

  /** Always of interface 0; how much was captured follows from the snap length and the room in the block. */
  private addSimplePacket(view: DataView, start: number, length: number, batch: FrameBatch): boolean {
    const from = this.interfaces[0];
    if (from === undefined || length < SIMPLE_PACKET_LENGTH_MIN) return false;
    const sent = view.getUint32(start + BLOCK_BODY, this.littleEndian);
    const snapped = from.snapLength === 0 ? sent : Math.min(sent, from.snapLength);
    const captured = Math.min(snapped, length - SIMPLE_PACKET_LENGTH_MIN);
    batch.add(start + 12, captured, sent, this.lastTime, from.linkType);
    return true;
  }

  /** Where the value of the first such option begins, or -1. A list that makes no sense ends where it stops to. */
  private findOption(view: DataView, start: number, end: number, code: number, valueLength: number): number {
    let at = start;
    while (at + 4 <= end) {
      const found = view.getUint16(at, this.littleEndian);
      const length = view.getUint16(at + 2, this.littleEndian);
      if (found === OPTION_END || at + 4 + length > end) return -1;
      if (found === code) return length === valueLength ? at + 4 : -1;
      at += 4 + ((length + 3) & ~3);
    }
    return -1;
  }
}

/** Blocks without which frames are lost; any other may be skipped unread, however long. */
function isNeeded(type: number): boolean {
  return type === BLOCK_SECTION || type === BLOCK_INTERFACE || isPacket(type);
}

function isPacket(type: number): boolean {
  return type === BLOCK_ENHANCED_PACKET || type === BLOCK_SIMPLE_PACKET || type === BLOCK_OBSOLETE_PACKET;
}
