/**
 * Records what the pipeline made of connections, as TCP conversations that were never sent: of client data nothing reaches
 * the disk that plugins have not seen.
 *
 * Theory of operation. A conversation begins with the first message that passes, and always with a handshake: what is
 * recorded of a connection begins at a message's boundary, even if the connection was older. Client data is cut into
 * segments of an ordinary MSS and numbered anew. Of the server only lengths are known here, from what the client had
 * acknowledged when it sent a message; they stand as packets of which nothing but the headers is recorded, as a short
 * snap length leaves them. So turns and numbers are right, and no byte of a response is written. Where the capture lost
 * bytes of a message the conversation is reset, and the next message begins another on the same ports.
 *
 *     bytes → (handshake) → (the server's turn, by its length) → client segments
 *     broken → RST          ended → FIN both ways, or RST, or nothing where no end was seen
 */
import type { Endpoint } from '../core/ip-address.ts';
import { seqAdd, seqNum, type SeqNum } from '../core/seq-num.ts';
import { instant, type Instant } from '../core/time.ts';
import type { RecordingFiles } from '../inject/recording-files.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Piece } from '../protocol/codec.ts';
import { LINKTYPE_RAW } from '../wire/link-header.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_RST, TCP_SYN } from '../wire/segment.ts';
import { headersLength, TcpHeader, writeTcpPacket } from '../wire/tcp-writer.ts';
import type { MessageObserver, Verdict } from './message-observer.ts';
import type { ClientEnd } from './replica-owner.ts';

const MSS_V4 = 1460;
const MSS_V6 = 1440;
const LARGEST_PACKET = 65_535;
const WINDOW = 0xffff;
/** Client data after which the server acknowledges, although it says nothing. */
const ACK_EVERY = 32 << 10;
/** Between the numbers of one conversation and those of the next: far apart, since the next may be on the same ports. */
const ISN_STEP = 0x9e37_79b1;
/** Between those of client and server, and of what follows where bytes are missing. */
const ISN_DISTANCE = 1_000_000;
const NOTHING: Uint8Array = new Uint8Array(0);

/** Writes packets of all conversations, in order of time. */
export class ConversationRecorder {
  readonly #files: RecordingFiles;
  readonly #interface: number;
  readonly #packet = new Uint8Array(LARGEST_PACKET);
  readonly #view = new DataView(this.#packet.buffer);
  #last: Instant = instant(0);
  #isn: SeqNum = seqNum(0);

  constructor(files: RecordingFiles) {
    this.#files = files;
    this.#interface = files.interfaceOf(LINKTYPE_RAW, 'tcpcopy');
  }

  observe(info: ConnectionInfo): MessageObserver {
    this.#isn = seqAdd(this.#isn, ISN_STEP);
    return new Conversation(this, info, this.#isn);
  }

  /** Writes a packet; time never goes back, since a plugin may have held one message while others went on. */
  packet(time: Instant, header: TcpHeader, payload: Uint8Array, offset: number, length: number): void {
    const total = writeTcpPacket(this.#packet, this.#view, 0, header, payload, offset, length);
    this.#add(time, total, total);
  }

  /** Writes the headers of a packet whose payload of that length is not recorded. */
  headers(time: Instant, header: TcpHeader, length: number): void {
    const captured = headersLength(header);
    // The checksum is over zeros: it cannot be that of bytes nobody has, nor say anything of them.
    this.#packet.fill(0, captured, captured + length);
    const total = writeTcpPacket(this.#packet, this.#view, 0, header, undefined, 0, length);
    this.#add(time, captured, total);
  }

  #add(time: Instant, captured: number, length: number): void {
    if (time > this.#last) this.#last = time;
    this.#files.add(this.#interface, this.#packet, 0, captured, this.#last, length, 0);
  }
}

class Conversation implements MessageObserver {
  readonly #recorder: ConversationRecorder;
  readonly #client: TcpHeader;
  readonly #server: TcpHeader;
  readonly #mss: number;
  #open = false;
  #isn: SeqNum;
  #serverIsn: SeqNum;
  /** Client bytes since the server last acknowledged. */
  #unacknowledged = 0;
  #last: Instant = instant(0);

  constructor(recorder: ConversationRecorder, { client, server }: ConnectionInfo, isn: SeqNum) {
    this.#recorder = recorder;
    this.#isn = isn;
    this.#serverIsn = seqAdd(isn, ISN_DISTANCE);
    this.#client = headerOf(client, server);
    this.#server = headerOf(server, client);
    this.#mss = client.address.version === 4 ? MSS_V4 : MSS_V6;
  }

  begins(_piece: Readonly<Piece>, _protocol: string, _verdict: Verdict): void {
    // What passes comes as bytes.
  }

  bytes(piece: Readonly<Piece>): void {
    const { bytes, offset, length, time } = piece;
    if (!this.#open) this.#handshake(time);
    this.#serverTurn(piece.first ? piece.answers : (piece.awaits ?? 0), time);
    for (let at = 0; at < length; at += this.#mss) {
      const count = Math.min(this.#mss, length - at);
      this.#fromClient(TCP_ACK | (at + count === length ? TCP_PSH : 0), time, bytes, offset + at, count);
      this.#unacknowledged += count;
      if (this.#unacknowledged >= ACK_EVERY) this.#fromServer(TCP_ACK, time);
    }
  }

  broken(): void {
    if (!this.#open) return;
    this.#fromClient(TCP_RST | TCP_ACK, this.#last);
    this.#close();
  }

  ended(end: ClientEnd, answers: number): void {
    if (!this.#open || end === 'gone') return;
    // The one byte may be the server's FIN.
    if (answers > 1) this.#serverTurn(answers, this.#last);
    if (end === 'rst') {
      this.#fromClient(TCP_RST | TCP_ACK, this.#last);
    } else {
      this.#fromClient(TCP_FIN | TCP_ACK, this.#last);
      this.#fromServer(TCP_FIN | TCP_ACK, this.#last);
      this.#fromClient(TCP_ACK, this.#last);
    }
    this.#close();
  }

  /** Likewise of the server's bytes that the client saw before its message. */
  #serverTurn(length: number, time: Instant): void {
    const most = LARGEST_PACKET - headersLength(this.#server);
    for (let left = length; left > 0; left -= most) {
      const count = Math.min(most, left);
      this.#server.flags = TCP_ACK | (count === left ? TCP_PSH : 0);
      this.#server.ack = this.#client.seq;
      this.#recorder.headers(time, this.#server, count);
      this.#server.seq = seqAdd(this.#server.seq, count);
      this.#unacknowledged = 0;
    }
  }

  #handshake(time: Instant): void {
    this.#open = true;
    this.#client.seq = this.#isn;
    this.#server.seq = this.#serverIsn;
    this.#client.ack = seqNum(0);
    this.#setSynOptions(true);
    this.#fromClient(TCP_SYN, time);
    this.#fromServer(TCP_SYN | TCP_ACK, time);
    this.#setSynOptions(false);
    this.#fromClient(TCP_ACK, time);
    this.#unacknowledged = 0;
  }

  #close(): void {
    this.#open = false;
    this.#isn = seqAdd(this.#client.seq, ISN_DISTANCE);
    this.#serverIsn = seqAdd(this.#server.seq, ISN_DISTANCE);
  }

  /** MSS, and window scale 7: kind, length, value; padded (RFC 9293 §3.1, RFC 7323 §2.2). */
  #setSynOptions(on: boolean): void {
    for (const header of [this.#client, this.#server]) {
      header.options.set([2, 4, this.#mss >> 8, this.#mss & 255, 1, 3, 3, 7]);
      header.optionsLength = on ? 8 : 0;
    }
  }

  #fromClient(flags: number, time: Instant, bytes = NOTHING, offset = 0, length = 0): void {
    const header = this.#client;
    header.flags = flags;
    if (flags !== TCP_SYN) header.ack = this.#server.seq;
    this.#recorder.packet(time, header, bytes, offset, length);
    header.seq = seqAdd(header.seq, length + (flags & (TCP_SYN | TCP_FIN) ? 1 : 0));
    this.#last = time;
  }

  #fromServer(flags: number, time: Instant): void {
    const header = this.#server;
    header.flags = flags;
    header.ack = this.#client.seq;
    this.#recorder.packet(time, header, NOTHING, 0, 0);
    header.seq = seqAdd(header.seq, flags & (TCP_SYN | TCP_FIN) ? 1 : 0);
    this.#unacknowledged = 0;
  }
}

function headerOf(from: Endpoint, to: Endpoint): TcpHeader {
  const header = new TcpHeader();
  header.ipVersion = from.address.version;
  ({ w0: header.src0, w1: header.src1, w2: header.src2, w3: header.src3 } = from.address);
  ({ w0: header.dst0, w1: header.dst1, w2: header.dst2, w3: header.dst3 } = to.address);
  header.srcPort = from.port;
  header.dstPort = to.port;
  header.window = WINDOW;
  return header;
}
