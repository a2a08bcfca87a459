/** The query of a request target as `key=value` pairs. Pairs that are not changed keep their exact spelling. */

export interface HttpQuery extends Iterable<readonly [key: string, value: string]> {
  has(key: string): boolean;
  /** The first value, decoded; empty for a key without `=`. */
  get(key: string): string | undefined;
  getAll(key: string): string[];
  /** Changes the first pair of this key, whose place stays, and removes others; or adds one at the end. */
  set(key: string, value: string): void;
  add(key: string, value: string): void;
  /** Removes all pairs of this key; returns whether there were any. */
  delete(key: string): boolean;
}

/** Reads the text anew each time: it may be changed by other ways, too. */
export class QueryText implements HttpQuery {
  readonly #read: () => string;
  readonly #write: (query: string) => void;

  /** The query with its `?`, or empty. */
  constructor(read: () => string, write: (query: string) => void) {
    this.#read = read;
    this.#write = write;
  }

  has(key: string): boolean {
    return this.#pairs().some((pair) => keyOf(pair) === key);
  }

  get(key: string): string | undefined {
    const pair = this.#pairs().find((pair) => keyOf(pair) === key);
    return pair === undefined ? undefined : valueOf(pair);
  }

  getAll(key: string): string[] {
    return this.#pairs()
      .filter((pair) => keyOf(pair) === key)
      .map(valueOf);
  }

  set(key: string, value: string): void {
    const pairs = this.#pairs();
    const first = pairs.findIndex((pair) => keyOf(pair) === key);
    if (first < 0) {
      this.add(key, value);
      return;
    }
    if (valueOf(pairs[first]!) !== value) pairs[first] = `${rawKeyOf(pairs[first]!)}=${encode(value)}`;
    this.#replace(pairs.filter((pair, i) => i <= first || keyOf(pair) !== key));
  }

  add(key: string, value: string): void {
    this.#replace([...this.#pairs(), `${encode(key)}=${encode(value)}`]);
  }

  delete(key: string): boolean {
    const pairs = this.#pairs();
    const kept = pairs.filter((pair) => keyOf(pair) !== key);
    if (kept.length === pairs.length) return false;
    this.#replace(kept);
    return true;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, string]> {
    for (const pair of this.#pairs()) if (pair !== '') yield [keyOf(pair), valueOf(pair)] as const;
  }

  #pairs(): string[] {
    const text = this.#read();
    return text.length <= 1 ? [] : text.slice(1).split('&');
  }

  #replace(pairs: readonly string[]): void {
    this.#write(pairs.length === 0 ? '' : `?${pairs.join('&')}`);
  }
}

function rawKeyOf(pair: string): string {
  const mark = pair.indexOf('=');
  return mark < 0 ? pair : pair.slice(0, mark);
}

function keyOf(pair: string): string {
  return decode(rawKeyOf(pair));
}

function valueOf(pair: string): string {
  const mark = pair.indexOf('=');
  return mark < 0 ? '' : decode(pair.slice(mark + 1));
}

/** As forms do: `+` is a space, `%XX` is UTF-8; what is neither stays as it stands. */
function decode(text: string): string {
  if (!/[%+]/.test(text)) return text;
  const spaced = text.replaceAll('+', ' ');
  try {
    return decodeURIComponent(spaced);
  } catch {
    return spaced;
  }
}

function encode(text: string): string {
  // A lone surrogate has no UTF-8: it becomes the replacement character, as in URLSearchParams.
  return encodeURIComponent(text.replace(/\p{Surrogate}/gu, '\ufffd'));
}
