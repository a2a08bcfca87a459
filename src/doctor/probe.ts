/**
 * One probe: a SYN as a copy's session would send it, known again by its source port, which is leased, and by its initial
 * sequence number. It never becomes a connection: its answer is answered by a segment that acknowledges too little (which
 * the target refuses, and this host's connection tracking judges as it would any session's next one), then by a reset. So
 * the service under test is not even told.
 */
import type { PacketBatch } from '../core/packet-batch.ts';
import { formatIp } from '../core/ip-address.ts';
import { seqAdd, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Sighting } from '../core/sighting.ts';
import type { ProbeEvidence, ProbeKind, Seen, SeenKind } from '../diagnosis/evidence.ts';
import { addSeen, isAnswerTo, seenKind, type SessionPath } from '../diagnosis/sighting-kind.ts';
import { TCP_ACK, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { parseTcpOptions, TcpOptions } from '../wire/tcp-options.ts';
import { padOptions, putMss, putSackPermitted, putWindowScale } from '../wire/tcp-options-writer.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../wire/tcp-writer.ts';

/** "tc": the upper half of every probe's initial sequence number. */
const MARK = 0x7463_0000;
const WINDOW = 0xfaf0;

export interface ProbeRoute extends SessionPath {
  readonly kind: ProbeKind;
}

export class Probe {
  readonly route: ProbeRoute;
  sendError: string | undefined;
  matched: 'syn-ack' | 'rst' | undefined;
  mss: number | undefined;
  readonly seen: Seen[] = [];
  readonly #isn: SeqNum;
  /** Bytes of the SYN's packet; padded up to it. */
  readonly #size: number;
  readonly #ownMss: number;
  readonly #header = new TcpHeader();
  #answerSeq: SeqNum | undefined;
  #ack: ProbeEvidence['ack'] = 'not-sent';
  #leftBy: string | undefined;
  #written = 0;

  /** `size`: of the packet; 0 for no more than it needs. `ownMss`: what the SYN offers. */
  constructor(route: ProbeRoute, size: number, ownMss: number) {
    this.route = route;
    this.#isn = seqNum(MARK | (route.sourcePort & 0xffff));
    this.#size = size;
    this.#ownMss = ownMss;
  }

  get answered(): boolean {
    return this.matched !== undefined;
  }

  writeSyn(batch: PacketBatch): void {
    const header = this.#fill(TCP_SYN, this.#isn, seqNum(0));
    let n = putMss(header.options, 0, this.#ownMss);
    n = putSackPermitted(header.options, n);
    n = putWindowScale(header.options, n, 7);
    header.optionsLength = padOptions(header.options, n);
    this.#write(batch, Math.max(0, this.#size - headersLength(header)));
  }

  /** One that acknowledges a byte less than it should; false when there is no answer to it. */
  writeFollowUp(batch: PacketBatch): boolean {
    if (this.#answerSeq === undefined || this.#ack !== 'not-sent') return false;
    this.#ack = 'lost';
    this.#fill(TCP_ACK, seqAdd(this.#isn, 1), this.#answerSeq);
    this.#write(batch, 0);
    return true;
  }

  /** Takes back what the target may have opened for it. RST with ACK: a kernel's own in answer to a SYN-ACK has none. */
  writeReset(batch: PacketBatch): void {
    const ack = this.#answerSeq === undefined ? seqNum(0) : seqAdd(this.#answerSeq, 1);
    this.#fill(TCP_RST | TCP_ACK, seqAdd(this.#isn, 1), ack);
    this.#write(batch, 0);
  }

  /** The kernel refused what was written last. */
  failed(code: string): void {
    if (this.#ack === 'lost') this.#ack = { error: code };
    else this.sendError ??= code;
  }

  /** What came through the intercept; false when it is not of this probe. */
  handle(segment: Segment): boolean {
    const { target, targetPort, sourcePort } = this.route;
    if (segment.dstPort !== sourcePort || segment.srcPort !== targetPort || segment.src3 !== target.w3) return false;
    if (!isAnswerTo(segment.flags) || !this.#acknowledgesSyn(segment.ack)) return true;
    if ((segment.flags & TCP_SYN) !== 0) {
      this.matched = 'syn-ack';
      this.#answerSeq = segment.seq;
      const options = new TcpOptions();
      parseTcpOptions(segment, options);
      if (options.mss > 0) this.mss = options.mss;
    } else this.matched ??= 'rst';
    return true;
  }

  /** What a watch saw; does nothing when it is about something else. */
  see(at: Seen['at'], s: Sighting): void {
    const kind = this.#kindOf(s);
    if (kind === undefined) return;
    if (at === 'online' && s.outgoing && s.kind === 'tcp') {
      if (kind === 'probe') this.#leftBy ??= s.device;
      if (kind === 'probe' && (s.flags & TCP_SYN) === 0) {
        if (this.#ack === 'lost') this.#ack = 'left';
        return;
      }
    }
    addSeen(this.seen, at, kind, s);
  }

  evidence(): ProbeEvidence {
    const { kind, source, sourcePort, target, targetPort } = this.route;
    return {
      kind,
      source: formatIp(source),
      sourcePort,
      target: formatIp(target),
      targetPort,
      size: this.#written,
      sendError: this.sendError,
      leftBy: this.#leftBy,
      matched: this.matched,
      mss: this.mss,
      ack: this.#ack,
      seen: this.seen,
    };
  }

  #kindOf(s: Sighting): SeenKind | undefined {
    const kind = seenKind(s, this.route);
    const answers = kind === 'syn-ack' || kind === 'rst-of-target' || kind === 'other-answer';
    return answers && !this.#acknowledgesSyn(s.ack) ? undefined : kind;
  }

  /** A reset in answer to the follow-up does not. */
  #acknowledgesSyn(ack: number): boolean {
    const acknowledged = (ack - this.#isn) | 0;
    return acknowledged >= 1 && acknowledged <= 1 + this.#size;
  }

  #fill(flags: number, seq: SeqNum, ack: SeqNum): TcpHeader {
    const header = this.#header;
    const { source, target, sourcePort, targetPort } = this.route;
    header.ipVersion = target.version;
    [header.src0, header.src1, header.src2, header.src3] = [source.w0, source.w1, source.w2, source.w3];
    [header.dst0, header.dst1, header.dst2, header.dst3] = [target.w0, target.w1, target.w2, target.w3];
    header.srcPort = sourcePort;
    header.dstPort = targetPort;
    header.seq = seq;
    header.ack = ack;
    header.flags = flags;
    header.window = WINDOW;
    header.optionsLength = 0;
    return header;
  }

  #write(batch: PacketBatch, payload: number): void {
    const length = headersLength(this.#header) + payload;
    const at = batch.reserve(length);
    if (at < 0) return;
    batch.bytes.fill(0, at, at + length);
    const written = writeTcpPacket(batch.bytes, batch.view, at, this.#header, undefined, 0, payload);
    if ((this.#header.flags & TCP_SYN) !== 0) this.#written = written;
    batch.commit(written);
  }
}
