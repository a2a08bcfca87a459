/**
 * Reads one head after another, however it is cut. A head that lies whole in one push is left where it is; only one
 * that does not is copied together.
 */
import { acquireParser, HEAD_ENDS, NEED_MORE, releaseParser, type LlhttpParser, type ParserType } from './llhttp.ts';
import { PendingBytes, type ByteBudget } from 'tcpcopy/plugin';

export type HeadResult = 'more' | 'whole' | 'failed';

export class HeadReader {
  /** The head, once it is whole: valid until `release`, and while the bytes of the last `read` are. */
  bytes: Uint8Array;
  offset = 0;
  length = 0;
  /** Where in the bytes of the last `read` it stopped. After a failure: where that `read` began. */
  position = 0;
  /** Why, after a failure. */
  failure = '';
  /** Bytes of earlier reads that belong to the head under way. */
  readonly pending: PendingBytes;
  readonly #type: ParserType;
  readonly #limit: number;
  #parser: LlhttpParser | undefined;
  /** Nothing of the head has been read. */
  #mayBePlain = true;

  constructor(type: ParserType, limit: number, budget: ByteBudget) {
    this.#type = type;
    this.#limit = limit;
    this.pending = new PendingBytes(budget);
    this.bytes = this.pending.bytes;
  }

  /** Knows the head that was read last, and reads the chunks of its body. Only between `read` and `release`. */
  get parser(): LlhttpParser {
    return (this.#parser ??= acquireParser(this.#type));
  }

  /** Reads on; `input` names the bytes (`nextInput`). */
  read(input: number, bytes: Uint8Array, from: number, to: number): HeadResult {
    const { parser } = this;
    const plain = this.#type === 'request' && this.#mayBePlain && parser.readPlain(bytes, from, to);
    this.#mayBePlain = false;
    const stop = plain ? HEAD_ENDS : parser.feed(input, bytes, from, to);
    if (stop !== HEAD_ENDS && stop !== NEED_MORE) return this.#fail(from, this.parser.failure);
    const end = this.parser.position;
    const length = end - from;
    if (this.pending.length + length > this.#limit) return this.#fail(from, 'head-too-large');
    this.position = end;
    if (stop === HEAD_ENDS && this.pending.length === 0) {
      this.bytes = bytes;
      this.offset = from;
      this.length = length;
      return 'whole';
    }
    if (!this.pending.append(bytes, from, length)) return this.#fail(from, 'memory-cap');
    if (stop === NEED_MORE) return 'more';
    this.bytes = this.pending.bytes;
    this.offset = 0;
    this.length = this.pending.length;
    return 'whole';
  }

  /** Done with the head, or with what there is of it. */
  release(): void {
    if (this.#parser !== undefined) releaseParser(this.#parser);
    this.#parser = undefined;
    this.#mayBePlain = true;
    this.pending.release();
  }

  #fail(from: number, failure: string): HeadResult {
    this.position = from;
    this.failure = failure;
    return 'failed';
  }
}
