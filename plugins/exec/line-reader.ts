/** Cuts what a program prints into lines; one that is too long is left out whole. */
export class LineReader {
  readonly #longest: number;
  readonly #line: (line: string) => void;
  readonly #tooLong: () => void;
  #parts: Buffer[] = [];
  #length = 0;
  #skipping = false;

  /** `longest`: bytes. A line is given without its end, and as text: what is no UTF-8 in it is replaced. */
  constructor(longest: number, line: (line: string) => void, tooLong: () => void) {
    this.#longest = longest;
    this.#line = line;
    this.#tooLong = tooLong;
  }

  push(chunk: Buffer): void {
    let start = 0;
    for (let end = chunk.indexOf(10); end >= 0; end = chunk.indexOf(10, start)) {
      this.#take(chunk.subarray(start, end));
      this.#end();
      start = end + 1;
    }
    this.#take(chunk.subarray(start));
  }

  #take(part: Buffer): void {
    if (this.#skipping || part.length === 0) return;
    this.#length += part.length;
    if (this.#length > this.#longest) {
      this.#skipping = true;
      this.#parts = [];
      this.#tooLong();
    } else {
      this.#parts.push(part);
    }
  }

  #end(): void {
    if (!this.#skipping) this.#line(Buffer.concat(this.#parts).toString('utf8').replace(/\r$/, ''));
    this.#parts = [];
    this.#length = 0;
    this.#skipping = false;
  }
}
