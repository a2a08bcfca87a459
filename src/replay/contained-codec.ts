/** A plugin's codec. What it throws costs the rest of its connection, and nothing else: it is not asked again. */
import type { ClientBytes, Codec, Piece } from '../protocol/codec.ts';

export class ContainedCodec implements Codec {
  readonly #codec: Codec;
  readonly #failed: (error: unknown) => void;
  #over = false;
  /** Bytes that came after it had failed: one more message that nobody reads. */
  #unread = 0;

  /** `failed`: told once. */
  constructor(codec: Codec, failed: (error: unknown) => void) {
    this.#codec = codec;
    this.#failed = failed;
  }

  get protocol(): string {
    return this.#codec.protocol;
  }

  get skippedBytes(): number {
    return this.#codec.skippedBytes + this.#unread;
  }

  get skippedMessages(): number {
    return this.#codec.skippedMessages + (this.#unread > 0 ? 1 : 0);
  }

  push(input: ClientBytes): void {
    if (this.#over) {
      this.#unread += input.length;
      return;
    }
    try {
      this.#codec.push(input);
    } catch (error) {
      this.#fail(error, input.length);
    }
  }

  next(): Piece | undefined {
    if (this.#over) return undefined;
    try {
      return this.#codec.next();
    } catch (error) {
      this.#fail(error, 1);
      return undefined;
    }
  }

  gap(length: number): boolean {
    if (this.#over) return false;
    try {
      return this.#codec.gap(length);
    } catch (error) {
      this.#fail(error, 1);
      return false;
    }
  }

  end(): void {
    if (this.#over) return;
    try {
      this.#codec.end?.();
    } catch (error) {
      this.#fail(error, 1);
    }
  }

  /** What the last piece holds (its message, its new bytes), which is a plugin's doing, too; `undefined` if that throws. */
  ask<T>(question: () => T): T | undefined {
    try {
      return question();
    } catch (error) {
      this.#fail(error, 0);
      return undefined;
    }
  }

  #fail(error: unknown, unread: number): void {
    this.#unread += unread;
    if (this.#over) return;
    this.#over = true;
    this.#failed(error);
  }
}
