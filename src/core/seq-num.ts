/**
 * TCP sequence arithmetic modulo 2^32 (RFC 9293 §3.4).
 *
 * A `SeqNum` is a point in sequence space, held as a signed 32-bit integer so that V8 keeps it as a small integer and
 * the hot path never allocates. A `SeqLen` is a span. Neither is ever compared with `<`: use the functions here.
 */
declare const seqNumBrand: unique symbol;
declare const seqLenBrand: unique symbol;

export type SeqNum = number & { readonly [seqNumBrand]: true };
export type SeqLen = number & { readonly [seqLenBrand]: true };

/** Any 32-bit pattern, signed or unsigned, as a sequence number. */
export function seqNum(value: number): SeqNum {
  return (value | 0) as SeqNum;
}

export function seqAdd(a: SeqNum, length: number): SeqNum {
  return ((a + length) | 0) as SeqNum;
}

/** `a - b` as a signed distance: positive when `a` comes after `b`. */
export function seqDiff(a: SeqNum, b: SeqNum): SeqLen {
  return ((a - b) | 0) as SeqLen;
}

export function seqLt(a: SeqNum, b: SeqNum): boolean {
  return ((a - b) | 0) < 0;
}

export function seqLe(a: SeqNum, b: SeqNum): boolean {
  return ((a - b) | 0) <= 0;
}

export function seqGt(a: SeqNum, b: SeqNum): boolean {
  return ((a - b) | 0) > 0;
}

export function seqGe(a: SeqNum, b: SeqNum): boolean {
  return ((a - b) | 0) >= 0;
}

export function seqMax(a: SeqNum, b: SeqNum): SeqNum {
  return seqLt(a, b) ? b : a;
}
