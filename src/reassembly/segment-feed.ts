/** What a segment that is not plainly the next one means for its connection: bytes, acknowledgements, SYN, FIN and RST. */
import { seqAdd, seqDiff, type SeqNum } from '../core/seq-num.ts';
import { CHECKSUM_BAD, CHECKSUM_GOOD, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { RESET_SEEN } from './connection-state.ts';
import { CLIENT_TO_SERVER, SERVER_TO_CLIENT, type Connection } from './connection.ts';
import type { DirectBytes } from './direct-bytes.ts';
import type { HalfStream } from './half-stream.ts';
import type { StreamContext } from './stream-context.ts';
import { COUNT_RESETS_IGNORED, WAIT_FOREVER, type TrackerOptions } from './tracker-options.ts';

/** Nothing more is to be done than to look at the half-streams. */
export const FED = 0;
/** Some of its bytes continue the stream right now: they are in the direct bytes. */
export const BYTES = 1;
/** The connection is reset, now or when what was on its way has had its time. */
export const RESET = 2;
export const RESET_LATER = 3;
export type Outcome = typeof FED | typeof BYTES | typeof RESET | typeof RESET_LATER;

export class SegmentFeed {
  readonly #options: TrackerOptions;
  readonly #context: StreamContext;
  readonly #direct: DirectBytes;

  constructor(options: TrackerOptions, context: StreamContext, direct: DirectBytes) {
    this.#options = options;
    this.#context = context;
    this.#direct = direct;
  }

  /** Gives a segment to its half-stream, and its acknowledgement to the other. */
  feed(c: Connection, segment: Segment, own: HalfStream, other: HalfStream): Outcome {
    const { flags } = segment;
    const good = segment.checksum !== CHECKSUM_BAD;
    const believed = good || !own.seenGood;
    if (segment.checksum === CHECKSUM_GOOD) own.seenGood = true;
    let seq = segment.seq;
    if (believed) {
      if (flags & TCP_RST) {
        return this.#takeReset(c, segment, own, other);
      }
      if (flags & TCP_SYN) {
        own.takeSyn(seq);
        seq = seqAdd(seq, 1);
        if (segment.payloadLength > 0) own.takeSynData(segment, seq);
        if (flags & TCP_ACK) {
          if (!other.anchored && !this.#options.oneWay) other.anchor(segment.ack, false);
          this.#takeAck(other, segment.ack);
        }
        return FED;
      }
      own.takeSeq(seq);
      if (flags & TCP_ACK) this.#takeAck(other, segment.ack);
    } else if (flags & (TCP_RST | TCP_SYN)) return FED;
    let outcome: Outcome = FED;
    if (good) {
      const before = own.streamOffset;
      const length = own.offer(segment, seq);
      if (length > 0) {
        // What is handed out ends where the stream stands now; a part before it may have been seen earlier.
        const at = segment.payloadOffset + seqDiff(own.next, segment.seq) - length;
        this.#direct.set(own === c.c2s ? CLIENT_TO_SERVER : SERVER_TO_CLIENT, before, segment, at, length);
        outcome = BYTES;
      }
    } else own.offerSuspect(segment, seq);
    if (flags & TCP_FIN) {
      const fin = seqAdd(seq, segment.sentLength);
      if (believed) own.takeFin(fin);
      else own.extent.suspectFin = fin;
    }
    return outcome;
  }

  #takeAck(other: HalfStream, ack: SeqNum): void {
    if (this.#options.oneWay) other.extent.noteAck(ack);
    else other.takeAck(ack);
  }

  #takeReset(c: Connection, segment: Segment, own: HalfStream, other: HalfStream): Outcome {
    // A refusal answers a SYN from a side that has sent nothing: only its acknowledgement can vouch for it.
    const vouched =
      own.anchored || (segment.flags & TCP_ACK) === 0 || !other.anchored || seqDiff(segment.ack, other.start!) >= 0;
    if (!vouched || !own.acceptsReset(segment.seq)) {
      this.#context.counters.add(COUNT_RESETS_IGNORED);
      return FED;
    }
    c.state |= RESET_SEEN;
    const { resetPatience } = this.#options;
    if (resetPatience === WAIT_FOREVER) return FED;
    const clientDone = own === c.c2s && own.anchored && own.next === segment.seq;
    return clientDone || resetPatience === 0 ? RESET : RESET_LATER;
  }

  /** Corrects who is the client by a SYN, as long as that changes nothing already told. */
  orient(c: Connection, segment: Segment): void {
    if (c.openedBy === 'syn') return;
    const clientIsSource = (segment.flags & TCP_ACK) === 0;
    c.openedBy = 'syn';
    const sourceIsClient = sameEnd(segment, c);
    if (sourceIsClient !== clientIsSource && c.c2s.untold && c.s2c.untold) c.flip();
  }
}

/** Whether the segment comes from the connection's client. */
function sameEnd(segment: Segment, c: Connection): boolean {
  const { address, port } = c.client;
  return (
    segment.srcPort === port &&
    segment.src3 === address.w3 &&
    segment.src2 === address.w2 &&
    segment.src1 === address.w1 &&
    segment.src0 === address.w0
  );
}
