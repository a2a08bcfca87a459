/** Netlink messages (RFC 3549, linux/netlink.h), made and taken apart. Fields are in the byte order of the machine. */
import { endianness } from 'node:os';

const LITTLE = endianness() === 'LE';
const HEADER = 16;
const NLMSG_ERROR = 2;
const NLM_F_REQUEST = 1;
/** A nested attribute is marked in its type, and one in network order. */
const TYPE_MASK = 0x3fff;

export const NLM_F_DUMP = 0x300;

/** One number of a message: how many bytes, and its value. */
export type Field = readonly [size: 1 | 2 | 4, value: number];
/** An attribute: its type and its bytes. */
export type Attribute = readonly [type: number, value: Uint8Array];

export interface NetlinkMessage {
  readonly type: number;
  /** What follows the header. */
  readonly body: DataView;
}

/** `fixed`: the part before the attributes, whose size is a multiple of four. */
export function netlinkRequest(
  type: number,
  flags: number,
  fixed: readonly Field[],
  attributes: readonly Attribute[] = [],
): Uint8Array {
  const size = fixed.reduce((sum, [bytes]) => sum + bytes, HEADER);
  const length = attributes.reduce((sum, [, value]) => sum + 4 + align(value.length), size);
  const bytes = new Uint8Array(length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, length, LITTLE);
  view.setUint16(4, type, LITTLE);
  view.setUint16(6, NLM_F_REQUEST | flags, LITTLE);
  let at = HEADER;
  for (const [width, value] of fixed) {
    if (width === 1) view.setUint8(at, value);
    else if (width === 2) view.setUint16(at, value, LITTLE);
    else view.setUint32(at, value, LITTLE);
    at += width;
  }
  for (const [attribute, value] of attributes) {
    view.setUint16(at, 4 + value.length, LITTLE);
    view.setUint16(at + 2, attribute, LITTLE);
    bytes.set(value, at + 4);
    at += 4 + align(value.length);
  }
  return bytes;
}

/** The bytes of a 32-bit number, as attributes hold them. */
export function word(value: number): Uint8Array {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, LITTLE);
  return bytes;
}

export function readWord(bytes: Uint8Array | undefined): number | undefined {
  if (bytes === undefined || bytes.length < 4) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, LITTLE);
}

export function readHalf(view: DataView, at: number): number {
  return view.getUint16(at, LITTLE);
}

export function readWordAt(view: DataView, at: number): number {
  return view.getUint32(at, LITTLE);
}

/** The messages of an answer; ends at what is no message. */
export function* messagesOf(bytes: Uint8Array): Generator<NetlinkMessage> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = 0; at + HEADER <= bytes.length;) {
    const length = view.getUint32(at, LITTLE);
    if (length < HEADER || at + length > bytes.length) return;
    yield {
      type: view.getUint16(at + 4, LITTLE),
      body: new DataView(bytes.buffer, bytes.byteOffset + at + HEADER, length - HEADER),
    };
    at += align(length);
  }
}

/** The errno of a message that says that something is wrong; 0 of any other. */
export function errnoOfMessage({ type, body }: NetlinkMessage): number {
  return type === NLMSG_ERROR && body.byteLength >= 4 ? Math.abs(body.getInt32(0, LITTLE)) : 0;
}

/** By type; of several of one type, the last. `from`: where they begin in the body. */
export function attributesOf(body: DataView, from: number): Map<number, Uint8Array> {
  const found = new Map<number, Uint8Array>();
  for (let at = from; at + 4 <= body.byteLength;) {
    const length = body.getUint16(at, LITTLE);
    if (length < 4 || at + length > body.byteLength) break;
    const type = body.getUint16(at + 2, LITTLE) & TYPE_MASK;
    found.set(type, new Uint8Array(body.buffer, body.byteOffset + at + 4, length - 4));
    at += align(length);
  }
  return found;
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

function align(length: number): number {
  return (length + 3) & ~3;
}
