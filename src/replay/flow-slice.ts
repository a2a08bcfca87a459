/**
 * The share of the flows that one of several processes copies. Both directions of a connection fall to the same one.
 *
 * On a ring the kernel deals the frames out (PACKET_FANOUT) and nothing is asked here; a recording, and libpcap, show
 * every process every frame. Of a recording all see the same frames in the same order: there flows go to each in turn as
 * they appear, so that a few are shared as evenly as many. Live they begin and lose frames at different moments, and only
 * what a frame itself says can tell.
 */
import { endpointHash } from '../reassembly/flow-hash.ts';
import type { Segment } from '../wire/segment.ts';

/** Flows of one hash go together: so many that this is rare while flows are few. */
const HASHES = 1 << 16;

export class FlowSlice {
  readonly index: number;
  readonly count: number;
  /** By hash: whose its flows are, from 1; 0: none has appeared. `undefined`: the hash itself says it. */
  readonly #owners: Uint8Array | undefined;
  #next = 0;

  /** `index`: from 0, of `count` processes. `inTurn`: each of them will ask about the same flows in the same order. */
  constructor(index: number, count: number, inTurn: boolean) {
    this.index = index;
    this.count = count;
    this.#owners = inTurn ? new Uint8Array(HASHES) : undefined;
  }

  owns(segment: Segment): boolean {
    const source = endpointHash(0, segment.src0, segment.src1, segment.src2, segment.src3, segment.srcPort);
    const destination = endpointHash(0, segment.dst0, segment.dst1, segment.dst2, segment.dst3, segment.dstPort);
    const hash = (source + destination) >>> 0;
    if (this.#owners === undefined) return hash % this.count === this.index;
    const place = hash & (HASHES - 1);
    const owner = this.#owners[place]!;
    return (owner === 0 ? this.#deal(this.#owners, place) : owner) === this.index + 1;
  }

  /** Frames that belong to no flow, such as damaged ones, are for one of them to count. */
  get ownsRest(): boolean {
    return this.index === 0;
  }

  #deal(owners: Uint8Array, place: number): number {
    const owner = this.#next + 1;
    owners[place] = owner;
    this.#next = owner % this.count;
    return owner;
  }
}
