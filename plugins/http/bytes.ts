/** Copies that nobody else holds. Small ones share memory of Node's pool: an allocation each would cost several times more. */

/** Up to so many, a call into V8 with a view made for it costs more than a loop. */
const FEW = 320;

export function copyOf(bytes: Uint8Array, offset: number, length: number): Buffer {
  const copy = Buffer.allocUnsafe(length);
  copyBytes(bytes, offset, length, copy, 0);
  return copy;
}

export function copyBytes(from: Uint8Array, offset: number, length: number, to: Uint8Array, at: number): void {
  if (length > FEW) to.set(from.subarray(offset, offset + length), at);
  else for (let i = 0; i < length; i++) to[at + i] = from[offset + i]!;
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
