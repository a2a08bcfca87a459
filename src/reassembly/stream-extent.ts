/**
 * How far a stream is known to go, by every kind of evidence: payload that was seen, what the peer acknowledged, the
 * sender's own sequence numbers, the FIN. Beyond what was handed out that is where holes are.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLt, seqMax, seqNum, type SeqNum } from '../core/seq-num.ts';

/** No window reaches further (RFC 7323 §2.3): what lies beyond belongs to some other connection, or is damaged. */
export const MAX_WINDOW = 2 ** 30;

/** How far behind the stream a segment may plausibly be a late copy. */
const MAX_LATENESS = 2 ** 24;

/** How far beyond what was seen a RST may lie: segments before it may have been missed. */
const RESET_SLACK = 2 ** 20;

/** Whether a segment at `seq` can belong to a stream that stands at `next`. */
export function isNear(seq: SeqNum, length: number, next: SeqNum): boolean {
  const distance = seqDiff(seq, next);
  return distance < MAX_WINDOW && distance + length > -MAX_LATENESS;
}

export class StreamExtent {
  /** One past the highest payload byte seen, present or cut off. */
  seenEnd: SeqNum = seqNum(0);
  /** How far the sender had got by the sequence numbers of its segments. */
  sentTo: SeqNum = seqNum(0);
  /** The peer's highest acknowledgement; means something only when `ackKnown`. */
  peerAck: SeqNum = seqNum(0);
  ackKnown = false;
  /** The first acknowledgement that was seen, where the start of the stream was not. */
  firstAck: SeqNum | undefined = undefined;
  fin: SeqNum | undefined = undefined;
  /** Where a segment with a bad checksum put the FIN: believed once the peer acknowledges it. */
  suspectFin: SeqNum | undefined = undefined;
  payloadSeen = false;

  /** The stream begins at `start`. */
  begin(start: SeqNum): void {
    this.sentTo = start;
    if (!this.payloadSeen || seqLt(this.seenEnd, start)) this.seenEnd = start;
    if (!this.ackKnown || Math.abs(seqDiff(this.peerAck, start)) > MAX_WINDOW) this.peerAck = start;
    this.ackKnown = true;
    if (this.fin !== undefined && seqLt(this.fin, start)) this.fin = undefined;
  }

  /** Everything up to `next` was handed out, and nothing beyond it is known. */
  catchUp(next: SeqNum): void {
    this.seenEnd = this.sentTo = next;
    if (seqGt(this.peerAck, next)) this.peerAck = seqAdd(next, -MAX_WINDOW);
    this.keepUp(next);
  }

  /** The stream has come to `next`: an acknowledgement left far behind must not come round as one from the future. */
  keepUp(next: SeqNum): void {
    if (seqDiff(next, this.peerAck) > MAX_WINDOW) this.peerAck = seqAdd(next, -MAX_WINDOW);
  }

  see(end: SeqNum): void {
    if (!this.payloadSeen || seqGt(end, this.seenEnd)) this.seenEnd = end;
    this.payloadSeen = true;
  }

  /** Remembers the highest acknowledgement. */
  noteAck(ack: SeqNum): void {
    if (!this.ackKnown) {
      this.firstAck = this.peerAck = ack;
      this.ackKnown = true;
    } else if (seqGt(ack, this.peerAck)) this.peerAck = ack;
  }

  end(fin: SeqNum): void {
    this.fin = fin;
    if (seqGt(this.seenEnd, fin)) this.seenEnd = fin;
  }

  /** The peer's acknowledgement, without the one that acknowledges the FIN itself. */
  get acked(): SeqNum {
    return this.fin !== undefined && seqGt(this.peerAck, this.fin) ? this.fin : this.peerAck;
  }

  /** One past the last byte that must exist. */
  get known(): SeqNum {
    return this.fin ?? seqMax(seqMax(this.seenEnd, this.peerAck), this.sentTo);
  }

  /** Whether all that is missing behind `next` is one number in front of nothing that was seen. */
  lacksFin(next: SeqNum): boolean {
    return this.fin === undefined && !seqGt(this.seenEnd, next) && seqDiff(this.known, next) === 1;
  }

  /** Whether a RST at `seq` lies where one may, of a stream that stands at `next`. */
  reaches(seq: SeqNum, next: SeqNum): boolean {
    const lowest = seqLt(this.peerAck, next) ? this.peerAck : next;
    const highest = seqMax(seqMax(this.seenEnd, this.sentTo), next);
    return seqGe(seq, lowest) && seqDiff(seq, highest) <= RESET_SLACK;
  }
}
