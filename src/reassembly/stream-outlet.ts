/**
 * What a stream hands out beside the bytes that pass straight through: what was held until it continues the stream, the
 * gaps that stand instead of what did not come, and the end.
 */
import { seqGt, type SeqNum } from '../core/seq-num.ts';
import { EVENT_DATA, EVENT_GAP, EVENT_HALF_CLOSED, EVENT_NONE, type Chunk, type Gap } from './delivery.ts';
import { SKIP_ALL, SKIP_NOTHING, SKIP_ONE, type HalfStream } from './half-stream.ts';
import type { StreamContext } from './stream-context.ts';
import { wasProbe } from './stream-origin.ts';
import { COUNT_KEEP_ALIVE, COUNT_STREAM_CAP, WAIT_FOREVER } from './tracker-options.ts';

export class StreamOutlet {
  readonly #context: StreamContext;
  readonly #chunk: Chunk;
  readonly #gap: Gap;

  constructor(context: StreamContext, chunk: Chunk, gap: Gap) {
    this.#context = context;
    this.#chunk = chunk;
    this.#gap = gap;
  }

  /** The next thing that `stream` hands out, after what its `offer` returned: fills `chunk` or `gap`. */
  pull(stream: HalfStream): typeof EVENT_NONE | typeof EVENT_DATA | typeof EVENT_GAP | typeof EVENT_HALF_CLOSED {
    if (stream.mode === 0 || stream.ended) return EVENT_NONE;
    const forced = stream.held?.overCap === true;
    if (stream.skip === SKIP_ALL && stream.unseen) stream.suspectTrusted = true;
    if (!stream.anchored) {
      if (stream.skip === SKIP_NOTHING && !forced && !(this.#context.startAtOnce && stream.finKnown)) return EVENT_NONE;
      this.#anchorAtLowest(stream);
      if (!stream.anchored) {
        if (stream.skip === SKIP_ONE) stream.skip = SKIP_NOTHING;
        return EVENT_NONE;
      }
    }
    if (this.#pullHeld(stream)) return EVENT_DATA;
    if (stream.next === stream.extent.fin) {
      stream.drop();
      return EVENT_HALF_CLOSED;
    }
    if (stream.skip === SKIP_NOTHING && !forced) return EVENT_NONE;
    const end = this.#holeEnd(stream);
    if (!seqGt(end, stream.next)) {
      if (stream.skip === SKIP_ONE) stream.skip = SKIP_NOTHING;
      return EVENT_NONE;
    }
    if (forced && stream.skip === SKIP_NOTHING) this.#context.counters.add(COUNT_STREAM_CAP);
    if (stream.skip === SKIP_ONE) stream.skip = SKIP_NOTHING;
    this.#gap.offset = stream.streamOffset;
    this.#gap.length = stream.skipTo(end);
    return EVENT_GAP;
  }

  /** Puts bytes that continue the stream into `chunk`, from what is held or else from what is suspect and acknowledged. */
  #pullHeld(stream: HalfStream): boolean {
    const { held } = stream;
    const limit = suspectLimit(stream);
    const good = held?.piece(0)?.seq === stream.next;
    const piece = held?.take(stream.next, limit);
    if (piece?.bytes === undefined || piece.note === undefined) return false;
    if (!good) stream.suspectTrusted = true;
    const chunk = this.#chunk;
    chunk.bytes = piece.bytes;
    chunk.offset = piece.offset;
    chunk.length = piece.length;
    chunk.streamOffset = stream.streamOffset;
    chunk.time = piece.note.time;
    chunk.push = piece.note.push;
    chunk.peerAck = piece.note.ack;
    stream.advance(piece.length);
    stream.extent.see(stream.next);
    stream.update();
    return true;
  }

  /** Where the hole at `next` ends by what is known; sets the kind of gap it would be. */
  #holeEnd(stream: HalfStream): SeqNum {
    const { extent, held, next, skip } = stream;
    const { gapPatience } = this.#context;
    this.#gap.kind = 'hole';
    const end = held?.firstUsable(next, suspectLimit(stream));
    if (end !== undefined) return end;
    if (seqGt(extent.seenEnd, next)) return extent.seenEnd;
    this.#gap.kind = 'tail';
    if (stream.lacksFin && gapPatience !== WAIT_FOREVER) return next;
    if (skip === SKIP_ONE || gapPatience !== WAIT_FOREVER) return extent.known;
    // At the end of a recording: a side that showed neither SYN nor payload misses nothing that could be named, and how
    // far the sender's bare segments had got is no proof, since the last of them may be no part of the recording.
    if (!stream.synSeen && stream.unseen) return next;
    return extent.fin ?? extent.peerAck;
  }

  /** A stream whose start is not known begins with the lowest that is held, if that was no probe. */
  #anchorAtLowest(stream: HalfStream): void {
    const { held } = stream;
    const lowest = held?.firstSeq;
    if (lowest === undefined) {
      const { fin } = stream.extent;
      if (fin !== undefined) stream.anchor(fin, false);
      return;
    }
    const second = held?.piece(1);
    const probe = second?.note !== undefined && wasProbe(held?.piece(0), second.seq, second.note.time);
    if (probe) this.#context.counters.add(COUNT_KEEP_ALIVE);
    stream.anchor(probe ? second.seq : lowest, false);
  }
}

/**
 * Up to where suspect bytes may be used. At the end of the connection, when nothing more can tell, that is all of them
 * if checksums of this side are never to be believed: no good payload was seen, or bad payload was acknowledged before.
 */
function suspectLimit({ held, skip, suspectTrusted, extent }: HalfStream): SeqNum {
  const end = held?.suspectEnd;
  return skip === SKIP_ALL && suspectTrusted && end !== undefined ? end : extent.acked;
}
