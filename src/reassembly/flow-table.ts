/**
 * Finds the connection of a segment: endpoints, ports and encapsulation to a small number (an entry), in either
 * direction, without allocating.
 *
 * Open addressing with linear probing over one Int32Array of (hash, entry + 1) pairs; what is known of an entry lies
 * apart, in its record (flow-record). The hash is that of both directions, and the key says which direction it is.
 * Removal shifts later buckets back instead of leaving tombstones, so look-ups stay short however long the table lives.
 * Buckets and entries double as needed up to `maxFlows`.
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
import { flowHash } from './flow-hash.ts';
import {
  DESTINATION,
  ENCAPSULATION,
  FLAG_CLOSED,
  FLAGS,
  FlowRecords,
  FOLLOWING,
  HASH,
  PORTS,
  PREVIOUS,
  RECORD_DOUBLES,
  RECORD_WORDS,
  SOURCE,
  TOUCHED,
} from './flow-record.ts';

export const ACTIVE = 0;
export const CLOSED = FLAG_CLOSED;

/** Most segments that are looked at ahead of the first of them. */
export const AHEAD = 64;

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
  #records: FlowRecords;
  #free = NONE;
  readonly #first = [NONE, NONE];
  readonly #last = [NONE, NONE];
  #size = 0;
  readonly #entries = new Int32Array(AHEAD);

  constructor(options: FlowTableOptions) {
    this.#maxFlows = options.maxFlows;
    this.#seed = (options.seed ?? 0) | 0;
    this.#granularity = options.granularity ?? 1_000_000;
    const capacity = Math.max(1, Math.min(1024, options.maxFlows));
    this.#records = new FlowRecords(capacity);
    this.#freeEntries(0, capacity);
    const buckets = bucketsFor(capacity);
    this.#mask = buckets - 1;
    this.#buckets = new Int32Array(buckets * 2);
  }

  get size(): number {
    return this.#size;
  }

  /** By entry; another object after each `insert`. What only the table writes: all up to HASH, TOUCHED, the lists. */
  get records(): FlowRecords {
    return this.#records;
  }

  hash(segment: Segment): number {
    return flowHash(this.#seed, segment);
  }

  /** `entry * 2`, plus 1 when the segment goes against the direction of the one that was inserted; -1 when unknown. */
  find(segment: Segment, hash = this.hash(segment)): number {
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

  /**
   * Reads what `find`, and whoever then looks at the record, will read for these hashes. Most of a packet's cost is waiting
   * for that memory where there are many flows, and the processor waits for many at once where none depends on another.
   * At most AHEAD.
   */
  touchAhead(hashes: Int32Array, count: number): void {
    const buckets = this.#buckets;
    const mask = this.#mask;
    const { words } = this.#records;
    const entries = this.#entries;
    let sink = 0;
    for (let i = 0; i < count; i++) sink |= buckets[2 * (hashes[i]! & mask)]!;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      let b = hash & mask;
      while (buckets[2 * b] !== hash && buckets[2 * b + 1] !== 0) b = (b + 1) & mask;
      entries[i] = Math.max(0, buckets[2 * b + 1]! - 1);
    }
    for (let i = 0; i < count; i++) {
      const at = entries[i]! * RECORD_WORDS;
      sink |= words[at + FLAGS]! | words[at + FOLLOWING]!;
    }
    // Reading for nothing would be optimised away.
    entries[0] = sink;
  }

  /** A new active entry for a segment that `find` does not know; -1 when the table is full. */
  insert(segment: Segment, now: Instant): number {
    if (this.#free === NONE && !this.#grow()) return NONE;
    const entry = this.#free;
    const { words } = this.#records;
    const at = entry * RECORD_WORDS;
    this.#free = words[at + FOLLOWING]!;
    const hash = this.hash(segment);
    words[at + HASH] = hash;
    words[at + SOURCE] = segment.src0;
    words[at + SOURCE + 1] = segment.src1;
    words[at + SOURCE + 2] = segment.src2;
    words[at + SOURCE + 3] = segment.src3;
    words[at + DESTINATION] = segment.dst0;
    words[at + DESTINATION + 1] = segment.dst1;
    words[at + DESTINATION + 2] = segment.dst2;
    words[at + DESTINATION + 3] = segment.dst3;
    words[at + PORTS] = (segment.srcPort << 16) | segment.dstPort;
    words[at + ENCAPSULATION] = segment.encapsulation;
    words[at + FLAGS] = 0;
    this.#place(hash, entry);
    this.#append(entry, ACTIVE, now);
    this.#size++;
    return entry;
  }

  remove(entry: number): void {
    this.#unlink(entry);
    this.#vacate(entry);
    this.#records.words[entry * RECORD_WORDS + FOLLOWING] = this.#free;
    this.#free = entry;
    this.#size--;
  }

  /** Records activity of an active entry. */
  touch(entry: number, now: Instant): void {
    if (now - this.#records.doubles[entry * RECORD_DOUBLES + TOUCHED]! <= this.#granularity) return;
    if (this.#records.words[entry * RECORD_WORDS + FLAGS]! & CLOSED) return;
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
    return this.#records.doubles[entry * RECORD_DOUBLES + TOUCHED]! as Instant;
  }

  /** 0 when the segment runs as the key does, 1 when against it, -1 when it is another flow. */
  #match(entry: number, s: Segment): number {
    const key = this.#records.words;
    const k = entry * RECORD_WORDS;
    if (key[k + ENCAPSULATION] !== s.encapsulation) return NONE;
    if (
      key[k + PORTS] === ((s.srcPort << 16) | s.dstPort) &&
      key[k + SOURCE + 3] === s.src3 &&
      key[k + DESTINATION + 3] === s.dst3 &&
      key[k + SOURCE + 2] === s.src2 &&
      key[k + DESTINATION + 2] === s.dst2 &&
      key[k + SOURCE + 1] === s.src1 &&
      key[k + DESTINATION + 1] === s.dst1 &&
      key[k + SOURCE] === s.src0 &&
      key[k + DESTINATION] === s.dst0
    )
      return 0;
    if (
      key[k + PORTS] === ((s.dstPort << 16) | s.srcPort) &&
      key[k + SOURCE + 3] === s.dst3 &&
      key[k + DESTINATION + 3] === s.src3 &&
      key[k + SOURCE + 2] === s.dst2 &&
      key[k + DESTINATION + 2] === s.src2 &&
      key[k + SOURCE + 1] === s.dst1 &&
      key[k + DESTINATION + 1] === s.src1 &&
      key[k + SOURCE] === s.dst0 &&
      key[k + DESTINATION] === s.src0
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
    let hole = this.#records.words[entry * RECORD_WORDS + HASH]! & mask;
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

  #append(entry: number, list: typeof ACTIVE | typeof CLOSED, now: Instant): void {
    const { words, doubles } = this.#records;
    const at = entry * RECORD_WORDS;
    const last = this.#last[list]!;
    words[at + PREVIOUS] = last;
    words[at + FOLLOWING] = NONE;
    if (last === NONE) this.#first[list] = entry;
    else words[last * RECORD_WORDS + FOLLOWING] = entry;
    this.#last[list] = entry;
    words[at + FLAGS] = (words[at + FLAGS]! & ~CLOSED) | list;
    doubles[entry * RECORD_DOUBLES + TOUCHED] = now;
  }

  #unlink(entry: number): void {
    const { words } = this.#records;
    const at = entry * RECORD_WORDS;
    const list = words[at + FLAGS]! & CLOSED;
    const previous = words[at + PREVIOUS]!;
    const next = words[at + FOLLOWING]!;
    if (previous === NONE) this.#first[list] = next;
    else words[previous * RECORD_WORDS + FOLLOWING] = next;
    if (next === NONE) this.#last[list] = previous;
    else words[next * RECORD_WORDS + PREVIOUS] = previous;
  }

  #freeEntries(from: number, to: number): void {
    for (let entry = to - 1; entry >= from; entry--) {
      this.#records.words[entry * RECORD_WORDS + FOLLOWING] = this.#free;
      this.#free = entry;
    }
  }

  #grow(): boolean {
    const old = this.#records.capacity;
    const capacity = Math.min(old * 2, this.#maxFlows);
    if (capacity === old) return false;
    this.#records = this.#records.grown(capacity);
    this.#freeEntries(old, capacity);
    const buckets = bucketsFor(capacity);
    if (buckets !== this.#mask + 1) {
      this.#mask = buckets - 1;
      this.#buckets = new Int32Array(buckets * 2);
      const { words } = this.#records;
      for (let entry = 0; entry < old; entry++) this.#place(words[entry * RECORD_WORDS + HASH]!, entry);
    }
    return true;
  }
}

/** Twice as many buckets as entries, as a power of two: probes stay short. */
function bucketsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}
