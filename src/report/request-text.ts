/**
 * How the beginning of a message is shown on a line: as it says itself, where its protocol's plugin gave it a `toString`; an
 * HTTP request by its line and Host, anything else by its first bytes.
 */

const LINE = /^([A-Z][A-Z-]{1,31}) (\S+) HTTP\/1\.[01]\r?\n/;
const HOST = /^host:[ \t]*([^\r\n]*?)[ \t]*\r?$/im;
/** Enough for a long target and the Host field behind it. */
const LOOKED_AT = 8192;
const LONGEST_OPAQUE = 64;

/** `message`: what the codec made of it, where it is read. */
export function messageText(message: unknown, bytes: Uint8Array, offset: number, length: number): string {
  return saidByItself(message) ?? requestText(bytes, offset, length);
}

function saidByItself(message: unknown): string | undefined {
  if (typeof message !== 'object' || message === null || message.toString === Object.prototype.toString)
    return undefined;
  try {
    return escaped((message as { toString: () => string }).toString());
  } catch {
    // A plugin's code: its message is shown as bytes then.
    return undefined;
  }
}

/** `GET shop.example/cart?x=1`, or `"PING\r\n"`. Made for one line: everything that is not printable is escaped. */
export function requestText(bytes: Uint8Array, offset: number, length: number): string {
  const text = latin1(bytes, offset, Math.min(length, LOOKED_AT));
  const line = LINE.exec(text);
  if (line === null) return quoted(text, length);
  const [, method, target] = line;
  const host = target!.startsWith('/') || target === '*' ? (HOST.exec(headOf(text))?.[1] ?? '') : '';
  return escaped(`${method} ${host}${target}`);
}

function headOf(text: string): string {
  const end = /\r?\n\r?\n/.exec(text);
  return end === null ? text : text.slice(0, end.index);
}

function quoted(text: string, length: number): string {
  const shown = text.slice(0, LONGEST_OPAQUE);
  return `"${escaped(shown.replace(/["\\]/g, '\\$&'))}"${length > LONGEST_OPAQUE ? '…' : ''}`;
}

/** Bytes that a terminal might obey, and those outside ASCII, as they are written in a string. */
export function escaped(text: string): string {
  return text.replace(/[^\x20-\x7e]/g, (c) => {
    const short = ESCAPES[c];
    return short ?? `\\x${c.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
}

const ESCAPES: Readonly<Record<string, string>> = { '\r': '\\r', '\n': '\\n', '\t': '\\t' };

export function latin1(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + offset, length).toString('latin1');
}
