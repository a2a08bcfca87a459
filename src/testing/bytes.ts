/** Bytes as tests write them: text stands for one byte a character. */
export type Bytes = string | Uint8Array;

export function bytesOf(given: Bytes): Uint8Array {
  if (typeof given !== 'string') return given;
  const wide = [...given].find((character) => character.charCodeAt(0) > 0xff);
  if (wide !== undefined) {
    throw new TypeError(`'${wide}' is no byte: write text outside Latin-1 as Buffer.from('…', 'utf8')`);
  }
  return Buffer.from(given, 'latin1');
}

export function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
}
