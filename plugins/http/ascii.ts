/** Bytes of a head, compared and read as what they are: ASCII, with Latin-1 where HTTP lets bytes above it through. */
export const TAB = 0x09;
export const LF = 0x0a;
export const CR = 0x0d;
export const SP = 0x20;
export const COMMA = 0x2c;
export const SLASH = 0x2f;
export const COLON = 0x3a;

/** Bytes as text, one character each; undone by `fromLatin1`. (`TextDecoder` would read them as windows-1252.) */
export function latin1(bytes: Buffer, start: number, end: number): string {
  return bytes.toString('latin1', start, end);
}

export function fromLatin1(text: string): Uint8Array {
  return Buffer.from(text, 'latin1');
}

/** Whether `bytes[start, end)` is `lower`, whatever the case of its letters. `lower` has no upper-case letters. */
export function equalsIgnoringCase(bytes: Uint8Array, start: number, end: number, lower: string): boolean {
  if (end - start !== lower.length) return false;
  for (let i = 0; i < lower.length; i++) if (lowerCase(bytes[start + i]!) !== lower.charCodeAt(i)) return false;
  return true;
}

/** Whether the text `exact` stands at `start`. */
export function standsAt(bytes: Uint8Array, start: number, exact: string): boolean {
  for (let i = 0; i < exact.length; i++) if (bytes[start + i] !== exact.charCodeAt(i)) return false;
  return true;
}

/** `end` without the optional white space before it (RFC 9110 §5.6.3). */
export function trimEnd(bytes: Uint8Array, start: number, end: number): number {
  let trimmed = end;
  while (trimmed > start && isBlank(bytes[trimmed - 1]!)) trimmed--;
  return trimmed;
}

export function isBlank(byte: number): boolean {
  return byte === SP || byte === TAB;
}

function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}

/** Whether `text` may be a method or a header name (RFC 9110 §5.6.2). */
export function isToken(text: string): boolean {
  return typeof text === 'string' && /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/.test(text);
}
