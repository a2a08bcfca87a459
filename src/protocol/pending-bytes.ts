/** For codecs: bytes of a message that cannot go on yet, of a head still incomplete, or of a body somebody asked for. */

/** Memory shared by all connections, so that many of them cannot add up to too much. */
export interface ByteBudget {
  /** Bytes. */
  used: number;
  readonly limit: number;
}

const FIRST_SIZE = 512;
const EMPTY: Uint8Array = new Uint8Array(0);

export class PendingBytes {
  bytes = EMPTY;
  length = 0;
  readonly #budget: ByteBudget;

  constructor(budget: ByteBudget) {
    this.#budget = budget;
  }

  /** Copies bytes to the end; false when the budget has no room, and then nothing is added. */
  append(bytes: Uint8Array, offset: number, length: number): boolean {
    if (this.#budget.used + length > this.#budget.limit) return false;
    this.#budget.used += length;
    const wanted = this.length + length;
    if (wanted > this.bytes.length) {
      const grown = Buffer.allocUnsafe(Math.max(wanted, this.bytes.length * 2, FIRST_SIZE));
      grown.set(this.bytes.subarray(0, this.length));
      this.bytes = grown;
    }
    this.bytes.set(bytes.subarray(offset, offset + length), this.length);
    this.length = wanted;
    return true;
  }

  /** No longer pending. What `bytes` was stays valid for who took it. */
  release(): void {
    if (this.length === 0) return;
    this.#budget.used -= this.length;
    this.length = 0;
    this.bytes = EMPTY;
  }
}
