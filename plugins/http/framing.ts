/**
 * What a head says of the message's end (RFC 9112 §6), and what of it would let two readers see different ends.
 *
 * llhttp refuses most of the latter by itself: both Content-Length and Transfer-Encoding, several lengths, folded
 * lines, bare LF, white space before a colon. Here the rest is refused, and the lines are checked to tile the head
 * exactly, so that editing a line by its offsets can touch nothing else.
 */
import { COLON, COMMA, CR, equalsIgnoringCase, isBlank, LF, SP, standsAt, trimEnd } from './ascii.ts';
import { methodName } from './llhttp-instance.ts';
import type { LlhttpParser } from './llhttp.ts';

/** 999,999,999,999,999 bytes: every longer length could lose digits in a double. */
const MAX_LENGTH_DIGITS = 15;

export class Framing {
  /** Of the body, bytes; -1 without the field. */
  contentLength = -1;
  transferEncodings = 0;
  /** Transfer-Encoding ends in `chunked`. */
  chunked = false;
  expectsContinue = false;
  hasHost = false;
  /** What Connection says (RFC 9112 §9.3). */
  close = false;
  persist = false;
  /** Where the request line begins: after the empty lines that may precede it (RFC 9112 §2.2). */
  lineStart = 0;

  /** Reads a request's head at `at`; returns what is wrong with it, if anything. */
  readRequest(parser: LlhttpParser, bytes: Uint8Array, at: number, length: number): string | undefined {
    let lineStart = 0;
    while (bytes[at + lineStart] === CR || bytes[at + lineStart] === LF) lineStart++;
    this.lineStart = lineStart;
    // llhttp allows several spaces before the target, which stay as they are.
    let space = lineStart + methodName(parser.method).length;
    while (bytes[at + space] === SP) space++;
    if (parser.lineStart !== space) return 'invalid-request-line';
    // One minor version of one protocol: llhttp also reads HTTP/0.9 and 2.0, RTSP and ICE.
    if (!standsAt(bytes, at + parser.lineEnd, ' HTTP/1.')) return 'other-version';
    if (parser.major !== 1 || parser.minor > 1) return 'other-version';
    const firstField = parser.lineEnd + ' HTTP/1.1\r\n'.length;
    if (!isCrlf(bytes, at + firstField - 2)) return 'invalid-request-line';
    if (!linesTile(parser, bytes, at, firstField, length)) return 'irregular-line';
    const problem = this.#readFields(parser, bytes, at);
    if (problem !== undefined) return problem;
    if (this.transferEncodings === 0) return undefined;
    // RFC 9112 §6.1: with HTTP/1.0 its framing is not to be trusted; several fields are legal, and a classic trick.
    if (parser.minor === 0 || this.transferEncodings > 1 || !this.chunked) return 'invalid-transfer-encoding';
    return undefined;
  }

  readResponse(parser: LlhttpParser, bytes: Uint8Array, at: number): string | undefined {
    return this.#readFields(parser, bytes, at);
  }

  #readFields(parser: LlhttpParser, bytes: Uint8Array, at: number): string | undefined {
    this.contentLength = -1;
    this.transferEncodings = 0;
    this.chunked = false;
    this.expectsContinue = false;
    this.hasHost = false;
    this.close = false;
    this.persist = false;
    const { spans, spanLength } = parser;
    for (let i = 0; i < spanLength; i += 4) {
      const start = at + spans[i]!;
      const end = at + spans[i + 1]!;
      const valueStart = at + spans[i + 2]!;
      const valueEnd = trimEnd(bytes, valueStart, at + spans[i + 3]!);
      // By length first: few fields share one with those that matter.
      const nameLength = end - start;
      if (nameLength === 14 && equalsIgnoringCase(bytes, start, end, 'content-length')) {
        if (this.contentLength >= 0) return 'unexpected-content-length';
        this.contentLength = readLength(bytes, valueStart, valueEnd);
        if (this.contentLength < 0) return 'invalid-content-length';
      } else if (nameLength === 17 && equalsIgnoringCase(bytes, start, end, 'transfer-encoding')) {
        this.transferEncodings++;
        this.chunked = endsInChunked(bytes, valueStart, valueEnd);
      } else if (nameLength === 10 && equalsIgnoringCase(bytes, start, end, 'connection')) {
        this.close ||= hasToken(bytes, valueStart, valueEnd, 'close');
        this.persist ||= hasToken(bytes, valueStart, valueEnd, 'keep-alive');
      } else if (nameLength === 6 && equalsIgnoringCase(bytes, start, end, 'expect')) {
        this.expectsContinue ||= equalsIgnoringCase(bytes, valueStart, valueEnd, '100-continue');
      } else if (nameLength === 4 && equalsIgnoringCase(bytes, start, end, 'host')) {
        this.hasHost = true;
      }
    }
    return undefined;
  }
}

/** Whether from `firstField` on the head is `name: value CRLF` again and again, and an empty line. */
function linesTile(parser: LlhttpParser, bytes: Uint8Array, at: number, firstField: number, length: number): boolean {
  const { spans, spanLength } = parser;
  let line = firstField;
  for (let i = 0; i < spanLength; i += 4) {
    const nameEnd = spans[i + 1]!;
    if (spans[i] !== line || bytes[at + nameEnd] !== COLON) return false;
    let end = spans[i + 3]!;
    if (spans[i + 2] === end) {
      // llhttp looks beyond the line's end before it calls a value empty.
      end = nameEnd + 1;
      while (isBlank(bytes[at + end]!)) end++;
      spans[i + 2] = end;
      spans[i + 3] = end;
    }
    if (spans[i + 2]! <= nameEnd || !isCrlf(bytes, at + end)) return false;
    line = end + 2;
  }
  return line === length - 2 && isCrlf(bytes, at + line);
}

function isCrlf(bytes: Uint8Array, at: number): boolean {
  return bytes[at] === CR && bytes[at + 1] === LF;
}

/** Digits as a number; -1 for anything else. */
function readLength(bytes: Uint8Array, start: number, end: number): number {
  if (end === start || end - start > MAX_LENGTH_DIGITS) return -1;
  let value = 0;
  for (let i = start; i < end; i++) {
    const digit = bytes[i]! - 0x30;
    if (digit < 0 || digit > 9) return -1;
    value = value * 10 + digit;
  }
  return value;
}

function endsInChunked(bytes: Uint8Array, start: number, end: number): boolean {
  let last = end;
  while (last > start && !separates(bytes[last - 1]!)) last--;
  return equalsIgnoringCase(bytes, last, end, 'chunked');
}

/** Whether `token` is in a list of them. */
function hasToken(bytes: Uint8Array, start: number, end: number, token: string): boolean {
  for (let from = start; from < end; from++) {
    let to = from;
    while (to < end && !separates(bytes[to]!)) to++;
    if (equalsIgnoringCase(bytes, from, to, token)) return true;
    from = to;
  }
  return false;
}

function separates(byte: number): boolean {
  return byte === COMMA || isBlank(byte);
}
