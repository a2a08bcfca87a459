/** Writes the fields of one packet's payload, and puts the header in front of it. */

/** Length of a packet's header, and the longest payload that one packet has: a longer one goes on in the next. */
export const HEADER_LENGTH = 4;
export const LONGEST_PAYLOAD = 0xffffff;

const NUL = Uint8Array.of(0);

export class PacketWriter {
  readonly #parts: Uint8Array[] = [];

  /** Little-endian, of `length` bytes; `value` below 2^53. */
  uint(length: number, value: number): this {
    const bytes = new Uint8Array(length);
    for (let i = 0, rest = value; i < length; i++, rest = Math.floor(rest / 256)) bytes[i] = rest % 256;
    return this.bytes(bytes);
  }

  lenenc(value: number): this {
    if (value < 0xfb) return this.uint(1, value);
    if (value <= 0xffff) return this.uint(1, 0xfc).uint(2, value);
    if (value <= 0xffffff) return this.uint(1, 0xfd).uint(3, value);
    return this.uint(1, 0xfe).uint(8, value);
  }

  /** Kept as they are until `payload` is called; so their owner may not change them until then. Texts go as Latin-1. */
  bytes(bytes: Uint8Array | string): this {
    this.#parts.push(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes);
    return this;
  }

  zeros(length: number): this {
    return this.bytes(new Uint8Array(length));
  }

  lenencBytes(bytes: Uint8Array): this {
    return this.lenenc(bytes.length).bytes(bytes);
  }

  nulBytes(bytes: Uint8Array | string): this {
    return this.bytes(bytes).bytes(NUL);
  }

  payload(): Uint8Array {
    return Buffer.concat(this.#parts);
  }
}

/** One packet: `payload`, shorter than `LONGEST_PAYLOAD`, with its header. */
export function packet(sequence: number, payload: Uint8Array): Uint8Array {
  const { length } = payload;
  return Buffer.concat([Uint8Array.of(length & 0xff, (length >> 8) & 0xff, length >> 16, sequence & 0xff), payload]);
}
