/** What other plugins may ask of the codec, through hooks of the protocol: bodies, and strictness. */
import type { ResponseOrigin } from 'tcpcopy/plugin';
import type { HttpRequest } from './request.ts';
import type { HttpResponse } from './response.ts';

/** A connection that turned out to speak HTTP. */
export class HttpReading {
  #strict = false;

  /** Bytes of it that are not strictly HTTP/1.x are not sent: for who must have seen everything that is. */
  refuseUnparsable(): void {
    this.#strict = true;
  }

  /** Somebody has said so. */
  get strict(): boolean {
    return this.#strict;
  }
}

/** The head of a request whose body is still to come. */
export class HttpHead {
  /** To look at: changes are the business of `http.request`. */
  readonly request: HttpRequest;
  #wanted = false;

  constructor(request: HttpRequest) {
    this.request = request;
  }

  /** Its body is held until it is complete, so that `request.body` is there on `http.request`, if it is not too long. */
  wantBody(): void {
    this.#wanted = true;
  }

  /** Somebody has said so. */
  get wanted(): boolean {
    return this.#wanted;
  }
}

/** The head of a response whose body is still to come. */
export class HttpResponseHead {
  readonly response: HttpResponse<HttpRequest>;
  readonly origin: ResponseOrigin;
  #wanted = false;

  constructor(response: HttpResponse<HttpRequest>, origin: ResponseOrigin) {
    this.response = response;
    this.origin = origin;
  }

  /** Its body is held until it is complete, so that `response.body` is there on `http.response`, if it is not too long. */
  wantBody(): void {
    this.#wanted = true;
  }

  /** Somebody has said so. */
  get wanted(): boolean {
    return this.#wanted;
  }
}
