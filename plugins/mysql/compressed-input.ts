/**
 * The client's half of a compressed session (zlib): frames in, what was inside them out, as the input of the codec that reads
 * commands. What the client had seen of the server goes with the first bytes of the frame that said so.
 */
import type { ByteBudget, ClientBytes, ClientInput } from 'tcpcopy/plugin';
import { Decompressor } from './login/index.ts';

export class CompressedInput {
  readonly #decompressor: Decompressor;
  /** The bytes under way. */
  #frames: ClientBytes | undefined;

  constructor(budget: ByteBudget) {
    this.#decompressor = new Decompressor(budget);
  }

  /** Why nothing more comes: a few constant words. */
  get failure(): string | undefined {
    return this.#decompressor.failure;
  }

  /** Lent until `next` has returned false. */
  push(input: ClientBytes): void {
    const before = this.#frames?.serverBytesSeen ?? 0;
    this.#frames = { ...input, serverBytesSeen: input.serverBytesSeen + before };
    this.#decompressor.push(input.bytes, input.offset, input.length);
  }

  /** Pushes the next plain bytes on to `input`; false: more is needed, or there is a failure. */
  next(input: ClientInput): boolean {
    const frames = this.#frames;
    const plain = frames === undefined ? undefined : this.#decompressor.next();
    if (frames === undefined || plain === undefined) return false;
    input.push({ ...frames, bytes: plain, offset: 0, length: plain.length });
    this.#frames = { ...frames, serverBytesSeen: 0 };
    return true;
  }

  /** What is held is given back: nothing more comes. */
  end(): void {
    this.#decompressor.end();
  }
}
