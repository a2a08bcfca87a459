/**
 * A set of IP address ranges, sorted and merged, with a look-up that allocates nothing. Words are stored with their sign
 * bit turned round, so that a signed comparison orders them as unsigned numbers.
 */
import type { ClientRange } from '../control/messages.ts';

const SIGN = 0x8000_0000 | 0;
const WORD = 32n;
const LAST_ADDRESS = (1n << 128n) - 1n;

export class AddressRanges {
  readonly count: number;
  /** Four words per range. */
  readonly #first: Int32Array;
  readonly #last: Int32Array;

  constructor(ranges: readonly ClientRange[]) {
    const merged = merge(ranges);
    this.count = merged.length;
    this.#first = new Int32Array(merged.length * 4);
    this.#last = new Int32Array(merged.length * 4);
    merged.forEach(({ first, last }, i) => {
      store(this.#first, i, first);
      store(this.#last, i, last);
    });
  }

  contains(w0: number, w1: number, w2: number, w3: number): boolean {
    const a = w0 ^ SIGN;
    const b = w1 ^ SIGN;
    const c = w2 ^ SIGN;
    const d = w3 ^ SIGN;
    let low = 0;
    let high = this.count - 1;
    while (low <= high) {
      const middle = (low + high) >>> 1;
      if (compare(this.#last, middle, a, b, c, d) < 0) low = middle + 1;
      else if (compare(this.#first, middle, a, b, c, d) > 0) high = middle - 1;
      else return true;
    }
    return false;
  }
}

/** The sign of (range bound − address). */
function compare(bounds: Int32Array, range: number, a: number, b: number, c: number, d: number): number {
  const at = range << 2;
  if (bounds[at]! !== a) return bounds[at]! < a ? -1 : 1;
  if (bounds[at + 1]! !== b) return bounds[at + 1]! < b ? -1 : 1;
  if (bounds[at + 2]! !== c) return bounds[at + 2]! < c ? -1 : 1;
  if (bounds[at + 3]! !== d) return bounds[at + 3]! < d ? -1 : 1;
  return 0;
}

interface Range {
  readonly first: bigint;
  last: bigint;
}

function merge(ranges: readonly ClientRange[]): Range[] {
  const sorted = ranges
    .map(({ first: { w0, w1, w2, w3 }, count }): Range => {
      const first = [w0, w1, w2, w3].reduce((n, word) => (n << WORD) | BigInt(word >>> 0), 0n);
      const last = first + BigInt(count) - 1n;
      return { first, last: last < LAST_ADDRESS ? last : LAST_ADDRESS };
    })
    .sort((x, y) => (x.first < y.first ? -1 : x.first > y.first ? 1 : 0));
  const merged: Range[] = [];
  for (const range of sorted) {
    const before = merged.at(-1);
    if (before === undefined || range.first > before.last + 1n) merged.push(range);
    else if (range.last > before.last) before.last = range.last;
  }
  return merged;
}

function store(words: Int32Array, range: number, address: bigint): void {
  for (let i = 0; i < 4; i++) {
    words[range * 4 + i] = Number(BigInt.asIntN(32, address >> (WORD * BigInt(3 - i)))) ^ SIGN;
  }
}
