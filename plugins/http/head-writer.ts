/** Puts a head together from stretches of the captured one and new text. */

import { copyBytes } from './bytes.ts';

/** Room for new text beyond the captured head, before the first growth. */
const SLACK = 64;

export class HeadWriter {
  readonly #head: Buffer;
  #out: Buffer;
  #length = 0;
  /** The stretch of the captured head to be added next: lines left alone are copied in one go. */
  #from = 0;
  #to = 0;

  constructor(head: Buffer) {
    this.#head = head;
    this.#out = Buffer.allocUnsafe(head.length + SLACK);
  }

  captured(start: number, end: number): void {
    if (start !== this.#to) {
      this.#flush();
      this.#from = start;
    }
    this.#to = end;
  }

  text(latin1: string): void {
    this.#flush();
    this.#reserve(latin1.length);
    // Most texts are short: a call into native code would cost more.
    for (let i = 0; i < latin1.length; i++) this.#out[this.#length + i] = latin1.charCodeAt(i);
    this.#length += latin1.length;
  }

  finish(): Uint8Array {
    this.#flush();
    return this.#out.subarray(0, this.#length);
  }

  #flush(): void {
    const length = this.#to - this.#from;
    this.#reserve(length);
    copyBytes(this.#head, this.#from, length, this.#out, this.#length);
    this.#length += length;
    this.#from = this.#to;
  }

  #reserve(length: number): void {
    if (this.#length + length <= this.#out.length) return;
    const grown = Buffer.allocUnsafe((this.#length + length) * 2);
    this.#out.copy(grown, 0, 0, this.#length);
    this.#out = grown;
  }
}
