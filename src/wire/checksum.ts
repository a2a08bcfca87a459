/**
 * The Internet checksum (RFC 1071): the 16-bit ones-complement sum of 16-bit words, complemented.
 *
 * Sums here are "folded": 0 to 0xffff, in network byte order. A region whose checksum field is right sums to 0xffff.
 */

/** How many bytes can be summed as two 16-bit halves per 32-bit word before a signed 32-bit sum could overflow. */
const BLOCK = 32_768;

/** Any sum of 16-bit words that is below 2^32, folded to 16 bits. */
export function foldSum(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded & 0xffff;
}

/** The two halves of one 32-bit word, to be added to a sum. */
export function wordSum(word: number): number {
  return (word & 0xffff) + (word >>> 16);
}

/**
 * Folded sum of `length` bytes; an odd last byte counts as the high half of a word.
 *
 * Words are read little-endian, which spares the swap on the usual machine; RFC 1071 §2(B) has the sum come out right
 * when its own bytes are swapped at the end.
 */
export function sumBytes(view: DataView, offset: number, length: number): number {
  const end = offset + length;
  let at = offset;
  let sum = 0;
  while (at < end) {
    const stop = end - at > BLOCK ? at + BLOCK : end;
    for (const stop16 = stop - 15; at < stop16; at += 16) {
      const a = view.getInt32(at, true);
      const b = view.getInt32(at + 4, true);
      const c = view.getInt32(at + 8, true);
      const d = view.getInt32(at + 12, true);
      sum += (a & 0xffff) + (a >>> 16) + (b & 0xffff) + (b >>> 16);
      sum += (c & 0xffff) + (c >>> 16) + (d & 0xffff) + (d >>> 16);
    }
    for (const stop2 = stop - 1; at < stop2; at += 2) sum += view.getUint16(at, true);
    // Only the last block can have an odd byte: BLOCK is even.
    if (at < stop) sum += view.getUint8(at++);
    sum = foldSum(sum);
  }
  return ((sum & 0xff) << 8) | (sum >>> 8);
}

/**
 * Folded sum of the TCP pseudo-header (RFC 9293 §3.1, RFC 8200 §8.1). Addresses are eight 32-bit words, IPv4 held
 * IPv4-mapped: the 0xffff that mapping adds to each address is zero in ones-complement arithmetic, so one function
 * serves both families.
 */
export function pseudoHeaderSum(
  src0: number,
  src1: number,
  src2: number,
  src3: number,
  dst0: number,
  dst1: number,
  dst2: number,
  dst3: number,
  protocol: number,
  length: number,
): number {
  const src = wordSum(src0) + wordSum(src1) + wordSum(src2) + wordSum(src3);
  const dst = wordSum(dst0) + wordSum(dst1) + wordSum(dst2) + wordSum(dst3);
  return foldSum(src + dst + protocol + wordSum(length));
}
