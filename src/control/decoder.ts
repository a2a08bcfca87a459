/**
 * Bytes of a control connection to messages. `push` copies whatever arrived, in any chunking; `next` returns the next
 * whole message or `undefined`. Messages are values of their own, but for RESPONSES: its records are read in place from
 * the decoder's memory, so they are valid until the following `next`; a `push` in between keeps unread records sound but
 * invalidates segments already handed out.
 *
 * Anything that is not the protocol throws E_CONTROL_PROTOCOL from `next`, then and ever after: the connection must be
 * closed.
 */
import { FieldReader, protocolError } from './fields.ts';
import { readProbeReport } from './probe.ts';
import { ResponseReader } from './response-reader.ts';
import type { Hello, Message, Responses, Targets } from './messages.ts';
import {
  BLOCKS,
  BYE,
  CHALLENGE,
  HEADER_BYTES,
  HELLO,
  HELLO_HAS_KEY,
  HURRY,
  INSTANCE_ID_BYTES,
  LEASE_GRANT,
  LEASE_REQUEST,
  LENGTH_BYTES,
  MAGIC,
  MAX_CLIENT_RANGES,
  MAX_CONNECTIONS,
  MAX_HANDSHAKE_MESSAGE,
  MAX_TARGETS,
  MESSAGE_NAMES,
  NONCE_BYTES,
  PING,
  PONG,
  PROBE,
  PROBE_REPORT,
  PROOF,
  PROOF_BYTES,
  RECLAIM,
  REFUSED,
  RESPONSES,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  WELCOME,
  TLS_HANDSHAKE_RECORD,
} from './protocol.ts';

const INITIAL_BYTES = 4096;

export class Decoder {
  /** Larger messages are a protocol violation. Raised to `MAX_MESSAGE` once the handshake is done. */
  maxMessage = MAX_HANDSHAKE_MESSAGE;
  readonly #reader = new ResponseReader();
  readonly #responses: Responses = { type: RESPONSES, reader: this.#reader };
  #bytes = new Uint8Array(INITIAL_BYTES);
  #view = new DataView(this.#bytes.buffer);
  /** What precedes this is done with; the message last returned begins here. */
  #held = 0;
  /** The next message begins here. */
  #start = 0;
  #end = 0;

  /** Bytes pushed and not yet returned as messages. */
  get buffered(): number {
    return this.#end - this.#start;
  }

  push(chunk: Uint8Array): void {
    if (this.#end + chunk.length > this.#bytes.length) this.#makeRoom(chunk.length);
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Memory with room for `least` bytes more from `end` on, for whoever puts them there and says so by `arrived`. */
  room(least: number): Uint8Array {
    // More than is asked for now, or what lies before `end` would have to be moved each time.
    if (this.#end + least > this.#bytes.length) this.#makeRoom(2 * least);
    return this.#bytes;
  }

  /** Where the memory of `room` is free. */
  get end(): number {
    return this.#end;
  }

  arrived(length: number): void {
    this.#end += length;
  }

  next(): Message | undefined {
    const start = this.#start;
    this.#held = start;
    if (this.#end - start < LENGTH_BYTES) return undefined;
    const length = LENGTH_BYTES + this.#view.getUint32(start);
    if (length < HEADER_BYTES || length > this.maxMessage) {
      if (this.#view.getUint8(start) === TLS_HANDSHAKE_RECORD)
        throw protocolError('a TLS handshake, not a control message');
      throw protocolError(
        `not a control message (its length would be ${length} bytes): the other end is some other program, as the C programs of TCPCopy are`,
      );
    }
    if (this.#end - start < length) return undefined;
    const message = this.#decode(this.#view.getUint8(start + LENGTH_BYTES), start + HEADER_BYTES, start + length);
    this.#start = start + length;
    return message;
  }

  #decode(type: number, start: number, end: number): Message {
    if (type === RESPONSES) {
      this.#reader.reset(this.#bytes, this.#view, start, end);
      return this.#responses;
    }
    const name = MESSAGE_NAMES[type];
    if (name === undefined) throw protocolError(`message type ${type} is unknown`);
    const fields = new FieldReader(this.#bytes, this.#view, start, end, name);
    const message = readBody(type, fields);
    // Later versions may say more in the two messages that are exchanged before a version is agreed on.
    if (type !== HELLO && type !== REFUSED) fields.finish();
    return message;
  }

  #makeRoom(size: number): void {
    const from = this.#held;
    const used = this.#end - from;
    let bytes = this.#bytes;
    if (used + size > bytes.length) {
      bytes = new Uint8Array(Math.max(bytes.length * 2, used + size));
      bytes.set(this.#bytes.subarray(from, this.#end));
      this.#bytes = bytes;
      this.#view = new DataView(bytes.buffer);
    } else {
      bytes.copyWithin(0, from, this.#end);
    }
    this.#reader.moved(this.#bytes, this.#view, -from);
    this.#held = 0;
    this.#start -= from;
    this.#end = used;
  }
}

function readBody(type: number, from: FieldReader): Message {
  switch (type) {
    case HELLO:
      return readHello(from);
    case CHALLENGE:
      return { type, version: from.u16(), nonce: from.raw(NONCE_BYTES) };
    case PROOF:
      return { type, proof: from.raw(PROOF_BYTES) };
    case WELCOME:
      return {
        type,
        version: from.u16(),
        capabilities: from.u32(),
        interceptId: from.raw(INSTANCE_ID_BYTES),
        leaseSilence: from.u32(),
        proof: from.raw(from.u8()),
        software: from.text(),
      };
    case REFUSED:
      return { type, reason: from.u8(), versionMin: from.u16(), versionMax: from.u16(), text: from.text() };
    case TARGETS:
      return readTargets(from);
    case LEASE_REQUEST:
      return { type, blocks: from.u8() };
    case LEASE_GRANT:
      return { type, wanted: from.u8(), free: from.u8(), blocks: readBlocks(from) };
    case RECLAIM:
      return { type, blocks: readBlocks(from) };
    case WANT_PAYLOAD:
      return { type, maxBytes: from.u32() };
    case HURRY:
      return { type, on: from.u8() !== 0 };
    case PING:
    case PONG:
      return { type, token: from.u32() };
    case STATS:
      return { type, frames: from.u64(), kernelDropped: from.u64(), forwarded: from.u64(), dropped: from.u64() };
    case PROBE:
      return { type, token: from.u32(), duration: from.u16() };
    case PROBE_REPORT:
      return readProbeReport(type, from);
    default:
      return { type: BYE, text: from.text() };
  }
}

function readHello(from: FieldReader): Hello {
  if (from.u32() !== MAGIC) throw protocolError('HELLO does not begin with the magic number');
  const versionMin = from.u16();
  const versionMax = from.u16();
  const instanceId = from.raw(INSTANCE_ID_BYTES);
  const connectionIndex = from.u8();
  const connections = from.u8();
  if (connections === 0 || connections > MAX_CONNECTIONS || connectionIndex >= connections) {
    throw protocolError(`HELLO is for connection ${connectionIndex} of ${connections}`);
  }
  return {
    type: HELLO,
    versionMin,
    versionMax,
    instanceId,
    connectionIndex,
    connections,
    hasKey: (from.u8() & HELLO_HAS_KEY) !== 0,
    capabilities: from.u32(),
    nonce: from.raw(NONCE_BYTES),
    software: from.text(),
  };
}

function readTargets(from: FieldReader): Targets {
  const targets = readList(from, MAX_TARGETS, () => {
    const range = { address: from.address(), portFirst: from.u16(), portLast: from.u16() };
    if (range.portFirst > range.portLast) throw protocolError('TARGETS has a port range that ends before it begins');
    return range;
  });
  const clients = readList(from, MAX_CLIENT_RANGES, () => {
    const range = { first: from.address(), count: from.u64() };
    if (range.count < 1 || !Number.isSafeInteger(range.count)) throw protocolError('TARGETS has an impossible range');
    return range;
  });
  return { type: TARGETS, targets, clients };
}

function readList<T>(from: FieldReader, most: number, item: () => T): T[] {
  const count = from.u16();
  if (count > most) throw protocolError(`TARGETS has a list of ${count} entries`);
  const list: T[] = [];
  for (let i = 0; i < count; i++) list.push(item());
  return list;
}

function readBlocks(from: FieldReader): number[] {
  const blocks = Array.from(from.raw(from.u8()));
  if (blocks.some((block) => block >= BLOCKS)) throw protocolError('a port block is above the last one');
  return blocks;
}
