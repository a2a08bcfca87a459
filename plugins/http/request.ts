/**
 * One HTTP request as plugins see and change it. It owns its bytes, so it may be kept. What is not changed keeps its
 * captured bytes; framing (Content-Length, Transfer-Encoding) follows the body and cannot be set by hand.
 */
import type { Revertible } from 'tcpcopy/plugin';
import { isToken, latin1, SLASH } from './ascii.ts';
import { type CapturedBody, chunkedBody } from './body.ts';
import { concat, copyOf } from './bytes.ts';
import type { Framing } from './framing.ts';
import { HeadWriter } from './head-writer.ts';
import { HeaderList, type HeaderState, type HttpHeaders } from './headers.ts';
import { JsonText, type HttpJson } from './json.ts';
import { methodName } from './llhttp-instance.ts';
import type { LlhttpParser } from './llhttp.ts';
import { QueryText, type HttpQuery } from './query.ts';
import { checkedPath, checkedTarget, joinTarget, splitTarget, type TargetParts } from './target.ts';

/** What was read of a head and does not change. */
interface Captured {
  /** Method and version as captured, and where method and target lie in the head. */
  readonly method: string;
  readonly version: '1.0' | '1.1';
  readonly methodStart: number;
  readonly targetStart: number;
  readonly targetEnd: number;
  /** Where the first header line begins. */
  readonly fieldsStart: number;
  readonly contentLength: number | undefined;
  readonly chunked: boolean;
  readonly keepAlive: boolean;
  readonly expectsContinue: boolean;
  readonly upgrade: boolean;
}

/** How a request stood at some moment. */
interface RequestState {
  readonly method: string;
  readonly target: string | undefined;
  readonly targetChanged: boolean;
  readonly headers: HeaderState;
  readonly newBody: Uint8Array | undefined;
}

export class HttpRequest implements Revertible {
  readonly headers: HttpHeaders;
  readonly #head: Buffer;
  readonly #captured: Captured;
  readonly #headers: HeaderList;
  #method: string;
  /** Read when it is asked for. */
  #target: string | undefined;
  #targetChanged = false;
  #query: QueryText | undefined;
  #body: CapturedBody | undefined;
  #newBody: Uint8Array | undefined;

  private constructor(head: Buffer, captured: Captured, headers: HeaderList) {
    this.#head = head;
    this.#captured = captured;
    this.#headers = headers;
    this.headers = headers;
    this.#method = captured.method;
  }

  /** For codecs: the request whose head `parser` has just read, at `at` in `bytes`. */
  static read(parser: LlhttpParser, framing: Framing, bytes: Uint8Array, at: number, length: number): HttpRequest {
    const head = copyOf(bytes, at, length);
    const captured: Captured = {
      method: methodName(parser.method),
      version: parser.minor === 0 ? '1.0' : '1.1',
      methodStart: framing.lineStart,
      targetStart: parser.lineStart,
      targetEnd: parser.lineEnd,
      fieldsStart: parser.lineEnd + ' HTTP/1.1\r\n'.length,
      contentLength: framing.contentLength < 0 ? undefined : framing.contentLength,
      chunked: framing.chunked,
      keepAlive: parser.keepAlive,
      expectsContinue: framing.expectsContinue,
      upgrade: parser.upgrade,
    };
    return new HttpRequest(head, captured, new HeaderList(head, parser.copySpans()));
  }

  /** For codecs: the body, once all of it has been captured. */
  attachBody(body: CapturedBody): void {
    this.#body = body;
  }

  get method(): string {
    return this.#method;
  }

  set method(method: string) {
    if (method === this.#method) return;
    if (!isToken(method)) throw new TypeError(`not a method: ${JSON.stringify(method)}`);
    this.#refuseConnect();
    if (method.toUpperCase() === 'CONNECT') throw new TypeError('a request cannot be made a CONNECT');
    this.#method = method;
  }

  /** The request target as it stands in the request line: `/path?query`, rarely `http://host/path` or `*`. */
  get target(): string {
    return (this.#target ??= latin1(this.#head, this.#captured.targetStart, this.#captured.targetEnd));
  }

  set target(target: string) {
    this.#changeTarget(target);
  }

  /** Still percent-encoded. */
  get path(): string {
    return splitTarget(this.target).path;
  }

  set path(path: string) {
    this.#changePart({ path: checkedPath(path) });
  }

  get query(): HttpQuery {
    this.#query ??= new QueryText(
      () => splitTarget(this.target).query,
      (query) => this.#changePart({ query }),
    );
    return this.#query;
  }

  get version(): '1.0' | '1.1' {
    return this.#captured.version;
  }

  /** Host of the target when it names one (RFC 9112 §3.2.2), else of the Host field; with its port, if any. */
  get host(): string | undefined {
    const origin = this.#isPath() ? '' : splitTarget(this.target).origin;
    if (origin === '') return this.headers.get('host');
    return origin.slice(origin.indexOf('://') + 3).replace(/^.*@/, '');
  }

  set host(host: string) {
    const parts = this.#isPath() ? undefined : splitTarget(this.target);
    if (parts !== undefined && parts.origin !== '') {
      this.target = joinTarget({
        ...parts,
        origin: parts.origin.replace(/^([A-Za-z]+:\/\/(?:.*@)?).*$/, (_, before: string) => before + host),
      });
    }
    this.headers.set('Host', host);
  }

  /** Bytes of the body, where that is said in advance. */
  get contentLength(): number | undefined {
    if (this.#newBody === undefined || this.chunked) return this.#captured.contentLength;
    return this.#newBody.length;
  }

  get chunked(): boolean {
    return this.#captured.chunked;
  }

  /** As captured: whether the client meant to go on with the connection. */
  get keepAlive(): boolean {
    return this.#captured.keepAlive;
  }

  /** As captured: the client wanted to hear `100 Continue` before it sent the body. */
  get expectsContinue(): boolean {
    return this.#captured.expectsContinue;
  }

  /** As captured: what follows on the connection may be another protocol (Upgrade, CONNECT). */
  get upgrade(): boolean {
    return this.#captured.upgrade;
  }

  /**
   * The content, without chunk framing; Content-Encoding is left alone. `undefined`: the body streams past and was not
   * asked for, or was too long. Assigning a new one fixes the framing; do not change the array in place.
   */
  get body(): Uint8Array | undefined {
    return this.#newBody ?? this.#body?.content;
  }

  set body(body: Uint8Array) {
    if (!(body instanceof Uint8Array)) throw new TypeError('a body is a Uint8Array');
    if (this.#body === undefined) throw new TypeError('this body streams past; ask for it first');
    if (this.#method === 'CONNECT') throw new TypeError('a CONNECT has no body');
    this.#newBody = body;
    if (!this.chunked && (body.length > 0 || this.#headers.has('Content-Length'))) {
      this.#headers.write('Content-Length', String(body.length));
    }
  }

  /**
   * The body as JSON, whatever Content-Type says; `undefined` where it is not there, encoded (Content-Encoding), no JSON
   * in UTF-8, or nested more than 1,000 deep. Changes go into the body.
   */
  get json(): HttpJson | undefined {
    const { body } = this;
    const encoding = this.headers.get('Content-Encoding');
    if (body === undefined || body.length === 0) return undefined;
    if (encoding !== undefined && encoding.toLowerCase() !== 'identity') return undefined;
    return JsonText.read(body, (changed) => (this.body = changed));
  }

  /** Something differs from what was captured. */
  get changed(): boolean {
    return this.#headChanged() || this.#newBody !== undefined;
  }

  /** The head with its changes. */
  serializeHead(): Uint8Array {
    if (!this.#headChanged()) return this.#head;
    const { method, methodStart, targetStart, targetEnd, fieldsStart } = this.#captured;
    const out = new HeadWriter(this.#head);
    out.captured(0, methodStart);
    if (this.#method === method) out.captured(methodStart, methodStart + method.length);
    else out.text(this.#method);
    out.captured(methodStart + method.length, targetStart);
    if (this.#targetChanged) out.text(this.target);
    else out.captured(targetStart, targetEnd);
    out.captured(targetEnd, fieldsStart);
    this.#headers.serialize(out);
    out.captured(this.#head.length - 2, this.#head.length);
    return out.finish();
  }

  /** The whole message; only its head while the body streams past. */
  serialize(): Uint8Array {
    const body = this.#body;
    if (body === undefined) return this.serializeHead();
    if (this.#newBody === undefined) {
      return body.wire.length === 0 ? this.serializeHead() : concat([this.serializeHead(), body.wire]);
    }
    const content = this.chunked ? chunkedBody(this.#newBody, body.trailers) : this.#newBody;
    return concat([this.serializeHead(), content]);
  }

  /** A copy with all changes made so far, to be changed by itself. */
  clone(): HttpRequest {
    const copy = new HttpRequest(this.#head, this.#captured, this.#headers.clone());
    copy.#method = this.#method;
    copy.#target = this.#target;
    copy.#targetChanged = this.#targetChanged;
    copy.#body = this.#body;
    copy.#newBody = this.#newBody;
    return copy;
  }

  checkpoint(): RequestState {
    return {
      method: this.#method,
      target: this.#target,
      targetChanged: this.#targetChanged,
      headers: this.#headers.state,
      newBody: this.#newBody,
    };
  }

  revert(to: RequestState): void {
    this.#method = to.method;
    this.#target = to.target;
    this.#targetChanged = to.targetChanged;
    this.#headers.state = to.headers;
    this.#newBody = to.newBody;
  }

  /** The target is as captured and begins with a slash: then it names no host, and need not be read to know that. */
  #isPath(): boolean {
    return !this.#targetChanged && this.#head[this.#captured.targetStart] === SLASH;
  }

  #headChanged(): boolean {
    return this.#method !== this.#captured.method || this.#targetChanged || this.#headers.changed;
  }

  /** The rest stays as the client has written it, also an origin that could not be set, as in `http:///path`. */
  #changePart(part: Partial<TargetParts>): void {
    const parts = { ...splitTarget(this.target), ...part };
    this.#changeTarget(joinTarget(parts), parts.origin !== '');
  }

  #changeTarget(target: string, sound = false): void {
    if (target === this.target) return;
    this.#refuseConnect();
    this.#target = sound ? target : checkedTarget(target);
    this.#targetChanged = true;
  }

  #refuseConnect(): void {
    if (this.#captured.method === 'CONNECT') throw new TypeError('method and target of a CONNECT stay');
  }
}
