/**
 * Which frames of a libpcap capture count that has just been opened.
 *
 * libpcap binds its socket first, then makes it reject everything, and installs the filter only then. What came before is
 * in its buffer, what came in between is lost: taken together they look like connections that lack bytes. So nothing
 * counts until the buffer has been read empty once with the filter in place.
 */

/** Frames that another processor was taking in meanwhile are in the buffer by then, ms. */
const SETTLE_MS = 10;
/** No slot of libpcap's ring is smaller, bytes. */
const LEAST_SLOT = 512;

export class EarlyFrames {
  #count = 0;
  readonly #most: number;
  #begin: (() => void) | undefined;

  /** `begin` is called once, when frames count; `read` calls its argument when all that is in the buffer has been read. */
  constructor(bufferBytes: number, begin: () => void, read: (done: () => void) => void = readOnce) {
    this.#most = bufferBytes / LEAST_SLOT;
    this.#begin = begin;
    read(() => this.#end());
  }

  /** To be asked for each frame: whether it is one of those that do not count. */
  takes(): boolean {
    if (this.#begin === undefined) return false;
    this.#count++;
    // More than the buffer can have held: under such a load it may never be empty.
    if (this.#count > this.#most) this.#end();
    return this.#begin !== undefined;
  }

  #end(): void {
    this.#begin?.();
    this.#begin = undefined;
  }
}

/** `cap` reads until there is nothing left whenever the event loop polls, which it does between its timers and immediates. */
function readOnce(done: () => void): void {
  setTimeout(() => setImmediate(done), SETTLE_MS);
}
