/**
 * Reads the heads that most requests have, without llhttp: whole, a path as target, HTTP/1.1, no body, one line a field. It
 * finds exactly what llhttp would, in a third of the time, and where it is not sure of that it says so and llhttp reads.
 */
import { COLON, CR, equalsIgnoringCase, isBlank, LF, SLASH, SP, standsAt } from './ascii.ts';
import { knownMethods } from './llhttp-instance.ts';

/** Where what was read is put; as in `LlhttpParser`. */
export interface PlainHead {
  method: number;
  status: number;
  major: number;
  minor: number;
  upgrade: boolean;
  keepAlive: boolean;
  lineStart: number;
  lineEnd: number;
  readonly spans: Int32Array;
  spanLength: number;
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH'];
const VERSION = ' HTTP/1.1\r\n';
/** Fields that llhttp acts upon, `connection` beside: they are its business. */
const SPECIAL = ['upgrade', 'content-length', 'proxy-connection', 'transfer-encoding'];

const [IN_TARGET, IN_NAME, IN_VALUE] = [1, 2, 4];
/** What a byte may be part of. */
const KINDS = new Uint8Array(256);
for (let byte = 0x20; byte < 0x7f; byte++) {
  const character = String.fromCharCode(byte);
  // RFC 3986 §3.3 and §3.4, and of what names of fields may hold all that is in use.
  if (/[\w\-.~%!$&'()*+,;=:@/?]/.test(character)) KINDS[byte]! |= IN_TARGET;
  if (/[\w-]/.test(character)) KINDS[byte]! |= IN_NAME;
  KINDS[byte]! |= IN_VALUE;
}

/** Reads the head at `from`; returns where it ends, or -1: it is for llhttp. Offsets are put into `head` from `from` on. */
export function readPlainHead(head: PlainHead, bytes: Uint8Array, from: number, to: number): number {
  const method = methodAt(bytes, from, to);
  if (method === undefined) return -1;
  const target = from + method.length + 1;
  if (bytes[target] !== SLASH) return -1;
  let at = target;
  while (at < to && (KINDS[bytes[at]!]! & IN_TARGET) !== 0) at++;
  if (at + VERSION.length > to || !standsAt(bytes, at, VERSION)) return -1;
  head.lineStart = target - from;
  head.lineEnd = at - from;
  head.keepAlive = true;
  head.spanLength = 0;
  at += VERSION.length;
  while (at < to && bytes[at] !== CR) {
    at = readField(head, bytes, from, at, to);
    if (at < 0) return -1;
  }
  if (at + 2 > to || bytes[at + 1] !== LF) return -1;
  head.method = knownMethods().indexOf(method);
  head.status = 0;
  head.major = 1;
  head.minor = 1;
  head.upgrade = false;
  return at + 2;
}

function methodAt(bytes: Uint8Array, from: number, to: number): string | undefined {
  for (const method of METHODS) {
    const end = from + method.length;
    if (end < to && bytes[end] === SP && standsAt(bytes, from, method)) return method;
  }
  return undefined;
}

/** One line; returns where the next begins, or -1. */
function readField(head: PlainHead, bytes: Uint8Array, from: number, line: number, to: number): number {
  const { spans } = head;
  let at = line;
  while (at < to && (KINDS[bytes[at]!]! & IN_NAME) !== 0) at++;
  const nameEnd = at;
  if (at >= to || nameEnd === line || bytes[at] !== COLON || head.spanLength + 4 > spans.length) return -1;
  at++;
  while (at < to && isBlank(bytes[at]!)) at++;
  const value = at;
  while (at < to && (KINDS[bytes[at]!]! & IN_VALUE) !== 0) at++;
  if (at + 2 > to || at === value || isBlank(bytes[at - 1]!)) return -1;
  if (bytes[at] !== CR || bytes[at + 1] !== LF) return -1;
  if (!agrees(head, bytes, line, nameEnd, value, at)) return -1;
  spans[head.spanLength] = line - from;
  spans[head.spanLength + 1] = nameEnd - from;
  spans[head.spanLength + 2] = value - from;
  spans[head.spanLength + 3] = at - from;
  head.spanLength += 4;
  return at + 2;
}

/** Whether what a field asks of the parser is plain: nothing, or to keep or close the connection. */
function agrees(
  head: PlainHead,
  bytes: Uint8Array,
  start: number,
  end: number,
  value: number,
  valueEnd: number,
): boolean {
  if (equalsIgnoringCase(bytes, start, end, 'connection')) {
    if (equalsIgnoringCase(bytes, value, valueEnd, 'close')) head.keepAlive = false;
    else if (!equalsIgnoringCase(bytes, value, valueEnd, 'keep-alive')) return false;
    return true;
  }
  for (const name of SPECIAL) if (equalsIgnoringCase(bytes, start, end, name)) return false;
  return true;
}
