/**
 * What every connection and half-stream of a tracker shares: its rules, its counters, the account of memory held out of
 * order, and the server's end and the client's address, which often are those of the connection before.
 */
import { ipFromWords, type Endpoint, type IpAddress } from '../core/ip-address.ts';
import type { Counters } from '../core/counters.ts';
import type { Duration } from '../core/time.ts';
import type { Segment } from '../wire/segment.ts';
import { Assembler } from './assembler.ts';
import type { TrackerCounter, TrackerOptions } from './tracker-options.ts';

/** What a stored piece costs beside its bytes: the piece, its array and its origin as V8 lays them out, about. */
const PIECE_OVERHEAD = 256;

export class StreamContext {
  readonly counters: Counters<TrackerCounter>;
  readonly startAtOnce: boolean;
  readonly gapPatience: Duration;
  readonly unansweredGapPatience: Duration;
  readonly resentGapPatience: Duration;
  readonly ackedGapPatience: Duration;
  readonly maxHeldPerStream: number;
  /** Memory held by all half-streams together, in bytes. */
  heldBytes = 0;
  #lastServer: Endpoint | undefined = undefined;
  #lastClient: IpAddress | undefined = undefined;

  constructor(options: TrackerOptions, counters: Counters<TrackerCounter>) {
    this.counters = counters;
    this.startAtOnce = options.startAtOnce;
    this.gapPatience = options.gapPatience;
    this.unansweredGapPatience = options.unansweredGapPatience;
    this.resentGapPatience = options.resentGapPatience;
    this.ackedGapPatience = options.ackedGapPatience;
    this.maxHeldPerStream = options.maxHeldPerStream;
  }

  /** The end that a segment comes from or goes to, being the server's. */
  serverOf(segment: Segment, source: boolean): Endpoint {
    const s = segment;
    const [w0, w1, w2, w3] = source ? [s.src0, s.src1, s.src2, s.src3] : [s.dst0, s.dst1, s.dst2, s.dst3];
    const port = source ? s.srcPort : s.dstPort;
    const last = this.#lastServer;
    if (last?.port === port && last.address.w3 === w3 && last.address.w2 === w2) {
      if (last.address.w1 === w1 && last.address.w0 === w0) return last;
    }
    return (this.#lastServer = { address: ipFromWords(w0, w1, w2, w3), port });
  }

  /** The end that a segment comes from or goes to, being the client's. */
  clientOf(segment: Segment, source: boolean): Endpoint {
    const s = segment;
    const [w0, w1, w2, w3] = source ? [s.src0, s.src1, s.src2, s.src3] : [s.dst0, s.dst1, s.dst2, s.dst3];
    const last = this.#lastClient;
    const same = last?.w3 === w3 && last.w2 === w2 && last.w1 === w1 && last.w0 === w0;
    const address = same ? last : (this.#lastClient = ipFromWords(w0, w1, w2, w3));
    return { address, port: source ? s.srcPort : s.dstPort };
  }

  /** Without limits of its own: its half-stream skips holes as soon as the cap is passed, so by one segment at most. */
  newStore<Note>(): Assembler<Note> {
    return new Assembler({ maxBytes: Infinity, maxPieces: Infinity });
  }

  /** For payload with bad checksums: refuses what exceeds a quarter of the cap, since it may never be drained. */
  newSuspectStore<Note>(): Assembler<Note> {
    const maxBytes = this.maxHeldPerStream / 4;
    return new Assembler({ maxBytes, maxPieces: maxBytes / PIECE_OVERHEAD });
  }

  costOf(store: Assembler<unknown>): number {
    return store.heldBytes + store.pieceCount * PIECE_OVERHEAD;
  }
}
