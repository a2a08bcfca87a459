/**
 * llhttp as a stepper: bytes in, and out comes where a head or a message ends and where its fields lie.
 *
 * Theory of operation. One WebAssembly instance serves all connections; each message under way has a parser (a small
 * struct in WebAssembly memory) that keeps its state over any chunking.
 * The parser is paused by its own callbacks at the end of the head and at the end of the message, because only a pause
 * tells the exact position. All offsets are relative to the first byte fed since `begin`, so they hold however the
 * message was cut.
 *
 * Between messages nothing of the state matters, so parsers are pooled: idle connections hold none.
 */
import { readPlainHead } from './plain-head.ts';
import { execute, failureName, inputWindow, llhttp, type ParserEvents } from './llhttp-instance.ts';

/** llhttp's own numbers (`llhttp_type_t`, `llhttp_errno_t`). */
const TYPE_REQUEST = 1;
const TYPE_RESPONSE = 2;
const PAUSED = 21;
/** Parsers of each type kept for reuse. */
const POOL_LIMIT = 64;
/** Numbers per header in `spans`. */
const SPAN = 4;

export type ParserType = 'request' | 'response';

/** Why `feed` stopped. */
export const NEED_MORE = 0;
export const HEAD_ENDS = 1;
export const MESSAGE_ENDS = 2;
export const FAILED = 3;
export type Stop = 0 | 1 | 2 | 3;

export class LlhttpParser implements ParserEvents {
  readonly type: ParserType;
  /** Where in the bytes given to `feed` it stopped: after the head or message, or at the offending byte. */
  position = 0;
  /** After FAILED: llhttp's name for it in our spelling, such as `invalid-method`. */
  failure = '';
  /** Of the head, once it has ended. */
  method = 0;
  status = 0;
  major = 0;
  minor = 0;
  upgrade = false;
  keepAlive = false;
  /** Where the request target, or the reason phrase, lies. */
  lineStart = 0;
  lineEnd = 0;
  /** Four numbers a header, `spanLength` in all: start and end of its name, start and end of its value. */
  spans: Int32Array = new Int32Array(SPAN * 32);
  spanLength = 0;
  /** Where the first trailer field begins; -1: none yet. */
  trailerStart = -1;
  /** When set, starts and ends of stretches of decoded body are added to it. */
  bodySpans: number[] | undefined = undefined;
  readonly #pointer: number;
  /** llhttp has not begun with this message. */
  #fresh = true;
  #stop: Stop = NEED_MORE;
  /** Bytes fed since `begin`. */
  #fed = 0;
  #inHead = true;
  #inValue = true;

  constructor(type: ParserType) {
    this.type = type;
    this.#pointer = llhttp().llhttp_alloc(type === 'request' ? TYPE_REQUEST : TYPE_RESPONSE);
    lost.register(this, this.#pointer);
  }

  /** Ready for the first byte of a message. */
  begin(): void {
    this.#fresh = true;
    this.#stop = NEED_MORE;
    this.#fed = 0;
    this.#inHead = true;
    this.#inValue = true;
    this.#forget();
    this.trailerStart = -1;
    this.bodySpans = undefined;
  }

  /**
   * Reads on over `bytes[from, to)`. `input` names those bytes (see `nextInput`), so that they are copied once though
   * they are fed in many steps. After HEAD_ENDS, `feed` from `position` on reads the body.
   */
  feed(input: number, bytes: Uint8Array, from: number, to: number): Stop {
    const wasm = llhttp();
    if (this.#fresh) {
      this.#fresh = false;
      wasm.llhttp_reset(this.#pointer);
    }
    if (this.#stop !== NEED_MORE) {
      this.#stop = NEED_MORE;
      wasm.llhttp_resume(this.#pointer);
    }
    let at = from;
    do {
      const address = inputWindow.load(input, bytes, at, to);
      const end = Math.min(to, inputWindow.end);
      const code = execute(this, this.#pointer, address, end - at, this.#fed);
      if (code !== 0) {
        const consumed = wasm.llhttp_get_error_pos(this.#pointer) - address;
        this.position = at + consumed;
        this.#fed += consumed;
        if (code !== PAUSED) {
          this.#stop = FAILED;
          this.failure = failureName(code);
        }
        return this.#stop;
      }
      this.#fed += end - at;
      at = end;
    } while (at < to);
    this.position = to;
    return NEED_MORE;
  }

  /**
   * Reads a request's head without llhttp where it is plain and whole (plain-head), at the beginning of a message; false
   * where `feed` has to. There is no body to be fed after it.
   */
  readPlain(bytes: Uint8Array, from: number, to: number): boolean {
    const end = readPlainHead(this, bytes, from, to);
    if (end >= 0) this.position = end;
    else this.#forget();
    return end >= 0;
  }

  /** The spans of the head that was read, for who keeps them. */
  copySpans(): readonly number[] {
    const copy = new Array<number>(this.spanLength);
    for (let i = 0; i < copy.length; i++) copy[i] = this.spans[i]!;
    return copy;
  }

  onLine(start: number, length: number): void {
    if (this.lineEnd === 0) this.lineStart = start;
    this.lineEnd = start + length;
  }

  onField(start: number, length: number): void {
    if (!this.#inHead) {
      if (this.trailerStart < 0) this.trailerStart = start;
      return;
    }
    if (this.#inValue) {
      this.#inValue = false;
      this.#reserve();
      this.spans[this.spanLength] = start;
      this.spanLength += SPAN;
    }
    const end = start + length;
    this.spans[this.spanLength - 3] = end;
    this.spans[this.spanLength - 2] = end;
    this.spans[this.spanLength - 1] = end;
  }

  onValue(start: number, length: number): void {
    if (!this.#inHead) return;
    if (!this.#inValue) {
      this.#inValue = true;
      this.spans[this.spanLength - 2] = start;
    }
    this.spans[this.spanLength - 1] = start + length;
  }

  onHeadersComplete(status: number, upgrade: boolean, keepAlive: boolean): number {
    const wasm = llhttp();
    this.#inHead = false;
    this.#stop = HEAD_ENDS;
    this.status = status;
    this.upgrade = upgrade;
    this.keepAlive = keepAlive;
    this.method = wasm.llhttp_get_method(this.#pointer);
    this.major = wasm.llhttp_get_http_major(this.#pointer);
    this.minor = wasm.llhttp_get_http_minor(this.#pointer);
    return PAUSED;
  }

  onBody(start: number, length: number): void {
    this.bodySpans?.push(start, start + length);
  }

  onMessageComplete(): number {
    this.#stop = MESSAGE_ENDS;
    return PAUSED;
  }

  /** What was read of a head. */
  #forget(): void {
    this.lineStart = 0;
    this.lineEnd = 0;
    this.spanLength = 0;
  }

  #reserve(): void {
    if (this.spanLength < this.spans.length) return;
    const grown = new Int32Array(this.spans.length * 2);
    grown.set(this.spans);
    this.spans = grown;
  }
}

const pools: Readonly<Record<ParserType, LlhttpParser[]>> = { request: [], response: [] };

/** A parser at the beginning of a message. Give it back with `releaseParser`. */
export function acquireParser(type: ParserType): LlhttpParser {
  const parser = pools[type].pop() ?? new LlhttpParser(type);
  parser.begin();
  return parser;
}

export function releaseParser(parser: LlhttpParser): void {
  const pool = pools[parser.type];
  if (pool.length < POOL_LIMIT) pool.push(parser);
}

/** Frees the structs of parsers that went away with their connection in the middle of a message. */
const lost = new FinalizationRegistry<number>((pointer) => llhttp().llhttp_free(pointer));
