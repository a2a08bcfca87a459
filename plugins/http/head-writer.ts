/** Puts a head together from stretches of the captured one and new text. */

/** Room for new text beyond the captured head, before the first growth. */
const SLACK = 256;

export class HeadWriter {
  readonly #head: Buffer;
  #out: Buffer;
  #length = 0;

  constructor(head: Buffer) {
    this.#head = head;
    this.#out = Buffer.allocUnsafe(head.length + SLACK);
  }

  captured(start: number, end: number): void {
    this.#reserve(end - start);
    this.#length += this.#head.copy(this.#out, this.#length, start, end);
  }

  text(latin1: string): void {
    this.#reserve(latin1.length);
    this.#length += this.#out.write(latin1, this.#length, 'latin1');
  }

  finish(): Uint8Array {
    return this.#out.subarray(0, this.#length);
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#out.length) return;
    const grown = Buffer.allocUnsafe((this.#length + length) * 2);
    this.#out.copy(grown, 0, 0, this.#length);
    this.#out = grown;
  }
}
