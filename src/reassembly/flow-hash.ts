/** A hash of a flow's ends and encapsulation, the same for both directions. `seed` makes collisions unpredictable. */
import type { Segment } from '../wire/segment.ts';

/** The sum of both endpoints' hashes, mixed once more. */
export function flowHash(seed: number, s: Segment): number {
  const a = endpointHash(seed, s.src0, s.src1, s.src2, s.src3, s.srcPort);
  const b = endpointHash(seed, s.dst0, s.dst1, s.dst2, s.dst3, s.dstPort);
  let h = (a + b + Math.imul(s.encapsulation, 0x27d4_eb2f)) | 0;
  h = Math.imul(h ^ (h >>> 15), 0x2c1b_3c6d);
  return h ^ (h >>> 13);
}

/** Of one end: its address in words, as a segment has it, and its port. */
export function endpointHash(seed: number, w0: number, w1: number, w2: number, w3: number, port: number): number {
  let h = Math.imul(w3 ^ seed, 0x85eb_ca6b) ^ port;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35) ^ w2;
  h = Math.imul(h ^ (h >>> 16), 0x9e37_79b1) ^ w1;
  h = Math.imul(h ^ (h >>> 15), 0x85eb_ca6b) ^ w0;
  h = Math.imul(h ^ (h >>> 13), 0xc2b2_ae35);
  return h ^ (h >>> 16);
}
