/** Whether a segment between known endpoints belongs to the connection known, or to a later one that reuses its ports. */
import { seqAdd, seqDiff, type SeqNum } from '../core/seq-num.ts';
import { CHECKSUM_BAD, TCP_ACK, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';

/** How far back from the first data the SYN may lie that arrives after it. */
const LATE_SYN_REACH = 1 << 22;
/** Data that a SYN-ACK may acknowledge beside the SYN. */
const SYN_DATA_MAX = 0xffff;

/** What one half of the connection known has left behind, or is at. */
export interface StreamTraces {
  readonly seenGood: boolean;
  readonly synSeen: boolean;
  readonly finKnown: boolean;
  readonly anchored: boolean;
  readonly start: SeqNum | undefined;
  readonly lowestHeld: SeqNum | undefined;
  plausible(seq: SeqNum, length: number): boolean;
}

/**
 * A SYN begins another connection when its ISN is not the one in force, unless it is the late beginning of a stream seen
 * from the middle. A SYN-ACK does when it acknowledges another SYN, anything else when it lies outside every plausible
 * window, and in both cases the connection has ended (`over`) or gone `quiet`.
 */
export function isReplacement(
  over: boolean,
  quiet: boolean,
  own: StreamTraces,
  other: StreamTraces,
  segment: Segment,
): boolean {
  if (segment.flags & TCP_RST || (segment.checksum === CHECKSUM_BAD && own.seenGood)) return false;
  if ((segment.flags & (TCP_SYN | TCP_ACK)) === TCP_SYN) return beginsAnew(over, own, other, segment);
  if (!over && !quiet) return false;
  if (segment.flags & TCP_SYN) return own.start !== seqAdd(segment.seq, 1) && !acknowledgesSyn(segment, other);
  return segment.sentLength > 0 && !own.plausible(segment.seq, segment.sentLength);
}

function beginsAnew(over: boolean, own: StreamTraces, other: StreamTraces, segment: Segment): boolean {
  const start = seqAdd(segment.seq, 1);
  if (own.start === start && own.synSeen) return false;
  if (own.finKnown && other.finKnown) return true;
  if (own.anchored) return own.start !== start;
  const lowest = own.lowestHeld;
  if (lowest === undefined) return over;
  const before = seqDiff(lowest, start);
  return before < 0 || before > LATE_SYN_REACH;
}

/** Whether a SYN-ACK answers the SYN of the other side that is known, if any is. */
function acknowledgesSyn(segment: Segment, other: StreamTraces): boolean {
  const { start } = other;
  if (start === undefined) return true;
  const beyond = seqDiff(segment.ack, start);
  return beyond >= 0 && beyond <= SYN_DATA_MAX;
}
