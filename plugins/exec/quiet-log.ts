/** Lines of a program, as many as a person can read: beyond so many a second they are only counted. */
import type { Instant } from 'tcpcopy/plugin';

const PER_SECOND = 10;
const SECOND = 1e6;
const LONGEST = 500;

export class QuietLog {
  readonly #write: (line: string) => void;
  readonly #now: () => Instant;
  #second = -Infinity;
  #written = 0;
  #leftOut = 0;

  constructor(write: (line: string) => void, now: () => Instant) {
    this.#write = write;
    this.#now = now;
  }

  line(text: string): void {
    const now = this.#now();
    if (now - this.#second >= SECOND) {
      this.#second = now;
      this.#written = 0;
      if (this.#leftOut > 0) this.#write(`(${this.#leftOut} more lines, left out)`);
      this.#leftOut = 0;
    }
    if (this.#written++ < PER_SECOND) this.#write(printable(text));
    else this.#leftOut++;
  }
}

/** As much of it as fits a line, without what a terminal would take for commands. */
function printable(text: string): string {
  const short = text.length > LONGEST ? `${text.slice(0, LONGEST)}…` : text;
  return short.replace(/[\x00-\x1f\x7f-\x9f]/g, ' ');
}
