/** Big-endian fields of control messages: a growing writer and a checked reader. Not for the packet path. */
import { TcpcopyError } from '../core/errors.ts';
import { ipFromWords, type IpAddress } from '../core/ip-address.ts';

const TWO_32 = 2 ** 32;
const MAX_TEXT = 255;

export class FieldWriter {
  #bytes = new Uint8Array(256);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  u8(value: number): void {
    const at = this.#room(1);
    this.#view.setUint8(at, value);
  }

  u16(value: number): void {
    const at = this.#room(2);
    this.#view.setUint16(at, value);
  }

  u32(value: number): void {
    const at = this.#room(4);
    this.#view.setUint32(at, value);
  }

  /** An unsigned 64-bit field; the value is exact up to 2^53. */
  u64(value: number): void {
    this.u32(Math.floor(value / TWO_32));
    this.u32(value % TWO_32);
  }

  raw(bytes: Uint8Array): void {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
  }

  /** A byte count and that many bytes of UTF-8; what is beyond 255 bytes is cut off between characters. */
  text(value: string): void {
    const room = new Uint8Array(MAX_TEXT);
    const { written } = new TextEncoder().encodeInto(value, room);
    this.u8(written);
    this.raw(room.subarray(0, written));
  }

  /** Sixteen bytes; IPv4 as an IPv4-mapped address. */
  address(ip: IpAddress): void {
    this.u32(ip.w0);
    this.u32(ip.w1);
    this.u32(ip.w2);
    this.u32(ip.w3);
  }

  setU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  /** The bytes written so far, copied. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }

  #room(size: number): number {
    const at = this.#length;
    if (at + size > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#bytes.length * 2, at + size));
      grown.set(this.#bytes);
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    this.#length = at + size;
    return at;
  }
}

/** Reads `bytes[start, end)`; reading beyond `end` throws E_CONTROL_PROTOCOL. */
export class FieldReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #end: number;
  readonly #what: string;
  #at: number;

  constructor(bytes: Uint8Array, view: DataView, start: number, end: number, what: string) {
    this.#bytes = bytes;
    this.#view = view;
    this.#at = start;
    this.#end = end;
    this.#what = what;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }

  u64(): number {
    const high = this.u32();
    return high * TWO_32 + this.u32();
  }

  /** A copy. */
  raw(size: number): Uint8Array {
    const at = this.#take(size);
    return this.#bytes.slice(at, at + size);
  }

  text(): string {
    return new TextDecoder().decode(this.raw(this.u8()));
  }

  address(): IpAddress {
    return ipFromWords(this.u32(), this.u32(), this.u32(), this.u32());
  }

  /** Refuses bytes after the last field. */
  finish(): void {
    if (this.#at !== this.#end) throw protocolError(`${this.#what} has ${this.left} bytes too many`);
  }

  #take(size: number): number {
    const at = this.#at;
    if (at + size > this.#end) throw protocolError(`${this.#what} is cut short`);
    this.#at = at + size;
    return at;
  }
}

export function protocolError(message: string): TcpcopyError {
  return new TcpcopyError('E_CONTROL_PROTOCOL', message);
}
