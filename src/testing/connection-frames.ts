/**
 * The frames of one connection as a capture shows them: complete IP packets with the client's segments, and of the server
 * its part of the handshake. What the client has seen of the server shows in its acknowledgements.
 */
import type { Endpoint } from '../core/ip-address.ts';
import { seqAdd, seqNum, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { MemoryFrame } from '../capture/memory-source.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../wire/segment.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../wire/tcp-writer.ts';

const LINKTYPE_RAW = 101;
/** As a capture has them where the kernel puts segments together, and below the limit of an IPv4 packet. */
const LONGEST_PAYLOAD = 60_000;
const NOTHING: Uint8Array = new Uint8Array(0);

export class ConnectionFrames {
  readonly #client: Endpoint;
  readonly #server: Endpoint;
  readonly #now: () => Instant;
  readonly #header = new TcpHeader();
  #seq: SeqNum = seqNum(0x1fff_f000);
  #ack: SeqNum = seqNum(0x7fff_fff0);

  constructor(client: Endpoint, server: Endpoint, now: () => Instant) {
    this.#client = client;
    this.#server = server;
    this.#now = now;
    this.#header.ipVersion = client.address.version;
    this.#header.window = 0xffff;
  }

  handshake(): MemoryFrame[] {
    const syn = this.#frame(true, TCP_SYN, this.#seq, seqNum(0));
    this.#seq = seqAdd(this.#seq, 1);
    const synAck = this.#frame(false, TCP_SYN | TCP_ACK, this.#ack, this.#seq);
    this.#ack = seqAdd(this.#ack, 1);
    return [syn, synAck, this.acknowledgement()];
  }

  /** The client has seen so many more bytes of the server's, and says so with what it sends next. */
  sees(length: number): void {
    this.#ack = seqAdd(this.#ack, length);
  }

  /** Bytes of the server, which the client sees. */
  serverData(bytes: Uint8Array): MemoryFrame {
    const frame = this.#frame(false, TCP_PSH | TCP_ACK, this.#ack, this.#seq, bytes);
    this.sees(bytes.length);
    return frame;
  }

  /** Client bytes that follow what was sent, or was lost, before. */
  data(bytes: Uint8Array): MemoryFrame[] {
    const frames: MemoryFrame[] = [];
    for (let at = 0; at < bytes.length; at += LONGEST_PAYLOAD) {
      frames.push(this.dataAt(0, bytes.subarray(at, at + LONGEST_PAYLOAD)));
      this.lose(Math.min(LONGEST_PAYLOAD, bytes.length - at));
    }
    return frames;
  }

  /** Client bytes so far behind those before, which stay the last. */
  dataAt(offset: number, bytes: Uint8Array): MemoryFrame {
    return this.#frame(true, TCP_PSH | TCP_ACK, seqAdd(this.#seq, offset), this.#ack, bytes);
  }

  /** So many bytes follow that the capture does not have, or has already. */
  lose(length: number): void {
    this.#seq = seqAdd(this.#seq, length);
  }

  acknowledgement(): MemoryFrame {
    return this.#frame(true, TCP_ACK, this.#seq, this.#ack);
  }

  end(): MemoryFrame {
    return this.#frame(true, TCP_FIN | TCP_ACK, this.#seq, this.#ack);
  }

  reset(): MemoryFrame {
    return this.#frame(true, TCP_RST | TCP_ACK, this.#seq, this.#ack);
  }

  #frame(fromClient: boolean, flags: number, seq: SeqNum, ack: SeqNum, payload = NOTHING): MemoryFrame {
    const header = this.#header;
    const [source, destination] = fromClient ? [this.#client, this.#server] : [this.#server, this.#client];
    const [from, to] = [source.address, destination.address];
    [header.src0, header.src1, header.src2, header.src3] = [from.w0, from.w1, from.w2, from.w3];
    [header.dst0, header.dst1, header.dst2, header.dst3] = [to.w0, to.w1, to.w2, to.w3];
    [header.srcPort, header.dstPort] = [source.port, destination.port];
    header.seq = seq;
    header.ack = ack;
    header.flags = flags;
    const bytes = new Uint8Array(headersLength(header) + payload.length);
    writeTcpPacket(bytes, new DataView(bytes.buffer), 0, header, payload, 0, payload.length);
    return { bytes, time: this.#now(), linkType: LINKTYPE_RAW };
  }
}
