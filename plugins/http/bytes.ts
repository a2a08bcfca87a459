/** Copies that nobody else holds. Small ones share memory of Node's pool: an allocation each would cost several times more. */

export function copyOf(bytes: Uint8Array, offset: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  copy.set(bytes.subarray(offset, offset + length));
  return copy;
}

export function concat(parts: readonly Uint8Array[]): Buffer {
  const whole = Buffer.allocUnsafe(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
