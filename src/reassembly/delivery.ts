/** What reassembly hands out: tracker events, and the chunk and gap that data and gap events are about. */
import { seqNum, type SeqNum } from '../core/seq-num.ts';
import { instant, type Instant } from '../core/time.ts';

/** Nothing more: the tracker wants its next segment. */
export const EVENT_NONE = 0;
/** A connection was seen for the first time. */
export const EVENT_OPENED = 1;
/** `chunk` continues the stream of `half`. */
export const EVENT_DATA = 2;
/** `gap` says which bytes of `half` are missing; the stream goes on after them. */
export const EVENT_GAP = 3;
/** `half` has ended with FIN, everything before it having been handed out. */
export const EVENT_HALF_CLOSED = 4;
/** Last event of a connection: both halves ended, it was idle, replaced, evicted, or the input ended. */
export const EVENT_CLOSED = 5;
/** Last event of a connection: one side reset it. */
export const EVENT_RESET = 6;
/** A new connection was turned away because the flow table is full; `connection` is not set. */
export const EVENT_REJECTED = 7;

export type TrackerEvent = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;

/** Bytes in order. They belong to the captured batch or to the tracker: copy what is kept beyond the next `handle`. */
export class Chunk {
  bytes: Uint8Array = new Uint8Array(0);
  offset = 0;
  length = 0;
  /** Where in the stream of its half the chunk begins. */
  streamOffset = 0.5;
  /** When the segment that carried it was captured. */
  time: Instant = instant(0.5);
  /** That segment had PSH set. */
  push = false;
  /** Its acknowledgement number: how far its sender had seen the other half. */
  peerAck: SeqNum = seqNum(0);
}

/** A stretch of a stream that was never seen: a hole has later data behind it, a tail is only known to have existed. */
export class Gap {
  offset = 0.5;
  length = 0;
  kind: 'hole' | 'tail' = 'hole';
}
