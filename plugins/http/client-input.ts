/** The input of a push, and whether a message has begun in it: some clients send empty lines before one. */
import { ClientInput, type ClientBytes } from 'tcpcopy/plugin';
import { CR, LF } from './ascii.ts';
import { nextInput } from './llhttp-instance.ts';

export class HttpInput extends ClientInput {
  /** For `LlhttpParser.feed`. */
  name = 0;
  /** The message under way has begun. */
  begun = false;

  override push(input: ClientBytes): void {
    super.push(input);
    this.name = nextInput();
  }

  /** The server bytes seen since the message began, which from now on are dealt with. */
  takeSeen(): number {
    const { seen } = this;
    this.seen = 0;
    return seen;
  }

  override begin(): void {
    super.begin();
    this.begun = true;
  }

  /** The same, once: with the first byte that is not of the empty lines some clients send after a body. */
  beginRequest(): void {
    if (this.begun) return;
    let at = this.at;
    while (at < this.end && (this.bytes[at] === CR || this.bytes[at] === LF)) at++;
    if (at < this.end) this.begin();
  }

  override unbegin(): void {
    if (this.begun) super.unbegin();
    this.begun = false;
  }

  override cut(): void {
    super.cut();
    this.begun = false;
  }
}
