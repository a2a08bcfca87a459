/** A copy of a part of `bytes`. Not `slice`: a Buffer's would be a view of bytes that are somebody else's. */
export function copyOf(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  const copy = new Uint8Array(length);
  copy.set(bytes.subarray(offset, offset + length));
  return copy;
}
