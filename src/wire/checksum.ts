/**
 * The Internet checksum (RFC 1071): the 16-bit ones-complement sum of 16-bit words, complemented.
 *
 * Sums here are "folded": 0 to 0xffff, in network byte order. A region whose checksum field is right sums to 0xffff.
 */

const TWO_TO_32 = 4_294_967_296;
/** So many bytes of 32-bit words add up exactly in a double, which ends at 2^53. */
const BLOCK = 4 << 20;

/** Any sum of 16-bit words that is below 2^32, folded to 16 bits. */
export function foldSum(sum: number): number {
  let folded = (sum & 0xffff) + (sum >>> 16);
  folded = (folded & 0xffff) + (folded >>> 16);
  return folded & 0xffff;
}

/** The two halves of one 32-bit word, to be added to a sum. */
function wordSum(word: number): number {
  return (word & 0xffff) + (word >>> 16);
}

/**
 * Folded sum of `length` bytes; an odd last byte counts as the high half of a word.
 *
 * 32-bit words are added up in doubles and folded once (RFC 1071 §2(C)): half the work of adding 16-bit halves. They
 * are read little-endian, which spares the swap on the usual machine; by RFC 1071 §2(B) the sum comes out right when
 * its own bytes are swapped at the end.
 */
export function sumBytes(view: DataView, offset: number, length: number): number {
  if (length > BLOCK) return foldSum(sumBytes(view, offset, BLOCK) + sumBytes(view, offset + BLOCK, length - BLOCK));
  const end = offset + length;
  let at = offset;
  let even = 0;
  let odd = 0;
  for (const stop = end - 15; at < stop; at += 16) {
    even += view.getUint32(at, true) + view.getUint32(at + 8, true);
    odd += view.getUint32(at + 4, true) + view.getUint32(at + 12, true);
  }
  const total = even + odd;
  const high = Math.floor(total / TWO_TO_32);
  let sum = wordSum(high) + wordSum(total - high * TWO_TO_32);
  for (const stop = end - 1; at < stop; at += 2) sum += view.getUint16(at, true);
  if (at < end) sum += view.getUint8(at);
  sum = foldSum(sum);
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
