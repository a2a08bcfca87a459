/** A request body that was captured whole, as it was on the wire and decoded. */
import { fromLatin1 } from './ascii.ts';
import { concat } from './bytes.ts';

const NOTHING = new Uint8Array(0);

export class CapturedBody {
  static readonly EMPTY = new CapturedBody(NOTHING, undefined, NOTHING);
  /** As captured, chunk framing and trailers included. */
  readonly wire: Uint8Array;
  /** Trailer lines, without the empty line that ends them. */
  readonly trailers: Uint8Array;
  /** Starts and ends, within `wire`, of the content of chunks; `undefined`: `wire` is the content. */
  readonly #spans: readonly number[] | undefined;
  #content: Uint8Array | undefined;

  constructor(wire: Uint8Array, spans: readonly number[] | undefined, trailers: Uint8Array) {
    this.wire = wire;
    this.trailers = trailers;
    this.#spans = spans;
  }

  /** Without chunk framing. Content-Encoding is left alone. */
  get content(): Uint8Array {
    return (this.#content ??= this.#decode());
  }

  #decode(): Uint8Array {
    const spans = this.#spans;
    if (spans === undefined) return this.wire;
    const parts: Uint8Array[] = [];
    for (let i = 0; i < spans.length; i += 2) parts.push(this.wire.subarray(spans[i], spans[i + 1]));
    return concat(parts);
  }
}

/** `content` as one chunk, and the trailers (RFC 9112 §7.1). */
export function chunkedBody(content: Uint8Array, trailers: Uint8Array): Uint8Array {
  const size = content.length === 0 ? [] : [fromLatin1(`${content.length.toString(16)}\r\n`), content, CRLF];
  return concat([...size, fromLatin1('0\r\n'), trailers, CRLF]);
}

const CRLF = fromLatin1('\r\n');
