/**
 * The share of the flows that one of several processes copies. Both directions of a connection fall to the same one.
 *
 * On a ring the kernel deals the frames out (PACKET_FANOUT) and nothing is asked here; a recording, and libpcap, show
 * every process every frame.
 */
import type { Segment } from '../wire/segment.ts';

export class FlowSlice {
  readonly index: number;
  readonly count: number;

  /** `index`: from 0, of `count` processes. */
  constructor(index: number, count: number) {
    this.index = index;
    this.count = count;
  }

  owns(segment: Segment): boolean {
    const source = mix(segment.src0, segment.src1, segment.src2, segment.src3, segment.srcPort);
    const destination = mix(segment.dst0, segment.dst1, segment.dst2, segment.dst3, segment.dstPort);
    return ((source + destination) >>> 0) % this.count === this.index;
  }

  /** Frames that belong to no flow, such as damaged ones, are for one of them to count. */
  get ownsRest(): boolean {
    return this.index === 0;
  }
}

/** MurmurHash3's finalizer over the words of an endpoint. */
function mix(w0: number, w1: number, w2: number, w3: number, port: number): number {
  let h = Math.imul(w3 ^ Math.imul(w2 ^ Math.imul(w1 ^ Math.imul(w0, 0x85ebca6b), 0x85ebca6b), 0x85ebca6b), 0xc2b2ae35);
  h = Math.imul(h ^ (h >>> 15) ^ port, 0x85ebca6b);
  h ^= h >>> 13;
  h = Math.imul(h, 0xc2b2ae35);
  return h ^ (h >>> 16);
}
