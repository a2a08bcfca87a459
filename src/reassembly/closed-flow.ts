/**
 * What is remembered of a connection that has ended, in its flow's record: enough to tell its stragglers from a later
 * connection between the same ends.
 */
import type { SeqNum } from '../core/seq-num.ts';
import type { Connection } from './connection.ts';
import {
  ACKED,
  FLAG_CLOSED,
  FLAG_FIN_KNOWN,
  FLAG_FLIPPED,
  FLAG_IPV4,
  FLAG_SEEN_GOOD,
  FLAG_SYN_SEEN,
  FLAGS,
  NEXT,
  RECORD_WORDS,
  type FlowRecords,
} from './flow-record.ts';
import type { HalfStream } from './half-stream.ts';
import type { StreamTraces } from './incarnation.ts';
import { isNear } from './stream-extent.ts';

/** One half of it, read from the record. A half that has ended counts as one whose start is known. */
export class ClosedHalf implements StreamTraces {
  readonly anchored = true;
  readonly lowestHeld = undefined;
  seenGood = false;
  synSeen = false;
  finKnown = false;
  start = 0 as SeqNum;
  #next = 0 as SeqNum;

  get position(): SeqNum {
    return this.#next;
  }

  plausible(seq: SeqNum, length: number): boolean {
    return isNear(seq, length, this.#next);
  }

  load({ words }: FlowRecords, entry: number, half: number): this {
    const at = entry * RECORD_WORDS;
    const flags = words[at + FLAGS]! >> half;
    this.seenGood = (flags & FLAG_SEEN_GOOD) !== 0;
    this.synSeen = (flags & FLAG_SYN_SEEN) !== 0;
    this.finKnown = (flags & FLAG_FIN_KNOWN) !== 0;
    this.start = words[at + ACKED + half]! as SeqNum;
    this.#next = words[at + NEXT + half]! as SeqNum;
    return this;
  }
}

/** Writes what is to be remembered of a connection; both of its halves have ended. */
export function remember({ words }: FlowRecords, { entry, c2s, s2c }: Connection): void {
  const at = entry * RECORD_WORDS;
  const kept = words[at + FLAGS]! & (FLAG_CLOSED | FLAG_FLIPPED | FLAG_IPV4);
  words[at + FLAGS] = kept | traces(c2s) | (traces(s2c) << 1);
  words[at + NEXT] = c2s.next;
  words[at + NEXT + 1] = s2c.next;
  words[at + ACKED] = c2s.start ?? 0;
  words[at + ACKED + 1] = s2c.start ?? 0;
}

function traces({ seenGood, synSeen, finKnown }: HalfStream): number {
  return (seenGood ? FLAG_SEEN_GOOD : 0) | (synSeen ? FLAG_SYN_SEEN : 0) | (finKnown ? FLAG_FIN_KNOWN : 0);
}
