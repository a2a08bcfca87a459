/** One HTTP response as plugins see it. It owns its bytes, so it may be kept; what a tap changes, later ones see changed. */
import { latin1 } from './ascii.ts';
import type { Framing } from './framing.ts';
import { HeaderList, type HeaderState, type HttpHeaders } from './headers.ts';
import type { LlhttpParser } from './llhttp.ts';

/** How a response came to its end. */
export type ResponseEnd =
  /** As its framing says: length, last chunk, or no body at all. */
  | 'complete'
  /** The connection was closed, which is the end this response announced. */
  | 'closed'
  /** The connection was closed before. */
  | 'truncated'
  /** It has no end of its own: what follows is another protocol (101, or 2xx to CONNECT). */
  | 'upgraded';

interface ResponseState {
  readonly headers: HeaderState;
  readonly body: Uint8Array | undefined;
}

export class HttpResponse<T = unknown> {
  /** What `expect` was given for the request this answers; `undefined` when it answers none. */
  readonly request: T | undefined;
  readonly status: number;
  readonly reason: string;
  readonly version: '1.0' | '1.1';
  readonly #headers: HeaderList;
  readonly keepAlive: boolean;
  /** Bytes of the head, and of the body on the wire (with chunk framing) and without it. */
  readonly headLength: number;
  bodyWireLength = 0;
  bodyLength = 0;
  /**
   * The content, without chunk framing; Content-Encoding is left alone. `undefined`: it was not asked for
   * (`http.responseHead`), was too long, or lacks bytes.
   */
  body: Uint8Array | undefined = undefined;
  end: ResponseEnd = 'complete';

  /** For codecs: the response whose head `parser` and `framing` have just read. */
  constructor(parser: LlhttpParser, framing: Framing, head: Buffer, request: T | undefined) {
    this.request = request;
    this.status = parser.status;
    this.reason = latin1(head, parser.lineStart, parser.lineEnd);
    this.version = parser.minor === 0 ? '1.0' : '1.1';
    this.#headers = new HeaderList(head, parser.copySpans());
    // Not llhttp's view: it does not know that a response to HEAD needs no length.
    this.keepAlive = !framing.close && (parser.minor > 0 || framing.persist);
    this.headLength = head.length;
  }

  get headers(): HttpHeaders {
    return this.#headers;
  }

  /** See `Revertible`. */
  checkpoint(): ResponseState {
    return { headers: this.#headers.state, body: this.body };
  }

  revert(to: ResponseState): void {
    this.#headers.state = to.headers;
    this.body = to.body;
  }

  /** 1xx: the final response to the same request is still to come. */
  get informational(): boolean {
    return this.status < 200 && this.status !== 101;
  }
}
