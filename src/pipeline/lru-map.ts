/**
 * A map of bounded size, for what a plugin remembers across connections: when it is full, the entry that was read or
 * written longest ago makes room. Iteration goes from the oldest to the newest.
 */
export class LruMap<K, V> implements Iterable<readonly [K, V]> {
  readonly capacity: number;
  readonly #entries = new Map<K, V>();
  readonly #onEvict: ((key: K, value: V) => void) | undefined;
  #evicted = 0;

  /** `onEvict` hears of entries that had to make room, not of deleted or replaced ones. */
  constructor(capacity: number, onEvict?: (key: K, value: V) => void) {
    if (!Number.isInteger(capacity) || capacity < 1) throw new RangeError('the capacity of an LruMap is 1 or more');
    this.capacity = capacity;
    this.#onEvict = onEvict;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** How many entries had to make room so far. */
  get evicted(): number {
    return this.#evicted;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** The value, which becomes the newest. */
  get(key: K): V | undefined {
    const value = this.#entries.get(key);
    if (value === undefined && !this.#entries.has(key)) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, value as V);
    return value;
  }

  /** The value, whose age stays as it is. */
  peek(key: K): V | undefined {
    return this.#entries.get(key);
  }

  set(key: K, value: V): this {
    this.#entries.delete(key);
    this.#entries.set(key, value);
    if (this.#entries.size > this.capacity) this.#evictOldest();
    return this;
  }

  delete(key: K): boolean {
    return this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }

  [Symbol.iterator](): Iterator<readonly [K, V]> {
    return this.#entries.entries();
  }

  #evictOldest(): void {
    const [key, value] = this.#entries.entries().next().value!;
    this.#entries.delete(key);
    this.#evicted++;
    this.#onEvict?.(key, value);
  }
}
