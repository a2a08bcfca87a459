/**
 * Writes one RESPONSES message into a buffer that is reused: segments of the target, one record each, nothing allocated
 * per record. The record layout is named here once; `ResponseReader` reads the same offsets.
 *
 *      0  u8   TCP flags                      16  u16  window
 *      1  u8   address length: 4 or 16        18  u16  urgent pointer
 *      2  u8   length of the TCP options      20  u32  payload length as sent
 *      3  u8   0                              24  u32  payload bytes that follow here
 *      4  u16  server (target) port           28  server address, client address, options, payload
 *      6  u16  client (leased) port
 *      8  u32  seq
 *     12  u32  ack
 */
import type { Segment } from '../wire/segment.ts';
import { HEADER_BYTES, LENGTH_BYTES, MAX_MESSAGE, RESPONSES } from './protocol.ts';

export const RECORD_FLAGS = 0;
export const RECORD_ADDRESS_LENGTH = 1;
export const RECORD_OPTIONS_LENGTH = 2;
export const RECORD_RESERVED = 3;
export const RECORD_SERVER_PORT = 4;
export const RECORD_CLIENT_PORT = 6;
export const RECORD_SEQ = 8;
export const RECORD_ACK = 12;
export const RECORD_WINDOW = 16;
export const RECORD_URGENT = 18;
export const RECORD_SENT_LENGTH = 20;
export const RECORD_PAYLOAD_LENGTH = 24;
export const RECORD_ADDRESSES = 28;

/** The TCP data offset allows no more (RFC 9293 §3.1). */
export const MAX_OPTIONS = 40;
const LARGEST_BARE_RECORD = RECORD_ADDRESSES + 32 + MAX_OPTIONS;
/** Below this, copying words beats `TypedArray.set`, which needs a view of the source. */
const VIEW_PAYS = 48;

export class ResponseWriter {
  readonly capacity: number;
  bytes: Uint8Array;
  view: DataView;
  /** Bytes written, header included. */
  length = HEADER_BYTES;
  records = 0;

  /** A record whose payload could never fit is cut; the default is above the largest snap length, 256 KiB. */
  constructor(capacity = 320 << 10) {
    if (capacity < HEADER_BYTES + LARGEST_BARE_RECORD || capacity > MAX_MESSAGE) {
      throw new RangeError(`a response batch of ${capacity} bytes`);
    }
    this.capacity = capacity;
    this.bytes = new Uint8Array(capacity);
    this.view = new DataView(this.bytes.buffer);
  }

  /**
   * Appends a segment with at most `maxPayload` bytes of its payload. False, and nothing written, when it does not fit:
   * send what is there first. The first record of a batch always fits.
   */
  add(segment: Segment, maxPayload: number): boolean {
    const addressLength = segment.ipVersion === 4 ? 4 : 16;
    const optionsLength = segment.optionsLength;
    const bare = RECORD_ADDRESSES + 2 * addressLength + optionsLength;
    const at = this.length;
    let payload = segment.payloadLength < maxPayload ? segment.payloadLength : maxPayload;
    if (at + bare + payload > this.capacity) {
      if (this.records !== 0) return false;
      payload = this.capacity - at - bare;
    }
    const view = this.view;
    view.setUint8(at + RECORD_FLAGS, segment.flags);
    view.setUint8(at + RECORD_ADDRESS_LENGTH, addressLength);
    view.setUint8(at + RECORD_OPTIONS_LENGTH, optionsLength);
    view.setUint8(at + RECORD_RESERVED, 0);
    view.setUint16(at + RECORD_SERVER_PORT, segment.srcPort);
    view.setUint16(at + RECORD_CLIENT_PORT, segment.dstPort);
    view.setInt32(at + RECORD_SEQ, segment.seq);
    view.setInt32(at + RECORD_ACK, segment.ack);
    view.setUint16(at + RECORD_WINDOW, segment.window);
    view.setUint16(at + RECORD_URGENT, segment.urgentPointer);
    view.setUint32(at + RECORD_SENT_LENGTH, segment.payloadLength + segment.payloadMissing);
    view.setUint32(at + RECORD_PAYLOAD_LENGTH, payload);
    let to = at + RECORD_ADDRESSES;
    if (addressLength === 4) {
      view.setInt32(to, segment.src3);
      view.setInt32(to + 4, segment.dst3);
      to += 8;
    } else {
      view.setInt32(to, segment.src0);
      view.setInt32(to + 4, segment.src1);
      view.setInt32(to + 8, segment.src2);
      view.setInt32(to + 12, segment.src3);
      view.setInt32(to + 16, segment.dst0);
      view.setInt32(to + 20, segment.dst1);
      view.setInt32(to + 24, segment.dst2);
      view.setInt32(to + 28, segment.dst3);
      to += 32;
    }
    if (optionsLength !== 0) this.#copy(segment, segment.optionsOffset, to, optionsLength);
    if (payload !== 0) this.#copy(segment, segment.payloadOffset, to + optionsLength, payload);
    this.length = to + optionsLength + payload;
    this.records++;
    return true;
  }

  /** Completes the message: its bytes are `bytes[0, length)`. */
  finish(): void {
    this.view.setUint32(0, this.length - LENGTH_BYTES);
    this.view.setUint8(LENGTH_BYTES, RESPONSES);
  }

  /** Begins the next message in the same memory. */
  clear(): void {
    this.length = HEADER_BYTES;
    this.records = 0;
  }

  /** Begins the next message in new memory, because a socket still holds the old. */
  renew(): void {
    this.bytes = new Uint8Array(this.capacity);
    this.view = new DataView(this.bytes.buffer);
    this.clear();
  }

  #copy(segment: Segment, from: number, to: number, size: number): void {
    if (size >= VIEW_PAYS) {
      this.bytes.set(segment.bytes.subarray(from, from + size), to);
      return;
    }
    const words = size & ~3;
    let i = 0;
    for (; i < words; i += 4) this.view.setInt32(to + i, segment.view.getInt32(from + i));
    for (; i < size; i++) this.bytes[to + i] = segment.bytes[from + i]!;
  }
}
