/**
 * Loss recovery: which of the bytes between SND.UNA and SND.NXT are taken for lost, and which of those go out next.
 *
 * The bytes themselves lie in the send buffer; what is sent again is a matter of three marks:
 *
 *     una ······ resend ········ lostEdge ········ recover ≤ nxt
 *         sent again    to be sent       taken to be in
 *         already       again            flight
 *
 * In TIMEOUT (RFC 5681 §3.1) everything outstanding is lost: lostEdge = recover. In FAST recovery with SACK every hole
 * below the highest byte the peer holds is (RFC 6675, with the simpler FACK notion of lost); without SACK one segment at
 * a time is, the next when a partial acknowledgement comes (NewReno, RFC 6582). Both end when `recover`, which was
 * SND.NXT when the loss was noticed, is acknowledged. What the peer holds according to SACK is never sent again, unless
 * it turns out to have forgotten it (RFC 2018 §8).
 *
 * An instance lives from the first sign of loss until all that it was about has been acknowledged: sessions that lose
 * nothing have none.
 */
import { seqAdd, seqDiff, seqGe, seqGt, seqLe, seqLt, seqMax, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { TcpOptions } from '../wire/tcp-options.ts';
import { SackScoreboard } from './sack-scoreboard.ts';

const NO_LOSS = 0;
const FAST = 1;
const TIMEOUT = 2;

/** Duplicate acknowledgements that mean loss rather than reordering (RFC 5681 §2, §3.2). */
const DUPLICATES_MEAN_LOSS = 3;

export class RetransmitQueue {
  /** The next range to send again, set by `nextHole`. */
  holeStart: SeqNum = seqNum(0);
  holeEnd: SeqNum = seqNum(0);
  #mode = NO_LOSS;
  #duplicates = 0;
  #recover: SeqNum = seqNum(0);
  #resend: SeqNum = seqNum(0);
  #lostEdge: SeqNum = seqNum(0);
  #peerHolds: SackScoreboard | undefined = undefined;
  /** The first retransmission of a fast recovery goes out whatever the window says (RFC 5681 §3.2 step 3). */
  #urgent = false;

  get inFastRecovery(): boolean {
    return this.#mode === FAST;
  }

  get urgent(): boolean {
    return this.#urgent;
  }

  /** Takes in the SACK option of an acknowledgement; true when it told of bytes not known to be held. */
  noteSack(options: TcpOptions, una: SeqNum, nxt: SeqNum): boolean {
    let news = false;
    for (let i = 0; i < options.sackBlocks; i++) {
      const start = seqNum(options.sackStart[i]!);
      const end = seqNum(options.sackEnd[i]!);
      // A block at or below the cumulative acknowledgement is a D-SACK (RFC 2883): it tells of a duplicate, not a hole.
      if (seqLe(end, una) || seqGt(end, nxt) || seqGe(start, end) || seqLe(start, una)) continue;
      this.#peerHolds ??= new SackScoreboard();
      if (this.#peerHolds.add(start, end)) news = true;
    }
    if (news && this.#mode === FAST) this.#lostEdge = seqMax(this.#lostEdge, this.#peerHolds!.highest(una));
    return news;
  }

  duplicateAck(): void {
    this.#duplicates++;
  }

  /** Whether what was heard so far means that the segment at `una` was lost. */
  lossSuspected(segmentSize: number): boolean {
    if (this.#mode !== NO_LOSS) return false;
    if (this.#duplicates >= DUPLICATES_MEAN_LOSS) return true;
    const held = this.#peerHolds;
    return held !== undefined && held.bytes > (DUPLICATES_MEAN_LOSS - 1) * segmentSize;
  }

  enterFast(una: SeqNum, nxt: SeqNum, segmentSize: number): void {
    this.#mode = FAST;
    this.#recover = nxt;
    this.#resend = una;
    this.#lostEdge = firstSegmentEnd(una, nxt, segmentSize);
    const held = this.#peerHolds;
    if (held !== undefined) this.#lostEdge = seqMax(this.#lostEdge, held.highest(una));
    this.#urgent = true;
  }

  /** Everything outstanding counts as lost: the timer ran out, or the path turned out too narrow. */
  enterTimeout(una: SeqNum, nxt: SeqNum): void {
    // The peer's next missing byte is one it had: it reneged, and nothing it reported counts (RFC 2018 §8).
    if (this.#peerHolds?.first(nxt) === una) this.#peerHolds = undefined;
    this.#mode = TIMEOUT;
    this.#recover = nxt;
    this.#resend = una;
    this.#lostEdge = nxt;
    this.#duplicates = 0;
    this.#urgent = false;
  }

  /** The cumulative acknowledgement moved to `una`. Returns true when nothing is left to remember of any loss. */
  advanced(una: SeqNum, nxt: SeqNum, segmentSize: number): boolean {
    this.#duplicates = 0;
    const held = this.#peerHolds;
    if (held !== undefined) {
      held.discardBefore(una);
      if (held.isEmpty) this.#peerHolds = undefined;
    }
    if (this.#mode !== NO_LOSS && seqGe(una, this.#recover)) {
      this.#mode = NO_LOSS;
      this.#urgent = false;
    }
    if (this.#mode === NO_LOSS) return this.#peerHolds === undefined;
    if (this.#mode === FAST && held === undefined) {
      this.#resend = una;
      this.#lostEdge = firstSegmentEnd(una, nxt, segmentSize);
      this.#urgent = true;
    } else {
      this.#resend = seqMax(this.#resend, una);
      this.#lostEdge = seqMax(this.#lostEdge, una);
    }
    return false;
  }

  /** Finds what to send again next; false when nothing is known to be lost. */
  nextHole(): boolean {
    if (this.#mode === NO_LOSS) return false;
    const held = this.#peerHolds;
    if (held !== undefined) this.#resend = held.skipHeld(this.#resend);
    if (seqGe(this.#resend, this.#lostEdge)) return false;
    this.holeStart = this.#resend;
    this.holeEnd = held === undefined ? this.#lostEdge : held.holeEnd(this.#resend, this.#lostEdge);
    return true;
  }

  /** The hole was sent again up to `end`. */
  resent(end: SeqNum): void {
    this.#urgent = false;
    if (seqGt(end, this.#resend)) this.#resend = end;
  }

  /** Estimate of the bytes in the network (RFC 6675 §4, SetPipe). */
  inFlight(una: SeqNum, nxt: SeqNum, segmentSize: number): number {
    const held = this.#peerHolds;
    let flight = seqDiff(nxt, una) as number;
    if (this.#mode !== NO_LOSS) {
      const resend = seqMax(this.#resend, una);
      if (seqLt(resend, this.#lostEdge)) {
        flight -= seqDiff(this.#lostEdge, resend);
        // Held bytes among the lost were subtracted with them: not twice.
        if (held !== undefined) flight += held.bytesWithin(resend, this.#lostEdge);
      }
    }
    flight -= held === undefined ? this.#duplicates * segmentSize : held.bytes;
    return flight < 0 ? 0 : flight;
  }
}

function firstSegmentEnd(una: SeqNum, nxt: SeqNum, segmentSize: number): SeqNum {
  const end = seqAdd(una, segmentSize);
  return seqLt(end, nxt) ? end : nxt;
}
