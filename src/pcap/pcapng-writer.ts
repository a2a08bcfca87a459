/**
 * Writes pcapng (draft-ietf-opsawg-pcapng) with nanosecond timestamps, big-endian, into memory: describe interfaces, `add`
 * frames, `take` what has gathered and put it into a file. The first bytes taken begin with the section header.
 */
import { FRAME_OUTGOING } from '../core/frame-batch.ts';
import type { Instant } from '../core/time.ts';

const BLOCK_SECTION = 0x0a0d_0d0a;
const BLOCK_INTERFACE = 1;
const BLOCK_PACKET = 6;
const BYTE_ORDER_MAGIC = 0x1a2b_3c4d;
const OPTION_COMMENT = 1;
const OPTION_USER_APPLICATION = 4;
const OPTION_INTERFACE_NAME = 2;
const OPTION_TIME_RESOLUTION = 9;
const OPTION_PACKET_FLAGS = 2;
const NANOSECONDS = Uint8Array.of(9);
const DIRECTION_INBOUND = 1;
const DIRECTION_OUTBOUND = 2;
/** Block type, length, interface, time, two lengths; and behind the frame the flags, the end of options, the length. */
const PACKET_HEAD = 28;
const PACKET_TAIL = 16;
const WORD = 2 ** 32;
const CAPACITY = 256 << 10;
const LONGEST_TEXT = 0xffff;

export class PcapngWriter {
  /** Bytes that wait to be taken. The caller takes them when they are enough, or the memory grows. */
  size = 0;
  #bytes = new Uint8Array(CAPACITY);
  #view = new DataView(this.#bytes.buffer);
  #interfaces = 0;

  /** `application` wrote it; `comment`: what a reader should know of the whole. */
  constructor(application: string, comment: string) {
    const options = [option(OPTION_COMMENT, text(comment)), option(OPTION_USER_APPLICATION, text(application))];
    const body = new Uint8Array(16);
    const view = new DataView(body.buffer);
    view.setUint32(0, BYTE_ORDER_MAGIC);
    view.setUint16(4, 1);
    view.setBigInt64(8, -1n);
    this.#block(BLOCK_SECTION, [body, ...options]);
  }

  /** Describes where frames come from; returns the number to `add` them with. `linkType`: LINKTYPE_ value. */
  addInterface(linkType: number, name: string): number {
    const body = new Uint8Array(8);
    new DataView(body.buffer).setUint16(0, linkType);
    const options = [option(OPTION_INTERFACE_NAME, text(name)), option(OPTION_TIME_RESOLUTION, NANOSECONDS)];
    this.#block(BLOCK_INTERFACE, [body, ...options]);
    return this.#interfaces++;
  }

  /** Copies the `captured` bytes at `offset`; the frame had `length` on the wire. `flags`: FRAME_ bits. */
  add(
    from: number,
    frame: Uint8Array,
    offset: number,
    captured: number,
    time: Instant,
    length = captured,
    flags = 0,
  ): void {
    const padded = (captured + 3) & ~3;
    const total = PACKET_HEAD + padded + PACKET_TAIL;
    const at = this.#reserve(total);
    const view = this.#view;
    // 64 bits in two halves, without a BigInt per packet.
    const whole = Math.floor(time);
    const low = (whole % WORD) * 1000 + Math.round((time - whole) * 1000);
    const high = Math.floor(whole / WORD) * 1000 + Math.floor(low / WORD);
    view.setUint32(at, BLOCK_PACKET);
    view.setUint32(at + 4, total);
    view.setUint32(at + 8, from);
    view.setUint32(at + 12, high);
    view.setUint32(at + 16, low % WORD);
    view.setUint32(at + 20, captured);
    view.setUint32(at + 24, length);
    this.#bytes.set(frame.subarray(offset, offset + captured), at + PACKET_HEAD);
    this.#bytes.fill(0, at + PACKET_HEAD + captured, at + PACKET_HEAD + padded);
    const end = at + PACKET_HEAD + padded;
    view.setUint16(end, OPTION_PACKET_FLAGS);
    view.setUint16(end + 2, 4);
    view.setUint32(end + 4, flags & FRAME_OUTGOING ? DIRECTION_OUTBOUND : DIRECTION_INBOUND);
    view.setUint32(end + 8, 0);
    view.setUint32(end + 12, total);
  }

  /** Hands over what has gathered, for the caller to keep. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.size);
    this.size = 0;
    return taken;
  }

  #block(type: number, parts: readonly Uint8Array[]): void {
    const total = 12 + parts.reduce((sum, part) => sum + part.length, 0) + 4;
    const at = this.#reserve(total);
    this.#view.setUint32(at, type);
    this.#view.setUint32(at + 4, total);
    let end = at + 8;
    for (const part of parts) {
      this.#bytes.set(part, end);
      end += part.length;
    }
    this.#view.setUint32(end, 0);
    this.#view.setUint32(end + 4, total);
  }

  #reserve(length: number): number {
    const at = this.size;
    this.size += length;
    if (this.size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.size, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }
}

function option(code: number, value: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + ((value.length + 3) & ~3));
  const view = new DataView(bytes.buffer);
  view.setUint16(0, code);
  view.setUint16(2, value.length);
  bytes.set(value, 4);
  return bytes;
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value).subarray(0, LONGEST_TEXT);
}
