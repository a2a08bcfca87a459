/** What is remembered of a segment whose bytes are held, and what can be told from it. */
import { seqAdd, type SeqNum } from '../core/seq-num.ts';
import { elapsed, seconds, type Instant } from '../core/time.ts';
import { TCP_ACK, TCP_PSH, type Segment } from '../wire/segment.ts';
import type { Assembler, Piece } from './assembler.ts';

export interface Origin {
  readonly time: Instant;
  readonly ack: SeqNum;
  readonly push: boolean;
  readonly mayBeProbe: boolean;
}

export type Store = Assembler<Origin>;

/** Keep-alive probes come when nothing else does. */
const PROBE_PAUSE = seconds(1);

export function originOf(segment: Segment): Origin {
  return {
    time: segment.time,
    ack: segment.ack,
    push: (segment.flags & TCP_PSH) !== 0,
    mayBeProbe: mayBeProbe(segment),
  };
}

/** Whether a first segment may be a keep-alive probe: one byte that its sender was in no hurry to have read. */
export function mayBeProbe(segment: Segment): boolean {
  return segment.sentLength === 1 && (segment.flags & (TCP_PSH | TCP_ACK)) === TCP_ACK;
}

/** Whether the first piece held turned out to be a probe, now that data at `following` is there, sent at `time`. */
export function wasProbe(first: Readonly<Piece<Origin>> | undefined, following: SeqNum, time: Instant): boolean {
  if (first?.length !== 1 || first.note?.mayBeProbe !== true || seqAdd(first.seq, 1) !== following) return false;
  return first.bytes?.[first.offset] === 0 || elapsed(time, first.note.time) >= PROBE_PAUSE;
}
