/**
 * Source addresses for raw sessions: the client's own, or one of `-c`. Each gets a small index, which with a port names
 * a session in one number.
 */
import { ipEquals, V4_MAPPED_WORD, type IpAddress } from '../core/ip-address.ts';
import type { AddressRange } from '../config/copy-options.ts';

export interface SourceAddress {
  readonly address: IpAddress;
  readonly index: number;
}

interface Entry extends SourceAddress {
  readonly next: Entry | undefined;
}

export class SourceAddresses {
  readonly #ranges: readonly AddressRange[];
  /** Addresses there are, by IP version. */
  readonly #total: { readonly 4: number; readonly 6: number };
  /** By a hash of the address; IPv4 addresses hash to themselves. */
  readonly #entries = new Map<number, Entry>();
  #nextIndex = 0;

  /** `ranges`: the `-c` list; empty: clients keep their addresses. */
  constructor(ranges: readonly AddressRange[]) {
    this.#ranges = ranges;
    const total = (version: 4 | 6): number =>
      ranges.reduce((n, { first, count }) => (first.version === version ? n + count : n), 0);
    this.#total = { 4: total(4), 6: total(6) };
  }

  /** How many addresses a session to a target of this IP version may choose from: 1 when clients keep their own. */
  choices(version: 4 | 6): number {
    return this.#ranges.length === 0 ? 1 : this.#total[version];
  }

  /**
   * The address for one session of a client to a target of this IP version: the same client and `choice` give the same
   * address, so a target that counts by address sees as many clients as there are. `undefined` when there is none of
   * that version.
   */
  choose(client: IpAddress, choice: number, version: 4 | 6): IpAddress | undefined {
    if (this.#ranges.length === 0) return client.version === version ? client : undefined;
    let n = ((hash(client.w0, client.w1, client.w2, client.w3) >>> 0) + choice) % this.#total[version];
    for (const range of this.#ranges) {
      if (range.first.version !== version) continue;
      if (n < range.count) return offsetAddress(range.first, n);
      n -= range.count;
    }
    return undefined;
  }

  /** An address with its index, given on first use; the same object for all that are equal. */
  entryOf(address: IpAddress): SourceAddress {
    const found = this.#find(address.w0, address.w1, address.w2, address.w3);
    if (found !== undefined) return found;
    const key = hash(address.w0, address.w1, address.w2, address.w3);
    const entry: Entry = { address, index: this.#nextIndex++, next: this.#entries.get(key) };
    this.#entries.set(key, entry);
    return entry;
  }

  /** Drops addresses whose index is not in `used`; one that comes back gets another index. */
  forgetAllBut(used: ReadonlySet<number>): void {
    const kept: Entry[] = [];
    for (const first of this.#entries.values()) {
      for (let e: Entry | undefined = first; e !== undefined; e = e.next) if (used.has(e.index)) kept.push(e);
    }
    this.#entries.clear();
    for (const { address, index } of kept) {
      const key = hash(address.w0, address.w1, address.w2, address.w3);
      this.#entries.set(key, { address, index, next: this.#entries.get(key) });
    }
  }

  /** The index of an address already known, or -1. */
  find(w0: number, w1: number, w2: number, w3: number): number {
    return this.#find(w0, w1, w2, w3)?.index ?? -1;
  }

  #find(w0: number, w1: number, w2: number, w3: number): Entry | undefined {
    for (let e = this.#entries.get(hash(w0, w1, w2, w3)); e !== undefined; e = e.next) {
      const a = e.address;
      if (a.w3 === w3 && a.w2 === w2 && a.w1 === w1 && a.w0 === w0) return e;
    }
    return undefined;
  }
}

function hash(w0: number, w1: number, w2: number, w3: number): number {
  if (w0 === 0 && w1 === 0 && w2 === V4_MAPPED_WORD) return w3;
  return Math.imul(w0, 0x9e3779b1) ^ Math.imul(w1, 0x85ebca6b) ^ Math.imul(w2, 0xc2b2ae35) ^ w3;
}

/** `address + n` in the low 32 bits, carrying up for IPv6. */
function offsetAddress(address: IpAddress, n: number): IpAddress {
  const low = (address.w3 >>> 0) + n;
  const w3 = low | 0;
  const w2 = low > 0xffff_ffff && address.version === 6 ? (address.w2 + 1) | 0 : address.w2;
  const moved: IpAddress = { version: address.version, w0: address.w0, w1: address.w1, w2, w3 };
  return ipEquals(moved, address) ? address : moved;
}
