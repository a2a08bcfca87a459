/**
 * A map from numbers to objects for what comes and goes all the time, such as sessions: open addressing with linear probes
 * (Knuth, TAOCP vol. 3, 6.4, algorithms L and R). It grows, and never shrinks.
 *
 * V8's own Map makes a table anew whenever additions and removals have filled it, and the old table points to the new one,
 * for iterators. Once one of them has lived long enough to be moved into the old generation, young collections take it, the
 * next, and all after that for alive, with everything that was ever in them at such a moment: more than half of all sessions
 * then lived until the next full collection.
 */
const FIRST_CAPACITY = 64;
/** Of its capacity a table is filled to this at most: probes stay short. */
const FILL = 0.75;

export class NumberMap<T extends object> {
  #keys = new Float64Array(FIRST_CAPACITY);
  /** `undefined`: the place is free. */
  #values: (T | undefined)[] = free(FIRST_CAPACITY);
  #mask = FIRST_CAPACITY - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: number): T | undefined {
    return this.#values[this.#find(key)];
  }

  /** `key`: an integer below 2^53 either way. */
  set(key: number, value: T): void {
    let at = this.#find(key);
    if (this.#values[at] === undefined) {
      if (this.#size + 1 > (this.#mask + 1) * FILL) {
        this.#grow();
        at = this.#find(key);
      }
      this.#keys[at] = key;
      this.#size++;
    }
    this.#values[at] = value;
  }

  /** Returns whether it was there. */
  delete(key: number): boolean {
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    let hole = this.#find(key);
    if (values[hole] === undefined) return false;
    // What lies behind it and probed past it moves up.
    for (let i = (hole + 1) & mask; values[i] !== undefined; i = (i + 1) & mask) {
      const probed = (i - homeOf(keys[i]!, mask)) & mask;
      if (probed < ((i - hole) & mask)) continue;
      keys[hole] = keys[i]!;
      values[hole] = values[i];
      hole = i;
    }
    values[hole] = undefined;
    this.#size--;
    return true;
  }

  /** As they are now, in no order. */
  values(): T[] {
    return this.#values.filter((value) => value !== undefined);
  }

  /** Where the key is, or the free place where it would be. */
  #find(key: number): number {
    const keys = this.#keys;
    const values = this.#values;
    const mask = this.#mask;
    let at = homeOf(key, mask);
    while (values[at] !== undefined && keys[at] !== key) at = (at + 1) & mask;
    return at;
  }

  #grow(): void {
    const keys = this.#keys;
    const values = this.#values;
    const capacity = 2 * (this.#mask + 1);
    this.#keys = new Float64Array(capacity);
    this.#values = free(capacity);
    this.#mask = capacity - 1;
    for (let i = 0; i < values.length; i++) {
      const value = values[i];
      if (value === undefined) continue;
      const at = this.#find(keys[i]!);
      this.#keys[at] = keys[i]!;
      this.#values[at] = value;
    }
  }
}

function free<T>(capacity: number): (T | undefined)[] {
  return new Array<T | undefined>(capacity).fill(undefined);
}

/** Multiplicative hash (Knuth, 6.4): the upper bits are the good ones. */
function homeOf(key: number, mask: number): number {
  const mixed = Math.imul((key | 0) ^ Math.floor(key / 2 ** 32), 0x9e37_79b1);
  return (mixed ^ (mixed >>> 15)) & mask;
}
