/** What every half-stream of a tracker shares: its rules, its counters, and the account of memory held out of order. */
import type { Counters } from '../core/counters.ts';
import type { Duration } from '../core/time.ts';
import { Assembler } from './assembler.ts';
import type { TrackerCounter, TrackerOptions } from './tracker-options.ts';

/** What a stored piece costs beside its bytes: the piece, its array and its origin as V8 lays them out, about. */
const PIECE_OVERHEAD = 256;

export class StreamContext {
  readonly counters: Counters<TrackerCounter>;
  readonly startAtOnce: boolean;
  readonly gapPatience: Duration;
  readonly ackedGapPatience: Duration;
  readonly maxHeldPerStream: number;
  /** Memory held by all half-streams together, in bytes. */
  heldBytes = 0;

  constructor(options: TrackerOptions, counters: Counters<TrackerCounter>) {
    this.counters = counters;
    this.startAtOnce = options.startAtOnce;
    this.gapPatience = options.gapPatience;
    this.ackedGapPatience = options.ackedGapPatience;
    this.maxHeldPerStream = options.maxHeldPerStream;
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
