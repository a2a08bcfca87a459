/**
 * The other end of a dry run: a peer that accepts every connection, acknowledges every byte at once and closes when it
 * is closed. It stands between the raw target and a sink that only writes packets down, so that `-w` shows what would
 * be sent to a target that never refuses, never loses and never waits.
 */
import { FrameBatch } from '../core/frame-batch.ts';
import { DROP_NONE } from '../core/drop-reason.ts';
import type { PacketBatch } from '../core/packet-batch.ts';
import { seqAdd, seqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { PacketSink, SinkListener, SinkStats } from '../inject/packet-sink.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { Segment, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../wire/segment.ts';

const LINKTYPE_RAW = 101;
/** MSS 1460, window scale 7: kind, length, value; padded (RFC 9293 §3.1, RFC 7323 §2.2). */
const SYN_OPTIONS = Uint8Array.of(2, 4, 1460 >> 8, 1460 & 255, 1, 3, 3, 7);
const ISN = seqNum(1_000_000);

export class AcknowledgingPeer implements PacketSink {
  readonly #sink: PacketSink;
  readonly #parser = new FrameParser({ verifyChecksums: false });
  readonly #frame = new FrameBatch(1);
  readonly #sent = new Segment();
  #replies: Segment[] = [];
  /** Packets at the front of the batch that the sink has kept back, and that are answered already. */
  #answered = 0;

  constructor(sink: PacketSink) {
    this.#sink = sink;
  }

  get name(): string {
    return this.#sink.name;
  }

  get batch(): PacketBatch {
    return this.#sink.batch;
  }

  open(listener: SinkListener): Promise<void> {
    return this.#sink.open(listener);
  }

  flush(): boolean {
    const { bytes, offset, length, count } = this.batch;
    for (let i = this.#answered; i < count; i++) {
      this.#frame.reset(bytes);
      this.#frame.add(offset[i]!, length[i]!, length[i]!, 0 as Instant, LINKTYPE_RAW);
      if (this.#parser.parse(this.#frame, 0, this.#sent) === DROP_NONE) this.#answer(this.#sent);
    }
    const flushed = this.#sink.flush();
    this.#answered = this.batch.count;
    return flushed;
  }

  /** Whether replies wait to be handed to the target. */
  get hasReplies(): boolean {
    return this.#replies.length > 0;
  }

  /** Hands out the replies to what has been flushed so far. */
  deliver(handle: (segment: Segment) => void): void {
    const replies = this.#replies;
    this.#replies = [];
    for (const segment of replies) handle(segment);
  }

  stats(): SinkStats {
    return this.#sink.stats();
  }

  close(): Promise<void> {
    return this.#sink.close();
  }

  #answer(sent: Segment): void {
    const { flags } = sent;
    const takes = sent.sentLength + (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);
    if (flags & TCP_RST || takes === 0) return;
    const reply = new Segment();
    [reply.src0, reply.src1, reply.src2, reply.src3] = [sent.dst0, sent.dst1, sent.dst2, sent.dst3];
    [reply.dst0, reply.dst1, reply.dst2, reply.dst3] = [sent.src0, sent.src1, sent.src2, sent.src3];
    reply.ipVersion = sent.ipVersion;
    reply.srcPort = sent.dstPort;
    reply.dstPort = sent.srcPort;
    reply.ack = seqAdd(sent.seq, takes);
    reply.seq = flags & TCP_SYN ? ISN : seqAdd(ISN, 1);
    reply.flags = TCP_ACK | (flags & (TCP_SYN | TCP_FIN));
    reply.window = 0xffff;
    if (flags & TCP_SYN) {
      reply.bytes = SYN_OPTIONS;
      reply.view = new DataView(SYN_OPTIONS.buffer);
      reply.optionsLength = SYN_OPTIONS.length;
    }
    this.#replies.push(reply);
  }
}
