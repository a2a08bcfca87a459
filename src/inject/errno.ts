/** Names and texts of the errors that sinks meet. */
import { getSystemErrorMap, getSystemErrorName } from 'node:util';

/** `EMSGSIZE` for 90 on Linux. */
export function errnoName(errno: number): string {
  return getSystemErrorName(-errno);
}

const byMessage = new Map([...getSystemErrorMap().values()].map(([name, text]) => [text.toLowerCase(), name]));
/** Where strerror(3) of common C libraries and libuv word an error differently. */
const OTHER_WORDS = new Map([
  ['message too long', 'EMSGSIZE'],
  ['no route to host', 'EHOSTUNREACH'],
  ['no buffer space available', 'ENOBUFS'],
  ['resource temporarily unavailable', 'EAGAIN'],
  ["can't assign requested address", 'EADDRNOTAVAIL'],
]);

/** The errno name behind an error that has only strerror's text; `EIO` when it is none we know. */
export function errnoOfText(text: string): string {
  const key = text.toLowerCase();
  return byMessage.get(key) ?? OTHER_WORDS.get(key) ?? 'EIO';
}
