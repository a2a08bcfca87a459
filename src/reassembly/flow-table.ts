/**
 * Finds the connection of a segment: endpoints, ports and encapsulation to a small number (an entry), in either
 * direction, without allocating.
 *
 * Open addressing with linear probing over one Int32Array, of which an element holds entry + 1 in as many bits as count the
 * buckets and the hash in the others, so that few buckets but the right one lead to a record (flow-record), where what is
 * known of an entry lies. The hash is that of both directions, and the key says which direction it is.
 * Removal shifts later buckets back instead of leaving tombstones, so look-ups stay short however long the table lives.
 * Buckets and entries double as needed up to `maxFlows`.
 *
 * Entries stand in one of two lists, ordered by when they were last touched: active ones, and closed ones that are
 * remembered for a while. A touch moves an entry only in another `granularity` of time than the last, which keeps the
 * packet path at one comparison and the order exact to that much.
 *
 * Invariants: the hash bits of an occupied bucket equal those of its entry's key; probing from a key's home bucket meets no
 * empty bucket before the key; every entry in use is in exactly one list, every other one in the free list.
 */
import { V4_MAPPED_WORD } from '../core/ip-address.ts';
import type { Instant } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { flowHash } from './flow-hash.ts';
import {
  APART_DOUBLES,
  APART_WORDS,
  DESTINATION,
  DESTINATION_REST,
  ENCAPSULATION,
  FLAG_CLOSED,
  FLAG_IPV4,
  FLAGS,
  FlowRecords,
  FOLLOWING,
  HASH,
  PORTS,
  PREVIOUS,
  RECORD_WORDS,
  SOURCE,
  SOURCE_REST,
  TICK,
  TOUCHED,
} from './flow-record.ts';

export const ACTIVE = 0;
export const CLOSED = FLAG_CLOSED;

/** Most segments that are looked at ahead of the first of them. */
export const AHEAD = 64;

/** So many flows stay in the processor's caches. */
const MANY_FLOWS = 4_000;

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
  /** Of a hash: where its bucket is; of a bucket: entry + 1. */
  #mask: number;
  #buckets: Int32Array;
  #records: FlowRecords;
  #free = NONE;
  readonly #first = [NONE, NONE];
  readonly #last = [NONE, NONE];
  #size = 0;
  /** Of the segments expected; their buckets. */
  readonly #hashes = new Int32Array(AHEAD);
  readonly #places = new Int32Array(AHEAD);
  /** Where their records begin, in words. */
  readonly #lines = new Int32Array(AHEAD);
  readonly #sink = new Int32Array(1);
  /** The part of time, one granularity long, that was last asked about. */
  #tick = 0;
  #tickBegins = 0.5;
  #tickEnds = 0.5;

  constructor(options: FlowTableOptions) {
    this.#maxFlows = options.maxFlows;
    this.#seed = (options.seed ?? 0) | 0;
    this.#granularity = options.granularity ?? 1_000_000;
    const capacity = Math.max(1, Math.min(1024, options.maxFlows));
    this.#records = new FlowRecords(capacity);
    this.#freeEntries(0, capacity);
    const buckets = bucketsFor(capacity);
    this.#mask = buckets - 1;
    this.#buckets = new Int32Array(buckets);
  }

  get size(): number {
    return this.#size;
  }

  /** By entry; another object after each `insert`. What only the table writes: the key, TICK, all that is apart. */
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
      const bucket = buckets[i]!;
      const entry = (bucket & mask) - 1;
      if (entry < 0) return NONE;
      if (((bucket ^ hash) & ~mask) === 0) {
        const direction = this.#match(entry, segment);
        if (direction >= 0) return entry * 2 + direction;
      }
    }
  }

  /**
   * Finds for `findExpected` where `count` segments are, AHEAD at most, and reads what it, and whoever then looks at the
   * record, will read. Most of a packet's cost is waiting for that memory where there are many flows, and the processor waits
   * for many at once where none depends on another.
   */
  expect(segments: readonly Segment[], count: number): void {
    const buckets = this.#buckets;
    const mask = this.#mask;
    const hashes = this.#hashes;
    const places = this.#places;
    const many = this.#size > MANY_FLOWS;
    for (let i = 0; i < count; i++) {
      const hash = this.hash(segments[i]!);
      hashes[i] = hash;
      places[i] = hash & mask;
    }
    if (many) this.#read(buckets, places, count);
    const records = this.#lines;
    const words = RECORD_WORDS;
    for (let i = 0; i < count; i++) {
      const hash = hashes[i]!;
      let b = hash & mask;
      let bucket = buckets[b]!;
      while (((bucket ^ hash) & ~mask) !== 0 && (bucket & mask) !== 0) bucket = buckets[(b = (b + 1) & mask)]!;
      places[i] = b;
      records[i] = Math.max(0, (bucket & mask) - 1) * words;
    }
    if (many) this.#read(this.#records.words, records, count);
  }

  /** Reads `count` elements for nothing, or a few more; short as it is, many of its rounds are under way at a time. */
  #read(array: Int32Array, places: Int32Array, count: number): void {
    let sink = 0;
    for (let i = 0; i < count; i += 4) {
      sink |= array[places[i]!]! | array[places[i + 1]!]! | array[places[i + 2]!]! | array[places[i + 3]!]!;
    }
    // Reading for nothing would be optimised away.
    this.#sink[0] = sink;
  }

  /** Like `find`, for the segment that was the `i`th to be expected. What has changed since does no harm. */
  findExpected(segment: Segment, i: number): number {
    const hash = this.#hashes[i]!;
    const bucket = this.#buckets[this.#places[i]!]!;
    const entry = (bucket & this.#mask) - 1;
    if (entry >= 0 && ((bucket ^ hash) & ~this.#mask) === 0) {
      const direction = this.#match(entry, segment);
      if (direction >= 0) return entry * 2 + direction;
    }
    return this.find(segment, hash);
  }

  /** A new active entry for a segment that `find` does not know; -1 when the table is full. */
  insert(segment: Segment, now: Instant): number {
    if (this.#free === NONE && !this.#grow()) return NONE;
    const entry = this.#free;
    const { words, apart } = this.#records;
    const at = entry * RECORD_WORDS;
    const rest = entry * APART_WORDS;
    this.#free = apart[rest + FOLLOWING]!;
    const hash = this.hash(segment);
    words[at + SOURCE] = segment.src3;
    words[at + DESTINATION] = segment.dst3;
    words[at + PORTS] = (segment.srcPort << 16) | segment.dstPort;
    words[at + ENCAPSULATION] = segment.encapsulation;
    words[at + FLAGS] = isIpv4(segment) ? FLAG_IPV4 : 0;
    apart[rest + HASH] = hash;
    apart[rest + SOURCE_REST] = segment.src0;
    apart[rest + SOURCE_REST + 1] = segment.src1;
    apart[rest + SOURCE_REST + 2] = segment.src2;
    apart[rest + DESTINATION_REST] = segment.dst0;
    apart[rest + DESTINATION_REST + 1] = segment.dst1;
    apart[rest + DESTINATION_REST + 2] = segment.dst2;
    this.#place(hash, entry);
    this.#append(entry, ACTIVE, now);
    this.#size++;
    return entry;
  }

  remove(entry: number): void {
    this.#unlink(entry);
    this.#vacate(entry);
    this.#records.apart[entry * APART_WORDS + FOLLOWING] = this.#free;
    this.#free = entry;
    this.#size--;
  }

  /** Records activity of an active entry. */
  touch(entry: number, now: Instant): void {
    if (now < this.#tickBegins || now >= this.#tickEnds) this.#setTick(now);
    const { words } = this.#records;
    const at = entry * RECORD_WORDS;
    if (words[at + TICK] === this.#tick || words[at + FLAGS]! & CLOSED) return;
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
    return this.#records.apartDoubles[entry * APART_DOUBLES + TOUCHED]! as Instant;
  }

  /** 0 when the segment runs as the key does, 1 when against it, -1 when it is another flow. */
  #match(entry: number, s: Segment): number {
    const key = this.#records.words;
    const k = entry * RECORD_WORDS;
    if (key[k + ENCAPSULATION] !== s.encapsulation) return NONE;
    const ipv4 = (key[k + FLAGS]! & FLAG_IPV4) !== 0;
    const ports = key[k + PORTS];
    const source = key[k + SOURCE];
    const destination = key[k + DESTINATION];
    if (ports === ((s.srcPort << 16) | s.dstPort) && source === s.src3 && destination === s.dst3) {
      if (ipv4 ? isIpv4(s) : this.#matchesRest(entry, s, SOURCE_REST, DESTINATION_REST)) return 0;
    }
    if (ports === ((s.dstPort << 16) | s.srcPort) && source === s.dst3 && destination === s.src3) {
      if (ipv4 ? isIpv4(s) : this.#matchesRest(entry, s, DESTINATION_REST, SOURCE_REST)) return 1;
    }
    return NONE;
  }

  #matchesRest(entry: number, s: Segment, source: number, destination: number): boolean {
    const { apart } = this.#records;
    const k = entry * APART_WORDS;
    return (
      apart[k + source] === s.src0 &&
      apart[k + source + 1] === s.src1 &&
      apart[k + source + 2] === s.src2 &&
      apart[k + destination] === s.dst0 &&
      apart[k + destination + 1] === s.dst1 &&
      apart[k + destination + 2] === s.dst2
    );
  }

  #place(hash: number, entry: number): void {
    const mask = this.#mask;
    let i = hash & mask;
    while ((this.#buckets[i]! & mask) !== 0) i = (i + 1) & mask;
    this.#buckets[i] = (hash & ~mask) | (entry + 1);
  }

  /** Empties an entry's bucket and moves back those behind it that probed past it. */
  #vacate(entry: number): void {
    const buckets = this.#buckets;
    const mask = this.#mask;
    const { apart } = this.#records;
    let hole = apart[entry * APART_WORDS + HASH]! & mask;
    while ((buckets[hole]! & mask) !== entry + 1) hole = (hole + 1) & mask;
    for (let i = (hole + 1) & mask; (buckets[i]! & mask) !== 0; i = (i + 1) & mask) {
      const home = apart[((buckets[i]! & mask) - 1) * APART_WORDS + HASH]! & mask;
      const probed = (i - home) & mask;
      if (probed < ((i - hole) & mask)) continue;
      buckets[hole] = buckets[i]!;
      hole = i;
    }
    buckets[hole] = 0;
  }

  #append(entry: number, list: typeof ACTIVE | typeof CLOSED, now: Instant): void {
    const { words, apart, apartDoubles } = this.#records;
    const rest = entry * APART_WORDS;
    const last = this.#last[list]!;
    apart[rest + PREVIOUS] = last;
    apart[rest + FOLLOWING] = NONE;
    if (last === NONE) this.#first[list] = entry;
    else apart[last * APART_WORDS + FOLLOWING] = entry;
    this.#last[list] = entry;
    const at = entry * RECORD_WORDS;
    words[at + FLAGS] = (words[at + FLAGS]! & ~CLOSED) | list;
    if (now < this.#tickBegins || now >= this.#tickEnds) this.#setTick(now);
    words[at + TICK] = this.#tick;
    apartDoubles[entry * APART_DOUBLES + TOUCHED] = now;
  }

  #setTick(now: Instant): void {
    const tick = Math.floor(now / this.#granularity);
    this.#tick = tick | 0;
    this.#tickBegins = tick * this.#granularity;
    this.#tickEnds = this.#tickBegins + this.#granularity;
  }

  #unlink(entry: number): void {
    const { words, apart } = this.#records;
    const rest = entry * APART_WORDS;
    const list = words[entry * RECORD_WORDS + FLAGS]! & CLOSED;
    const previous = apart[rest + PREVIOUS]!;
    const next = apart[rest + FOLLOWING]!;
    if (previous === NONE) this.#first[list] = next;
    else apart[previous * APART_WORDS + FOLLOWING] = next;
    if (next === NONE) this.#last[list] = previous;
    else apart[next * APART_WORDS + PREVIOUS] = previous;
  }

  #freeEntries(from: number, to: number): void {
    for (let entry = to - 1; entry >= from; entry--) {
      this.#records.apart[entry * APART_WORDS + FOLLOWING] = this.#free;
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
      this.#buckets = new Int32Array(buckets);
      const { apart } = this.#records;
      for (let entry = 0; entry < old; entry++) this.#place(apart[entry * APART_WORDS + HASH]!, entry);
    }
    return true;
  }
}

function isIpv4(s: Segment): boolean {
  return s.src2 === V4_MAPPED_WORD && s.dst2 === V4_MAPPED_WORD && (s.src1 | s.src0 | s.dst1 | s.dst0) === 0;
}

/** Twice as many buckets as entries, as a power of two: probes stay short. */
function bucketsFor(capacity: number): number {
  return 2 ** Math.ceil(Math.log2(capacity * 2));
}
