/** For codecs: client bytes that are not handed on, and the messages or unreadable stretches they belong to. */
export class Swallowed {
  bytes = 0;
  messages = 0;
  /** What is swallowed now belongs to a message or stretch that is counted already. */
  #counted = false;

  /** Bytes of what is not to be read; the first ones count it. */
  add(length: number): void {
    if (!this.#counted) this.messages++;
    this.#counted = true;
    this.bytes += length;
  }

  /** Bytes that are of no message. */
  addStray(length: number): void {
    this.bytes += length;
  }

  /** The rest of a message follows that is counted elsewhere: it was begun, and is now broken. */
  followsBroken(): void {
    this.#counted = true;
  }

  /** What follows is another message or stretch. */
  separate(): void {
    this.#counted = false;
  }
}
