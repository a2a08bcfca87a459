/**
 * The server's half of HTTP/1.x: bytes of a session in, complete responses out, each with the request it answers.
 *
 * Theory of operation. Only the request tells whether a response has a body (HEAD, CONNECT), so requests are announced
 * with `expect` as they are sent, and answered in order. The end of a response follows RFC 9112 §6.3:
 *
 *     head ─┬─ (1xx, 204, 304, HEAD: no body) ─▶ head
 *           ├─ length, chunked ─▶ head
 *           ├─ rest: until the connection closes
 *           └─ opaque: after 101 or CONNECT, and when the bytes are not HTTP
 *
 * An opaque rest says nothing of where responses end: `reading` is false, and who paces by responses needs other means.
 */
import { PendingBytes } from 'tcpcopy/plugin';
import { copyOf } from './bytes.ts';
import { Framing } from './framing.ts';
import { HeadReader } from './head-reader.ts';
import { nextInput } from './llhttp-instance.ts';
import { FAILED, MESSAGE_ENDS } from './llhttp.ts';
import { OutstandingRequests } from './outstanding.ts';
import { HttpResponse, type ResponseEnd } from './response.ts';
import { httpSettings, type HttpSettings } from './settings.ts';

type State = 'head' | 'length' | 'chunked' | 'rest' | 'opaque';

const EMPTY: Uint8Array = new Uint8Array(0);

export class HttpResponseCodec<T = unknown> {
  /** Final responses that were complete, and all bytes that were pushed. */
  completed = 0;
  received = 0;
  /** Why responses are no longer read, if they are not. */
  failure: string | undefined;
  readonly #settings: HttpSettings;
  readonly #head: HeadReader;
  readonly #framing = new Framing();
  readonly #requests = new OutstandingRequests<T>();
  #state: State = 'head';
  #bytes = EMPTY;
  #at = 0;
  #end = 0;
  #input = 0;
  /** Bytes of the body still to come. */
  #remaining = 0;
  #response: HttpResponse<T> | undefined;
  /** The content of its body so far, where somebody wants it. */
  #held: PendingBytes | undefined;
  #ready: HttpResponse<T> | undefined;

  constructor(settings: HttpSettings = httpSettings()) {
    this.#settings = settings;
    this.#head = new HeadReader('response', settings.headLimit, settings.budget);
  }

  /** A request goes out. `request` comes back with its response. */
  expect(method: string, request: T): void {
    if (this.reading) this.#requests.add(method, request);
  }

  /** Requests without a final, complete response; 0 when responses are no longer read. */
  get outstanding(): number {
    return this.#requests.length;
  }

  /** Whether the ends of responses are known. */
  get reading(): boolean {
    return this.#state !== 'opaque';
  }

  /** Bytes of the server, in order. They are valid until the next push; take responses until there are none. */
  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#bytes = bytes;
    this.#at = offset;
    this.#end = offset + length;
    this.#input = nextInput();
    this.received += length;
  }

  /** The next response that is complete, informational ones too. */
  next(): HttpResponse<T> | undefined {
    while (this.#at < this.#end && this.#ready === undefined) this.#step();
    const ready = this.#ready;
    this.#ready = undefined;
    return ready;
  }

  /**
   * Bytes of the server are missing here. Inside a body whose end does not depend on its bytes they are only not there;
   * anywhere else nothing is read any more.
   */
  gap(length: number): void {
    const counted = this.#state === 'length' && length < this.#remaining;
    if (!counted && this.#state !== 'rest') return this.#giveUp('bytes-missing');
    this.#dropBody();
    if (counted) this.#remaining -= length;
    this.#response!.bodyWireLength += length;
    this.#response!.bodyLength += length;
  }

  /** The server has closed: the response that was under way ends here, and `next` tells how. */
  end(): void {
    const response = this.#response;
    if (response !== undefined) this.#finish(this.#state === 'rest' ? 'closed' : 'truncated');
    this.#giveUp(undefined);
  }

  /** What the target is sent from now on is not HTTP, so what it answers cannot be read either. */
  abandon(): void {
    this.#giveUp('not-http');
  }

  #step(): void {
    switch (this.#state) {
      case 'head':
        return this.#stepHead();
      case 'length':
        return this.#stepLength();
      case 'chunked':
        return this.#stepChunked();
      case 'rest':
        this.#keepBody(this.#bytes, this.#at, this.#end - this.#at);
        return this.#body(this.#end - this.#at, this.#end - this.#at);
      case 'opaque':
        this.#at = this.#end;
    }
  }

  #stepHead(): void {
    const head = this.#head;
    const result = head.read(this.#input, this.#bytes, this.#at, this.#end);
    this.#at = head.position;
    if (result === 'more') return;
    if (result === 'failed') return this.#giveUp(head.failure);
    const problem = this.#framing.readResponse(head.parser, head.bytes, head.offset);
    if (problem !== undefined) return this.#giveUp(problem);
    const { parser } = head;
    const asked = this.#requests.first;
    const bytes = copyOf(head.bytes, head.offset, head.length);
    this.#response = new HttpResponse(parser, this.#framing, bytes, asked?.request);
    this.#beginBody(parser.status, asked?.method);
    if (this.#state !== 'chunked') head.release();
    else head.pending.release();
    if (this.#ready !== undefined) this.#ready.body = EMPTY;
    else this.#holdBody();
  }

  /** Asks whether anybody wants the body that begins here. */
  #holdBody(): void {
    const { wantsResponseBody, bodyLimit, budget, stats } = this.#settings;
    if (wantsResponseBody?.(this.#response!) !== true) return;
    if (this.#state === 'length' && this.#remaining > bodyLimit) stats.bodiesOverLimit++;
    else this.#held = new PendingBytes(budget);
  }

  #dropBody(): void {
    this.#held?.release();
    this.#held = undefined;
  }

  #keepBody(bytes: Uint8Array, offset: number, length: number): void {
    const held = this.#held;
    if (held === undefined || length === 0) return;
    const { bodyLimit, stats } = this.#settings;
    if (held.length + length <= bodyLimit && held.append(bytes, offset, length)) return;
    stats.bodiesOverLimit++;
    this.#dropBody();
  }

  /** RFC 9112 §6.3, in its order. */
  #beginBody(status: number, method: string | undefined): void {
    const { contentLength, transferEncodings, chunked } = this.#framing;
    if (status === 101 || (method === 'CONNECT' && status >= 200 && status < 300)) return this.#finish('upgraded');
    if (method === 'HEAD' || status < 200 || status === 204 || status === 304) return this.#finish('complete');
    if (transferEncodings > 0) this.#state = chunked ? 'chunked' : 'rest';
    else if (contentLength < 0) this.#state = 'rest';
    else if (contentLength === 0) this.#finish('complete');
    else {
      this.#state = 'length';
      this.#remaining = contentLength;
    }
  }

  #stepLength(): void {
    const length = Math.min(this.#remaining, this.#end - this.#at);
    this.#remaining -= length;
    this.#keepBody(this.#bytes, this.#at, length);
    this.#body(length, length);
    if (this.#remaining === 0) this.#finish('complete');
  }

  #stepChunked(): void {
    const { parser } = this.#head;
    const spans = (parser.bodySpans ??= []);
    const stop = parser.feed(this.#input, this.#bytes, this.#at, this.#end);
    if (stop === FAILED) return this.#giveUp(parser.failure);
    // Spans count from the first byte of the head.
    const { headLength, bodyWireLength } = this.#response!;
    const base = this.#at - headLength - bodyWireLength;
    let content = 0;
    for (let i = 0; i < spans.length; i += 2) {
      const length = spans[i + 1]! - spans[i]!;
      this.#keepBody(this.#bytes, base + spans[i]!, length);
      content += length;
    }
    spans.length = 0;
    this.#body(parser.position - this.#at, content);
    if (stop !== MESSAGE_ENDS) return;
    this.#head.release();
    this.#finish('complete');
  }

  #body(wire: number, content: number): void {
    this.#at += wire;
    this.#response!.bodyWireLength += wire;
    this.#response!.bodyLength += content;
  }

  #finish(end: ResponseEnd): void {
    const response = this.#response!;
    this.#response = undefined;
    response.end = end;
    const held = this.#held;
    if (held !== undefined) {
      if (end !== 'truncated') {
        response.body = held.bytes.subarray(0, held.length);
        this.#settings.stats.bodiesHeld++;
      }
      this.#dropBody();
    }
    this.#ready = response;
    this.#state = 'head';
    if (!response.informational) {
      this.#requests.shift();
      if (end !== 'truncated') this.completed++;
    }
    if (end === 'upgraded') this.#giveUp('upgraded');
    // What follows a response that closes the connection is not a response, but may be read no further than that.
    else if (!response.keepAlive && !response.informational && end === 'complete') this.#giveUp('closing');
  }

  #giveUp(failure: string | undefined): void {
    this.failure ??= failure;
    this.#state = 'opaque';
    this.#response = undefined;
    this.#dropBody();
    this.#requests.clear();
    this.#head.release();
    this.#at = this.#end;
  }
}
