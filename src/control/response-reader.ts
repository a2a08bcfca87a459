/** Reads the records of one RESPONSES message in place into a reused `Segment`; nothing is allocated per record. */
import type { Instant } from '../core/time.ts';
import { seqNum } from '../core/seq-num.ts';
import { V4_MAPPED_WORD } from '../core/ip-address.ts';
import { CHECKSUM_GOOD, type Segment } from '../wire/segment.ts';
import { protocolError } from './fields.ts';
import {
  MAX_OPTIONS,
  RECORD_ACK,
  RECORD_ADDRESSES,
  RECORD_ADDRESS_LENGTH,
  RECORD_CLIENT_PORT,
  RECORD_FLAGS,
  RECORD_OPTIONS_LENGTH,
  RECORD_PAYLOAD_LENGTH,
  RECORD_SENT_LENGTH,
  RECORD_SEQ,
  RECORD_SERVER_PORT,
  RECORD_URGENT,
  RECORD_WINDOW,
} from './response-writer.ts';

const NOWHERE = new Uint8Array(0);

export class ResponseReader {
  #bytes: Uint8Array = NOWHERE;
  #view: DataView = new DataView(NOWHERE.buffer);
  #at = 0;
  #end = 0;

  /** Points the reader at the body of a message. */
  reset(bytes: Uint8Array, view: DataView, start: number, end: number): void {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = start;
    this.#end = end;
  }

  /** The memory was exchanged or its bytes were moved by `delta` while records are unread. */
  moved(bytes: Uint8Array, view: DataView, delta: number): void {
    this.reset(bytes, view, this.#at + delta, this.#end + delta);
  }

  get exhausted(): boolean {
    return this.#at === this.#end;
  }

  /**
   * Fills `segment` with the next record, source being the target's server and destination the session's client; false
   * when there is none. `time` becomes the segment's. Throws E_CONTROL_PROTOCOL when the record is malformed.
   */
  next(segment: Segment, time: Instant): boolean {
    const at = this.#at;
    const end = this.#end;
    if (at === end) return false;
    if (end - at < RECORD_ADDRESSES) throw protocolError('RESPONSES ends inside a record');
    const view = this.#view;
    const addressLength = view.getUint8(at + RECORD_ADDRESS_LENGTH);
    const optionsLength = view.getUint8(at + RECORD_OPTIONS_LENGTH);
    const sentLength = view.getUint32(at + RECORD_SENT_LENGTH);
    const payloadLength = view.getUint32(at + RECORD_PAYLOAD_LENGTH);
    if (addressLength !== 4 && addressLength !== 16) throw protocolError('a record in RESPONSES has no known address');
    const options = at + RECORD_ADDRESSES + 2 * addressLength;
    const next = options + optionsLength + payloadLength;
    if (optionsLength > MAX_OPTIONS || payloadLength > sentLength || next > end) {
      throw protocolError('a record in RESPONSES has impossible lengths');
    }
    segment.bytes = this.#bytes;
    segment.view = view;
    segment.time = time;
    this.#addresses(segment, at + RECORD_ADDRESSES, addressLength);
    segment.srcPort = view.getUint16(at + RECORD_SERVER_PORT);
    segment.dstPort = view.getUint16(at + RECORD_CLIENT_PORT);
    segment.encapsulation = 0;
    segment.seq = seqNum(view.getInt32(at + RECORD_SEQ));
    segment.ack = seqNum(view.getInt32(at + RECORD_ACK));
    segment.flags = view.getUint8(at + RECORD_FLAGS);
    segment.window = view.getUint16(at + RECORD_WINDOW);
    segment.urgentPointer = view.getUint16(at + RECORD_URGENT);
    segment.optionsOffset = options;
    segment.optionsLength = optionsLength;
    segment.payloadOffset = options + optionsLength;
    segment.payloadLength = payloadLength;
    segment.payloadMissing = sentLength - payloadLength;
    segment.checksum = CHECKSUM_GOOD;
    segment.outgoing = false;
    this.#at = next;
    return true;
  }

  #addresses(segment: Segment, at: number, addressLength: number): void {
    const view = this.#view;
    if (addressLength === 4) {
      segment.ipVersion = 4;
      segment.src0 = segment.src1 = segment.dst0 = segment.dst1 = 0;
      segment.src2 = segment.dst2 = V4_MAPPED_WORD;
      segment.src3 = view.getInt32(at);
      segment.dst3 = view.getInt32(at + 4);
      return;
    }
    segment.ipVersion = 6;
    segment.src0 = view.getInt32(at);
    segment.src1 = view.getInt32(at + 4);
    segment.src2 = view.getInt32(at + 8);
    segment.src3 = view.getInt32(at + 12);
    segment.dst0 = view.getInt32(at + 16);
    segment.dst1 = view.getInt32(at + 20);
    segment.dst2 = view.getInt32(at + 24);
    segment.dst3 = view.getInt32(at + 28);
  }
}
