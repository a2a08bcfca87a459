/**
 * Reads the fields of one packet's payload. All lengths are checked: what lies beyond the end reads as zero or nothing and
 * sets `failed`, so that a caller reads everything and looks once.
 */
const EMPTY: Uint8Array = new Uint8Array(0);

export class PacketReader {
  /** Something was read beyond the end. It stays so. */
  failed = false;
  at: number;
  readonly #bytes: Uint8Array;
  readonly #end: number;

  constructor(payload: Uint8Array, at = 0, end = payload.length) {
    this.#bytes = payload;
    this.at = at;
    this.#end = end;
  }

  get left(): number {
    return this.#end - this.at;
  }

  u8(): number {
    return this.uint(1);
  }

  u16(): number {
    return this.uint(2);
  }

  u24(): number {
    return this.uint(3);
  }

  u32(): number {
    return this.uint(4);
  }

  /** Little-endian, of up to 8 bytes; beyond 2^53 the nearest there is. */
  uint(length: number): number {
    if (this.left < length) {
      this.#fail();
      return 0;
    }
    let value = 0;
    for (let i = this.at + length - 1; i >= this.at; i--) value = value * 256 + this.#bytes[i]!;
    this.at += length;
    return value;
  }

  /** A length-encoded integer. 0xfb and 0xff, which are none, fail. */
  lenenc(): number {
    const first = this.u8();
    if (first < 0xfb) return first;
    if (first === 0xfc) return this.u16();
    if (first === 0xfd) return this.u24();
    if (first === 0xfe) return this.uint(8);
    this.#fail();
    return 0;
  }

  /** A view of the next `length` bytes. */
  bytes(length: number): Uint8Array {
    if (length > this.left) {
      this.#fail();
      return EMPTY;
    }
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  lenencBytes(): Uint8Array {
    return this.bytes(this.lenenc());
  }

  /** A view up to the next NUL, which is read, too. */
  nulBytes(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.at);
    if (end < 0 || end >= this.#end) {
      this.#fail();
      return EMPTY;
    }
    const from = this.at;
    this.at = end + 1;
    return this.#bytes.subarray(from, end);
  }

  /** A view up to the next NUL, or to the end where there is none: some peers leave the last one out. */
  nulBytesOrRest(): Uint8Array {
    const end = this.#bytes.indexOf(0, this.at);
    return end < 0 || end >= this.#end ? this.rest() : this.nulBytes();
  }

  rest(): Uint8Array {
    return this.bytes(this.left);
  }

  #fail(): void {
    this.failed = true;
    this.at = this.#end;
  }
}
