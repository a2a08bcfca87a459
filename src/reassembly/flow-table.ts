/**
 * Finds the connection of a segment: endpoints, ports and encapsulation to a small number (an entry), in either
 * direction, without allocating.
 *
 * Open addressing with linear probing over one Int32Array of (hash, entry + 1) pairs; keys lie apart, ten words to an
 * entry. The hash is the sum of both endpoints' hashes, so both directions probe the same buckets, and the key says
 * which direction it is. Removal shifts later buckets back instead of leaving tombstones, so look-ups stay short however
 * long the table lives. Buckets and entries double as needed up to `maxFlows`.
 *
 * Entries stand in one of two lists, ordered by when they were last touched: active ones, and closed ones that are
 * remembered for a while. A touch moves an entry only when it stood for longer than `granularity`, which keeps the
 * packet path at one comparison and the order exact to that much.
 *
 * Invariants: `hash` of an occupied bucket equals that of its entry's key; probing from a key's home bucket meets no
 * empty bucket before the key; every entry in use is in exactly one list, every other one in the free list.
 */
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';

export const ACTIVE = 0;
export const CLOSED = 1;

/** Words of a key: source and destination address, both ports, encapsulation. */
const KEY_WORDS = 10;
const NONE = -1;

export interface FlowTableOptions {
  readonly maxFlows: number;
  readonly seed?: number;
  /** Order of last activity is kept to this precision, in microseconds. */
  readonly granularity?: number;
}

export class FlowTable {
  readonly #maxFlows: number;
  readonly #seed: number;
  readonly #granularity: number;
  #mask: number;
  #buckets: Int32Array;
  #keys: Int32Array;
  #hashes: Int32Array;
  #previous: Int32Array;
  #next: Int32Array;
  #touched: Float64Array;
  #list: Uint8Array;
  #free = NONE;
  readonly #first = [NONE, NONE];
  readonly #last = [NONE, NONE];
  #size = 0;

  constructor(options: FlowTableOptions) {
    this.#maxFlows = options.maxFlows;
    this.#seed = (options.seed ?? 0) | 0;
    this.#granularity = options.granularity ?? 1_000_000;
    const capacity = Math.max(1, Math.min(1024, options.maxFlows));
    this.#keys = new Int32Array(capacity * KEY_WORDS);
    this.#hashes = new Int32Array(capacity);
    this.#previous = new Int32Array(capacity);
    this.#next = new Int32Array(capacity);
    this.#touched = new Float64Array(capacity);
    this.#list = new Uint8Array(capacity);
    this.#freeEntries(0, capacity);
    const buckets = bucketsFor(capacity);
    this.#mask = buckets - 1;
    this.#buckets = new Int32Array(buckets * 2);
  }

  get size(): number {
    return this.#size;
  }

  /** `entry * 2`, plus 1 when the segment goes against the direction of the one that was inserted; -1 when unknown. */
  find(segment: Segment): number {
    const hash = this.#hash(segment);
    const buckets = this.#buckets;
    const mask = this.#mask;
    for (let i = hash & mask; ; i = (i + 1) & mask) {
      const entry = buckets[2 * i + 1]! - 1;
      if (entry < 0) return NONE;
      if (buckets[2 * i] === hash) {
        const direction = this.#match(entry, segment);
        if (direction >= 0) return entry * 2 + direction;
      }
    }
  }

  /** A new active entry for a segment that `find` does not know; -1 when the table is full. */
  insert(segment: Segment, now: Instant): number {
    if (this.#free === NONE && !this.#grow()) return NONE;
    const entry = this.#free;
    this.#free = this.#next[entry]!;
    const hash = this.#hash(segment);
    this.#hashes[entry] = hash;
    const key = this.#keys;
    const k = entry * KEY_WORDS;
    key[k] = segment.src0;
    key[k + 1] = segment.src1;
    key[k + 2] = segment.src2;
    key[k + 3] = segment.src3;
    key[k + 4] = segment.dst0;
    key[k + 5] = segment.dst1;
    key[k + 6] = segment.dst2;
    key[k + 7] = segment.dst3;
    key[k + 8] = (segment.srcPort << 16) | segment.dstPort;
    key[k + 9] = segment.encapsulation;
    this.#place(hash, entry);
    this.#append(entry, ACTIVE, now);
    this.#size++;
    return entry;
  }

  remove(entry: number): void {
    this.#unlink(entry);
    this.#vacate(entry);
    this.#next[entry] = this.#free;
    this.#free = entry;
    this.#size--;
  }

  /** Records activity of an active entry. */
  touch(entry: number, now: Instant): void {
    if (now - this.#touched[entry]! <= this.#granularity) return;
    if (this.#list[entry] !== ACTIVE) return;
    this.#unlink(entry);
    this.#append(entry, ACTIVE, now);
  }

  /** Moves an entry to the closed list. */
  retire(entry: number, now: Instant): void {
    this.#unlink(entry);
    this.#append(entry, CLOSED, now);
  }

  /** The entry of a list whose last touch is longest ago; -1 when it is empty. */
  oldest(list: typeof ACTIVE | typeof CLOSED): number {
    return this.#first[list]!;
  }

  /** When the entry was last touched, to `granularity`. */
  touchedAt(entry: number): Instant {
    return this.#touched[entry]! as Instant;
  }

  #hash(s: Segment): number {
    const seed = this.#seed;
    const a = endpointHash(seed, s.src0, s.src1, s.src2, s.src3, s.srcPort);
    const b = endpointHash(seed, s.dst0, s.dst1, s.dst2, s.dst3, s.dstPort);
    let h = (a + b + Math.imul(s.encapsulation, 0x27d4_eb2f)) | 0;
    h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
    return h ^ (h >>> 13);
  }

  /** 0 when the segment runs as the key does, 1 when against it, -1 when it is another flow. */
  #match(entry: number, s: Segment): number {
    const key = this.#keys;
    const k = entry * KEY_WORDS;
    if (key[k + 9] !== s.encapsulation) return NONE;
    if (
      key[k + 8] === ((s.srcPort << 16) | s.dstPort) &&
      key[k + 3] === s.src3 &&
      key[k + 7] === s.dst3 &&
      key[k + 2] === s.src2 &&
      key[k + 6] === s.dst2 &&
      key[k + 1] === s.src1 &&
      key[k + 5] === s.dst1 &&
      key[k] === s.src0 &&
      key[k + 4] === s.dst0
    )
      return 0;
    if (
      key[k + 8] === ((s.dstPort << 16) | s.srcPort) &&
      key[k + 3] === s.dst3 &&
      key[k + 7] === s.src3 &&
      key[k + 2] === s.dst2 &&
      key[k + 6] === s.src2 &&
      key[k + 1] === s.dst1 &&
      key[k + 5] === s.src1 &&
      key[k] === s.dst0 &&
      key[k + 4] === s.src0
    )
      return 1;
    return NONE;
  }

  #place(hash: number, entry: number): void {
    let i = hash & this.#mask;
    while (this.#buckets[2 * i + 1] !== 0) i = (i + 1) & this.#mask;
    this.#buckets[2 * i] = hash;
    this.#buckets[2 * i + 1] = entry + 1;
  }

  /** Empties an entry's bucket and moves back those behind it that probed past it. */
  #vacate(entry: number): void {
    const buckets = this.#buckets;
    const mask = this.#mask;
    let hole = this.#hashes[entry]! & mask;
    while (buckets[2 * hole + 1] !== entry + 1) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; buckets[2 * i + 1] !== 0; i = (i + 1) & mask) {
      const home = buckets[2 * i]! & mask;
      const probed = (i - home) & mask;
      if (probed < ((i - hole) & mask)) continue;
      buckets[2 * hole] = buckets[2 * i]!;
      buckets[2 * hole + 1] = buckets[2 * i + 1]!;
      hole = i;
    }
    buckets[2 * hole + 1] = 0;
  }

  #append(entry: number, list: number, now: Instant): void {
    const last = this.#last[list]!;
    this.#previous[entry] = last;
    this.#next[entry] = NONE;
    if (last === NONE) this.#first[list] = entry;
    else this.#next[last] = entry;
    this.#last[list] = entry;
    this.#list[entry] = list;
    this.#touched[entry] = now;
  }

  #unlink(entry: number): void {
    const list = this.#list[entry]!;
    const previous = this.#previous[entry]!;
    const next = this.#next[entry]!;
    if (previous === NONE) this.#first[list] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[list] = previous;
    else this.#previous[next] = previous;
  }

  #freeEntries(from: number, to: number): void {
    for (let entry = to - 1; entry >= from; entry--) {
      this.#next[entry] = this.#free;
      this.#free = entry;
    }
  }

  #grow(): boolean {
    const old = this.#hashes.length;
    const capacity = Math.min(old * 2, this.#maxFlows);
    if (capacity === old) return false;
    this.#keys = extended(this.#keys, new Int32Array(capacity * KEY_WORDS));
    this.#hashes = extended(this.#hashes, new Int32Array(capacity));
    this.#previous = extended(this.#previous, new Int32Array(capacity));
    this.#next = extended(this.#next, new Int32Array(capacity));
    this.#touched = extended(this.#touched, new Float64Array(capacity));
    this.#list = extended(this.#list, new Uint8Array(capacity));
    this.#freeEntries(old, capacity);
    const buckets = bucketsFor(capacity);
    if (buckets !== this.#mask + 1) {
      this.#mask = buckets - 1;
      this.#buckets = new Int32Array(buckets * 2);
      for (let entry = 0; entry < old; entry++) this.#place(this.#hashes[entry]!, entry);
    }
    return true;
  }
}

/** Twice as many buckets as entries, as a power of two: probes stay short. */
function bucketsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}

function extended<T extends Int32Array | Float64Array | Uint8Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

function endpointHash(seed: number, w0: number, w1: number, w2: number, w3: number, port: number): number {
  let h = Math.imul(w3 ^ seed, 0x85eb_ca6b) ^ port;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35) ^ w2;
  h = Math.imul(h ^ (h >>> 16), 0x9e37_79b1) ^ w1;
  h = Math.imul(h ^ (h >>> 15), 0x85eb_ca6b) ^ w0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
