/** Bytes of commands: copies that nobody else holds, and text for reading. */

export function copyOf(bytes: Uint8Array, start: number, end: number): Buffer {
  const copy = Buffer.allocUnsafe(end - start);
  copy.set(bytes.subarray(start, end));
  return copy;
}

/** Text as UTF-8; bytes as they are, in memory of their own. */
export function toBytes(value: string | Uint8Array): Buffer {
  return typeof value === 'string' ? Buffer.from(value, 'utf8') : Buffer.from(value);
}

/** A multibulk request of these arguments. */
export function encodeCommand(args: readonly Uint8Array[]): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${args.length}\r\n`, 'latin1')];
  for (const arg of args) parts.push(...encodeArgument(arg));
  return Buffer.concat(parts);
}

/** One argument of it, with its length before and its line end behind. */
export function encodeArgument(arg: Uint8Array): readonly Uint8Array[] {
  return [Buffer.from(`$${arg.length}\r\n`, 'latin1'), arg, CRLF];
}

const CRLF = Buffer.from('\r\n', 'latin1');
