/**
 * The client's half of HTTP/1.x: bytes in, pieces of requests out.
 *
 * Theory of operation. A request is its head, in one piece however it was cut, then its body as it comes. Heads and
 * chunk framing are llhttp's; a body of known length is only counted. What is not strictly HTTP/1.x makes the rest of
 * the connection opaque: its bytes pass exactly as they are, in turns, or not at all (`unparsable`).
 *
 *     head ─┬─ length ──┬─▶ head              the next request
 *           ├─ chunked ─┤
 *           └───────────┴─▶ raw               Upgrade, CONNECT; and from anywhere: unparsable
 *     gap inside a body of known length ─▶ skip ─▶ head, at the exact boundary
 *     any other gap ─▶ head, *seeking*: a request is believed only at the start of a segment and as a whole head
 *
 * Seeking, a body that contains a request at the start of a segment can be taken for one; a Host field is asked for
 * beyond what llhttp wants, which RFC 9112 §3.2 makes mandatory. After an Upgrade the target may have refused, so a
 * request that begins a turn leads back.
 *
 * What follows Upgrade or CONNECT is of use in that session only. A turn of unparsable bytes is not held to it: as in any
 * opaque connection it may well be a request, which the target reads if this codec does not.
 */
import { Swallowed, type ClientBytes, type Codec, type MessagePiece } from 'tcpcopy/plugin';
import { CapturedBody } from './body.ts';
import { HttpInput } from './client-input.ts';
import { detect } from './detect.ts';
import { Framing } from './framing.ts';
import { HeadReader } from './head-reader.ts';
import { methodName } from './llhttp-instance.ts';
import { FAILED, MESSAGE_ENDS } from './llhttp.ts';
import { HttpRequest } from './request.ts';
import { RequestOutlet } from './request-outlet.ts';
import { httpSettings, type HttpSettings } from './settings.ts';

type State = 'head' | 'length' | 'chunked' | 'skip' | 'raw';

/** So many bytes of a request line without its end, bytes, are no accident: a segment's worth of a long target. */
const LONG_LINE = 512;

export type HttpPiece = MessagePiece<HttpRequest>;

export class HttpRequestCodec implements Codec {
  readonly protocol = 'http';
  readonly #settings: HttpSettings;
  readonly #head: HeadReader;
  readonly #framing = new Framing();
  readonly #in = new HttpInput();
  readonly #out: RequestOutlet;
  readonly #swallowed = new Swallowed();
  #state: State = 'head';
  /** No boundary is known; with `#exact`, there is one here if all lengths were right. */
  #seeking: boolean;
  #exact = false;

  /** Bytes of the body still to come, in `length` and `skip`. */
  #remaining = 0;
  #method = 0;
  #keepAlive = true;
  #upgrade = false;
  /** The client waits for 100 Continue before it sends the body. */
  #expects = false;
  /** What is wrong with the chunk framing at `#at`; empty: nothing so far. */
  #chunkFailure = '';
  /** The head reader is done with its head, but the piece that is out may still be asked for its message. */
  #headDone = false;

  /** After a request with `Connection: close`: nothing should follow. */
  #closed = false;
  /** In `raw`: behind an Upgrade, which may lead back. */
  #mayReturn = false;
  /** In `raw`: bytes were lost, so the next turn must be waited for. */
  #outOfStep = false;

  readonly #readMessage = (): HttpRequest => {
    const { parser, bytes, offset, length } = this.#head;
    const request = HttpRequest.read(parser, this.#framing, bytes, offset, length);
    if (this.#out.piece.last) request.attachBody(CapturedBody.EMPTY);
    return request;
  };

  /** `fromSyn`: the first byte pushed is the first of the connection. */
  constructor(fromSyn: boolean, settings: HttpSettings = httpSettings()) {
    this.#settings = settings;
    this.#seeking = !fromSyn;
    this.#head = new HeadReader('request', settings.headLimit, settings.budget);
    this.#out = new RequestOutlet(this.#in, settings);
  }

  get skippedBytes(): number {
    return this.#swallowed.bytes;
  }

  get skippedMessages(): number {
    return this.#swallowed.messages;
  }

  push(input: ClientBytes): void {
    this.#in.push(input);
  }

  next(): HttpPiece | undefined {
    this.#releaseHead();
    if (this.#out.next()) return this.#out.piece;
    while (this.#in.left > 0) if (this.#step()) return this.#out.piece;
    this.#releaseHead();
    return undefined;
  }

  gap(length: number): boolean {
    const broken = this.#out.open;
    const unannounced = this.#head.pending.length + this.#out.heldLength;
    const inBody = this.#state === 'length' || this.#state === 'skip';
    this.#abandon();
    if (broken) this.#swallowed.followsBroken();
    else if (unannounced > 0) this.#swallowed.add(unannounced);
    if (inBody && length <= this.#remaining) {
      this.#remaining -= length;
      this.#swallowed.addStray(length);
      this.#state = 'skip';
      if (this.#remaining === 0) this.#boundary();
      return broken;
    }
    // What lies behind the end of a body is not that message's.
    if (inBody) this.#swallowed.separate();
    this.#swallowed.add(length);
    if (this.#state === 'raw') this.#outOfStep = true;
    else this.#seek();
    return broken;
  }

  /** The client will send no more: what is held back is given out by `next`, and memory is given back. */
  end(): void {
    const { bytes, length } = this.#head.pending;
    if (this.#out.holds) this.#out.giveUp();
    else if (length > 0 && this.#seeking) this.#swallowed.add(length);
    else if (length > 0 && !this.#in.begun) this.#swallowed.addStray(length);
    else if (length > 0) {
      this.#goRaw('unfinished-head');
      this.#out.wait(bytes, length);
    }
    this.#head.release();
  }

  /** Reads on from `#at`; true when a piece is ready. */
  #step(): boolean {
    switch (this.#state) {
      case 'head':
        return this.#stepHead();
      case 'length':
        return this.#stepLength();
      case 'chunked':
        return this.#stepChunked();
      case 'skip':
        return this.#stepSkip();
      case 'raw':
        return this.#stepRaw();
    }
  }

  #stepHead(): boolean {
    const head = this.#head;
    if (this.#seeking && !this.#mayBegin()) return this.#swallowRest();
    this.#in.beginRequest();
    if (this.#closed && this.#in.begun) return this.#fail('data-after-close');
    const result = head.read(this.#in.name, this.#in.bytes, this.#in.at, this.#in.end);
    this.#in.at = head.position;
    if (result === 'more') return false;
    if (result === 'failed') return this.#fail(head.failure);
    let problem = this.#framing.readRequest(head.parser, head.bytes, head.offset, head.length);
    const doubtful = this.#seeking && !this.#exact && head.parser.minor === 1;
    if (doubtful && !this.#framing.hasHost) problem ??= 'no-host';
    if (problem === undefined) return this.#beginMessage();
    // A head that lay in one push is read again as what it is.
    if (head.pending.length === 0) this.#in.at = head.offset;
    return this.#fail(problem);
  }

  #beginMessage(): boolean {
    const { parser, bytes, offset, length } = this.#head;
    const { contentLength, transferEncodings, expectsContinue } = this.#framing;
    const { stats, wantsBody } = this.#settings;
    stats.requests++;
    if (this.#seeking) stats.resynchronised++;
    this.#seeking = false;
    this.#exact = false;
    this.#swallowed.separate();
    this.#in.begun = false;
    this.#method = parser.method;
    this.#keepAlive = parser.keepAlive;
    this.#upgrade = parser.upgrade;
    this.#expects = expectsContinue;
    this.#chunkFailure = '';
    const connect = methodName(parser.method) === 'CONNECT';
    const bodyless = connect || (transferEncodings === 0 && contentLength <= 0);
    this.#out.give(bytes, offset, length, true, bodyless);
    this.#out.piece.reader = this.#readMessage;
    this.#headDone = true;
    if (bodyless) {
      this.#endMessage();
      return true;
    }
    this.#state = transferEncodings > 0 ? 'chunked' : 'length';
    this.#remaining = contentLength;
    if (wantsBody?.(this.#out.piece.message!) === true) return !this.#hold();
    return true;
  }

  /** Keeps the head that is about to go out, to wait for its body; false when the body is too long for that. */
  #hold(): boolean {
    const held = this.#out.hold(this.#remaining);
    if (held === undefined) return false;
    if (this.#state === 'chunked') this.#head.parser.bodySpans = held.spans;
    this.#releaseHead();
    return true;
  }

  #stepChunked(): boolean {
    const { parser } = this.#head;
    if (this.#chunkFailure !== '') return this.#fail(this.#chunkFailure);
    const stop = parser.feed(this.#in.name, this.#in.bytes, this.#in.at, this.#in.end);
    // What precedes the fault is of the body, however the bytes were cut.
    if (stop === FAILED) this.#chunkFailure = parser.failure;
    if (parser.position === this.#in.at) return false;
    this.#headDone = stop === MESSAGE_ENDS;
    return this.#stepBody(parser.position - this.#in.at, stop === MESSAGE_ENDS);
  }

  #stepLength(): boolean {
    const length = Math.min(this.#remaining, this.#in.left);
    this.#remaining -= length;
    return this.#stepBody(length, this.#remaining === 0);
  }

  /** The next `length` bytes are of the body. */
  #stepBody(length: number, last: boolean): boolean {
    const at = this.#in.at;
    this.#in.at += length;
    const { bytes } = this.#in;
    let ready = true;
    if (this.#out.holds) {
      const trailerStart = last && this.#state === 'chunked' ? this.#head.parser.trailerStart : -1;
      ready = this.#out.addBody(bytes, at, length, last, trailerStart);
    } else {
      this.#out.give(bytes, at, length, false, last);
      if (this.#expects) this.#out.piece.awaits = this.#in.takeSeen();
      this.#expects = false;
    }
    if (last) this.#endMessage();
    return ready;
  }

  #stepSkip(): boolean {
    const length = Math.min(this.#remaining, this.#in.left);
    this.#swallowed.addStray(length);
    this.#in.at += length;
    this.#remaining -= length;
    if (this.#remaining === 0) this.#boundary();
    return false;
  }

  #stepRaw(): boolean {
    const length = this.#in.left;
    const turned = this.#in.beginsTurn;
    if (turned && this.#mayReturn && this.#leadsBack(length)) {
      this.#state = 'head';
      this.#out.open = this.#out.tunnel = false;
      this.#outOfStep = false;
      return false;
    }
    if (this.#outOfStep && !turned) return this.#swallowRest();
    this.#outOfStep = false;
    this.#swallowed.separate();
    const first = turned || !this.#out.open;
    if (first && !this.#in.begun) this.#in.begin();
    this.#in.begun = false;
    this.#out.give(this.#in.bytes, this.#in.at, length, first, false);
    this.#in.at = this.#in.end;
    return true;
  }

  /** Whether a request begins here, behind an upgrade that may have been refused. */
  #leadsBack(length: number): boolean {
    const verdict = detect(this.#in.bytes, this.#in.at, length);
    return verdict === 'yes' || (verdict === 'more' && length >= LONG_LINE);
  }

  /** These bytes are not HTTP as it should be. True when a piece of them is ready. */
  #fail(reason: string): boolean {
    if (this.#seeking) return this.#failSeeking();
    this.#settings.stats.unparsable.count(reason);
    const withheld = this.#out.takeHeld() ?? this.#head.pending;
    this.#goRaw(reason);
    if (withheld.length === 0) return false;
    this.#out.give(withheld.bytes, 0, withheld.length, true, false);
    this.#in.begun = false;
    withheld.release();
    return true;
  }

  /** What looked like a request is none. If it began in an earlier segment, this one may still begin one. */
  #failSeeking(): boolean {
    const { pending } = this.#head;
    const again = pending.length > 0 && this.#in.atStart && !this.#exact;
    if (pending.length > 0) this.#swallowed.add(pending.length);
    this.#head.release();
    this.#in.unbegin();
    this.#exact = false;
    return again ? false : this.#swallowRest();
  }

  #goRaw(reason: string | undefined): void {
    this.#state = 'raw';
    this.#out.unparsable = reason;
    this.#out.tunnel = reason === undefined;
    this.#mayReturn = reason === undefined && methodName(this.#method) !== 'CONNECT';
    this.#outOfStep = false;
    this.#in.forgetTurn();
    this.#closed = false;
    this.#headDone = true;
  }

  #endMessage(): void {
    this.#state = 'head';
    this.#closed = !this.#keepAlive;
    if (!this.#upgrade) return;
    this.#settings.stats.upgrades++;
    this.#goRaw(undefined);
  }

  /** The end of a broken message: the next begins here, if nothing else is wrong. */
  #boundary(): void {
    this.#endMessage();
    this.#seeking = this.#state === 'head';
    this.#exact = true;
  }

  #seek(): void {
    this.#state = 'head';
    this.#seeking = true;
    this.#exact = false;
    this.#closed = false;
  }

  /** Whether a request may be looked for here, while seeking. */
  #mayBegin(): boolean {
    if (this.#exact || this.#head.pending.length > 0) return true;
    const byte = this.#in.bytes[this.#in.at]!;
    return this.#in.atStart && byte >= 0x41 && byte <= 0x5a;
  }

  /** The last piece is dealt with: nobody asks for its message any more. Chunks still need the parser. */
  #releaseHead(): void {
    if (!this.#headDone) return;
    this.#headDone = false;
    if (this.#state === 'chunked') this.#head.pending.release();
    else this.#head.release();
  }

  /** Forgets whatever is under way. */
  #abandon(): void {
    this.#head.release();
    this.#out.drop();
    this.#headDone = false;
    this.#expects = false;
    this.#in.cut();
  }

  #swallowRest(): boolean {
    this.#swallowed.add(this.#in.left);
    this.#in.at = this.#in.end;
    return false;
  }
}
