/** Whether a segment between known endpoints belongs to the connection known, or to a later one that reuses its ports. */
import { seqAdd, seqDiff, type SeqNum } from '../core/seq-num.ts';
import { CHECKSUM_BAD, TCP_ACK, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { RESET_SEEN } from './connection-state.ts';
import type { Connection } from './connection.ts';
import type { HalfStream } from './half-stream.ts';

/** How far back from the first data the SYN may lie that arrives after it. */
const LATE_SYN_REACH = 1 << 22;
/** Data that a SYN-ACK may acknowledge beside the SYN. */
const SYN_DATA_MAX = 0xffff;
/** How far behind its SYN the first segment seen of a connection may lie. */
const RIVAL_REACH = 1 << 20;

/** What one half of the connection known has left behind, or is at. */
export interface StreamTraces {
  readonly seenGood: boolean;
  readonly synSeen: boolean;
  readonly finKnown: boolean;
  readonly anchored: boolean;
  readonly start: SeqNum | undefined;
  readonly lowestHeld: SeqNum | undefined;
  /** About how far the stream has come, as far as anything tells. */
  readonly position: SeqNum | undefined;
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

/**
 * Whether a SYN that would replace `c` is only noted, as its rival. A server answers a SYN amid a connection with a
 * challenge ACK and goes on (RFC 5961 §4), and anybody can send one who knows the ports.
 */
export function isRival(c: Connection, own: HalfStream, segment: Segment): boolean {
  const over = (c.state & RESET_SEEN) !== 0 || own.finKnown;
  return own === c.c2s && own.anchored && !over && segment.payloadLength === 0;
}

/** Whether a segment shows that the rival's SYN was meant: the client goes on behind it, or the server has taken it. */
export function continuesRival(c: Connection, own: HalfStream, segment: Segment): boolean {
  const { rival } = c;
  if (rival === undefined || segment.checksum === CHECKSUM_BAD) return false;
  const { flags } = segment;
  if (own === c.s2c) return (flags & (TCP_SYN | TCP_ACK)) === (TCP_SYN | TCP_ACK) && segment.ack === rival;
  if (flags & TCP_SYN) return false;
  const beyond = seqDiff(segment.seq, rival);
  return beyond >= 0 && beyond < RIVAL_REACH && beyond < Math.abs(seqDiff(segment.seq, own.next));
}
