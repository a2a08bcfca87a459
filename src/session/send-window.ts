/** The peer's receive window as last announced (RFC 9293 §3.10.7.4, fifth). */
import { seqLe, seqLt, seqNum, type SeqNum } from '../core/seq-num.ts';

export class SendWindow {
  /** SND.WND, scaled, and the largest it has been. */
  size = 0;
  largest = 0;
  /** The shift that the peer announced. */
  shift = 0;
  /** SND.WL1 and SND.WL2: SEG.SEQ and SEG.ACK of the last update. */
  #seq: SeqNum = seqNum(0);
  #ack: SeqNum = seqNum(0);

  set(seq: SeqNum, ack: SeqNum, size: number): void {
    this.size = size;
    if (size > this.largest) this.largest = size;
    this.#seq = seq;
    this.#ack = ack;
  }

  /** Whether a segment is as new as the last update: an older one must not bring back an older window. */
  isNewer(seq: SeqNum, ack: SeqNum): boolean {
    return seqLt(this.#seq, seq) || (this.#seq === seq && seqLe(this.#ack, ack));
  }
}
