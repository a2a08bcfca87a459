/** A request that is held until its body is complete, because somebody asked for that. */
import { CapturedBody } from './body.ts';
import { copyOf } from './bytes.ts';
import { PendingBytes, type ByteBudget } from 'tcpcopy/plugin';
import type { HttpRequest } from './request.ts';

/** A piece of a message as it will be told. */
export interface ReadyPiece {
  readonly bytes: Uint8Array;
  readonly offset: number;
  readonly length: number;
  readonly first: boolean;
  readonly last: boolean;
  readonly message?: HttpRequest;
}

export class HeldMessage {
  readonly request: HttpRequest;
  readonly headLength: number;
  /** Head and body as captured. */
  readonly bytes: PendingBytes;
  /** Starts and ends of the content of chunks, from the start of the message. */
  readonly spans: number[] = [];
  readonly #limit: number;

  /** `bodyLimit`: wire bytes of the body. */
  constructor(request: HttpRequest, headLength: number, bodyLimit: number, budget: ByteBudget) {
    this.request = request;
    this.headLength = headLength;
    this.bytes = new PendingBytes(budget);
    this.#limit = headLength + bodyLimit;
  }

  /** Adds bytes of the head or the body; false when they are too many, and then nothing is added. */
  append(bytes: Uint8Array, offset: number, length: number): boolean {
    return this.bytes.length + length <= this.#limit && this.bytes.append(bytes, offset, length);
  }

  /** The request with its body. `trailerStart`: where trailer lines begin, from the start of the message; -1: none. */
  complete(trailerStart: number): HttpRequest {
    const { bytes, length } = this.bytes;
    const wire = copyOf(bytes, this.headLength, length - this.headLength);
    const chunked = this.request.chunked;
    const spans = chunked ? this.spans.map((at) => at - this.headLength) : undefined;
    // Between the last chunk and the empty line.
    const trailers = trailerStart < 0 ? [] : wire.subarray(trailerStart - this.headLength, wire.length - 2);
    this.request.attachBody(new CapturedBody(wire, spans, Uint8Array.from(trailers)));
    this.bytes.release();
    return this.request;
  }

  /** It will not be complete: the head, and what there is of the body, which may be nothing. */
  giveUp(): ReadyPiece[] {
    const { headLength, request: message } = this;
    const { bytes, length } = this.bytes;
    this.bytes.release();
    return [
      { bytes, offset: 0, length: headLength, first: true, last: false, message },
      { bytes, offset: headLength, length: length - headLength, first: false, last: false },
    ];
  }
}
