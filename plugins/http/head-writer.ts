/** Puts a head together from stretches of the captured one and new text. */
import { fromLatin1 } from './ascii.ts';
import { concat } from './bytes.ts';

export class HeadWriter {
  readonly #head: Uint8Array;
  readonly #parts: Uint8Array[] = [];
  /** The stretch of the captured head that is about to be added: lines left alone go in one piece. */
  #from = 0;
  #to = 0;

  constructor(head: Uint8Array) {
    this.#head = head;
  }

  captured(start: number, end: number): void {
    if (start === this.#to) {
      this.#to = end;
      return;
    }
    this.#flush();
    this.#from = start;
    this.#to = end;
  }

  text(latin1: string): void {
    this.#flush();
    this.#parts.push(fromLatin1(latin1));
  }

  finish(): Uint8Array {
    this.#flush();
    return concat(this.#parts);
  }

  #flush(): void {
    if (this.#to > this.#from) this.#parts.push(this.#head.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
