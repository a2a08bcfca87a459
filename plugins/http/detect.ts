/** Whether bytes begin like an HTTP/1.x request. */
import { LF, CR, SP, standsAt } from './ascii.ts';
import { knownMethods } from './llhttp-instance.ts';

export type Detection = 'yes' | 'no' | 'more';

/** A request line longer than this is taken for none, bytes. */
const LINE_LIMIT = 16 << 10;
const LONGEST_METHOD = 16;
const VERSION = ' HTTP/1.';

/**
 * Judges the first bytes of a connection, or of a segment: a known method, a target, and the version 1.0 or 1.1.
 * `more`: they may be the beginning of such a line.
 */
export function detect(bytes: Uint8Array, offset: number, length: number): Detection {
  const end = offset + length;
  let at = offset;
  while (at < end && (bytes[at] === CR || bytes[at] === LF)) at++;
  const target = afterMethod(bytes, at, end);
  if (typeof target === 'string') return target;
  let space = target;
  while (space < end && isTargetByte(bytes[space]!)) space++;
  if (space === end) return space - offset < LINE_LIMIT && startsTarget(bytes, target, end) ? 'more' : 'no';
  if (space === target || !startsTarget(bytes, target, end)) return 'no';
  const seen = VERSION.slice(0, end - space);
  if (!standsAt(bytes, space, seen)) return 'no';
  const minor = bytes[space + VERSION.length];
  if (seen.length < VERSION.length || space + VERSION.length >= end) return 'more';
  return minor === 0x30 || minor === 0x31 ? 'yes' : 'no';
}

/** Where the target begins, or the verdict when that is not known or there is no method. */
function afterMethod(bytes: Uint8Array, at: number, end: number): number | Detection {
  let space = at;
  const limit = Math.min(end, at + LONGEST_METHOD);
  while (space < limit && bytes[space] !== SP) space++;
  const method = String.fromCharCode(...bytes.subarray(at, space));
  if (space < limit) return knownMethods().includes(method) ? space + 1 : 'no';
  return space === end && knownMethods().some((known) => known.startsWith(method)) ? 'more' : 'no';
}

/** A path, `*`, an origin, or the authority of CONNECT. */
function startsTarget(bytes: Uint8Array, at: number, end: number): boolean {
  return at === end || /^[/*\w[.]$/.test(String.fromCharCode(bytes[at]!));
}

function isTargetByte(byte: number): boolean {
  return byte > SP && byte < 0x7f;
}
