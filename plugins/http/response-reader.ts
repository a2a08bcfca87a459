/** HTTP's response side for tcpcopy: one server's bytes on one connection, read by `HttpResponseCodec`. */
import type { ResponseReader, ServerMessage } from 'tcpcopy/plugin';
import { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';
import { HttpResponseCodec } from './response-codec.ts';
import type { HttpSettings } from './settings.ts';

/** Ends of reading that are no fault of the response's: another protocol begins, or nothing more comes. */
const ORDERLY: readonly (string | undefined)[] = ['upgraded', 'closing', 'not-http'];

export class HttpResponseReader implements ResponseReader {
  readonly #codec: HttpResponseCodec<HttpRequest>;
  readonly #settings: HttpSettings;
  readonly #said: { message: HttpResponse<HttpRequest> | undefined; completes: boolean; failed: boolean } = {
    message: undefined,
    completes: false,
    failed: false,
  };
  /** Behind the requests that wait for a response, something was sent that is not HTTP. */
  #otherFollows = false;
  #counted = false;

  constructor(settings: HttpSettings) {
    this.#settings = settings;
    this.#codec = new HttpResponseCodec(settings);
  }

  get reading(): boolean {
    return this.#codec.reading;
  }

  get failure(): string | undefined {
    const { failure } = this.#codec;
    return ORDERLY.includes(failure) ? undefined : failure;
  }

  get closes(): boolean {
    return this.#codec.failure === 'closing';
  }

  sent(message: unknown): boolean {
    if (message instanceof HttpRequest && !this.#otherFollows) this.#codec.expect(message.method, message);
    else this.#otherFollows = true;
    this.#abandonIfDue();
    return true;
  }

  push(bytes: Uint8Array, offset: number, length: number): void {
    this.#codec.push(bytes, offset, length);
  }

  gap(length: number): void {
    this.#codec.gap(length);
  }

  end(): void {
    this.#codec.end();
  }

  next(): ServerMessage | undefined {
    const response = this.#codec.next();
    if (response === undefined) {
      this.#countFailure();
      return undefined;
    }
    this.#settings.stats.responses++;
    this.#said.message = response;
    this.#said.completes = !response.informational && response.end !== 'truncated';
    this.#said.failed = response.status >= 500;
    this.#abandonIfDue();
    return this.#said;
  }

  /** The requests before it are answered: what comes now answers what is not HTTP. */
  #abandonIfDue(): void {
    if (this.#otherFollows && this.#codec.outstanding === 0 && this.#codec.reading) this.#codec.abandon();
  }

  #countFailure(): void {
    if (this.failure === undefined || this.#counted) return;
    this.#counted = true;
    this.#settings.stats.unreadable.count(this.failure);
  }
}
