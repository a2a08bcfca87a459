/** Requests that wait for their response, in order: HTTP/1.x answers in the order it is asked (RFC 9112 §9.3.2). */

export interface Outstanding<T> {
  readonly method: string;
  readonly request: T;
}

/** Places of answered requests are given up from this many on. */
const COMPACT_AT = 64;

export class OutstandingRequests<T> {
  #entries: Outstanding<T>[] = [];
  #head = 0;

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** The oldest one. */
  get first(): Outstanding<T> | undefined {
    return this.#entries[this.#head];
  }

  add(method: string, request: T): void {
    this.#entries.push({ method, request });
  }

  /** The oldest one has its response. */
  shift(): void {
    if (this.#head === this.#entries.length) return;
    this.#head++;
    if (this.#head * 2 >= this.#entries.length && (this.#head >= COMPACT_AT || this.#head === this.#entries.length)) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
  }
}
