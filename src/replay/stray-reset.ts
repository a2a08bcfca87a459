/**
 * What a closed port answers (RFC 9293 §3.10.7.1): a RST that the sender of a stray segment believes. A session is
 * forgotten as soon as it has ended; when its last ACK was lost the target repeats its FIN, and would wait in LAST-ACK
 * for minutes if nobody answered.
 */
import type { PacketBatch } from '../core/packet-batch.ts';
import { seqAdd, seqNum } from '../core/seq-num.ts';
import { TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { TcpHeader, writeTcpPacket } from '../wire/tcp-writer.ts';

const ROOM = 60;

export class StrayReset {
  readonly #header = new TcpHeader();

  /** Answers a segment that belongs to no session; false when it wants no answer, or the batch is full. */
  write(stray: Segment, batch: PacketBatch): boolean {
    const { flags, sentLength } = stray;
    const span = sentLength + (flags & TCP_SYN ? 1 : 0) + (flags & TCP_FIN ? 1 : 0);
    // A RST is never answered; a bare ACK asks for nothing.
    if (flags & TCP_RST || span === 0) return false;
    const offset = batch.reserve(ROOM);
    if (offset < 0) return false;
    const header = this.#header;
    header.ipVersion = stray.ipVersion;
    header.src0 = stray.dst0;
    header.src1 = stray.dst1;
    header.src2 = stray.dst2;
    header.src3 = stray.dst3;
    header.dst0 = stray.src0;
    header.dst1 = stray.src1;
    header.dst2 = stray.src2;
    header.dst3 = stray.src3;
    header.srcPort = stray.dstPort;
    header.dstPort = stray.srcPort;
    const acknowledges = (flags & TCP_ACK) !== 0;
    header.seq = acknowledges ? stray.ack : seqNum(0);
    header.ack = acknowledges ? seqNum(0) : seqAdd(stray.seq, span);
    header.flags = acknowledges ? TCP_RST : TCP_RST | TCP_ACK;
    batch.commit(writeTcpPacket(batch.bytes, batch.view, offset, header, undefined, 0, 0));
    return true;
  }
}
