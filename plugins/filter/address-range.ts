import { parseIp, type IpAddress } from 'tcpcopy/plugin';

/** Bits before those of an IPv4 address, which is held IPv4-mapped. */
const V4_OFFSET = 96;

/** The addresses that begin with the same bits (RFC 4632, RFC 4291 §2.3). */
export class AddressRange {
  readonly #first: readonly number[];
  readonly #masks: readonly number[];
  readonly #version: 4 | 6;

  /** `bits`: how many of the address's own count. */
  constructor(address: IpAddress, bits: number) {
    const all = address.version === 4 ? V4_OFFSET + bits : bits;
    this.#version = address.version;
    this.#masks = [0, 32, 64, 96].map((start) => maskOf(Math.min(32, Math.max(0, all - start))));
    this.#first = wordsOf(address).map((word, i) => word & this.#masks[i]!);
  }

  contains(address: IpAddress): boolean {
    if (address.version !== this.#version) return false;
    return wordsOf(address).every((word, i) => (word & this.#masks[i]!) === this.#first[i]);
  }
}

/** An address, or a range as in `192.0.2.0/24`; `undefined` when it is neither. */
export function parseRange(text: string): AddressRange | undefined {
  const [, host = '', length] = /^([^/]+)(?:\/([0-9]{1,3}))?$/.exec(text.trim()) ?? [];
  const address = parseIp(host);
  if (address === undefined) return undefined;
  const longest = address.version === 4 ? 32 : 128;
  const bits = length === undefined ? longest : Number(length);
  return bits <= longest ? new AddressRange(address, bits) : undefined;
}

function maskOf(bits: number): number {
  // A shift by 32 would be one by 0.
  return bits === 0 ? 0 : -1 << (32 - bits);
}

function wordsOf({ w0, w1, w2, w3 }: IpAddress): readonly number[] {
  return [w0, w1, w2, w3];
}
