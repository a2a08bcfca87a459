/** Makes recordings of invented connections: both directions, handshake to end, at the times asked for. */
import { writeFileSync } from 'node:fs';
import { parseIp, type IpAddress } from '../../src/core/ip-address.ts';
import { seqAdd, seqNum, type SeqNum } from '../../src/core/seq-num.ts';
import { instant } from '../../src/core/time.ts';
import { CaptureWriter } from '../../src/pcap/capture-writer.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN } from '../../src/wire/segment.ts';
import { TcpHeader, writeTcpPacket } from '../../src/wire/tcp-writer.ts';

/** LINKTYPE_RAW, and what `-i any` gives: LINKTYPE_LINUX_SLL2. */
const LINK_TYPES = { raw: 101, sll2: 276 } as const;
const SLL2_HEADER = 20;
/** Any moment will do. */
const EPOCH = 1_700_000_000_000_000;

export interface Exchange {
  /** When the client sends, ms from the beginning of the recording. */
  readonly at: number;
  readonly request: string;
  readonly response: string;
}

export interface Conversation {
  readonly clientPort: number;
  readonly exchanges: readonly Exchange[];
  readonly client?: string;
  /** It was open before the recording. */
  readonly midstream?: boolean;
}

interface Frame {
  time: number;
  readonly bytes: Uint8Array;
  readonly text: string;
}

const encoder = new TextEncoder();

export class RecordingWriter {
  readonly #linkType: keyof typeof LINK_TYPES;
  readonly #server = { address: parseIp('198.51.100.1')!, port: 80 };
  readonly #frames: Frame[] = [];

  constructor(linkType: keyof typeof LINK_TYPES = 'raw') {
    this.#linkType = linkType;
  }

  /** A connection that begins a little before its first request, and that the client closes after its last answer. */
  add({ clientPort, exchanges, client = '192.0.2.1', midstream = false }: Conversation): void {
    const address = parseIp(client)!;
    const header = new TcpHeader();
    header.window = 0xffff;
    let [mine, theirs] = [seqNum(clientPort * 1_000), seqNum(clientPort * 2_000)];
    const write = (ms: number, fromClient: boolean, flags: number, text = ''): void => {
      const payload = encoder.encode(text);
      this.#direct(header, address, clientPort, fromClient);
      header.seq = fromClient ? mine : theirs;
      header.ack = (flags & TCP_ACK) === 0 ? seqNum(0) : fromClient ? theirs : mine;
      header.flags = flags;
      this.#frame(ms, header, payload, text);
      const next = (seq: SeqNum) => seqAdd(seq, payload.length + ((flags & (TCP_SYN | TCP_FIN)) === 0 ? 0 : 1));
      if (fromClient) mine = next(mine);
      else theirs = next(theirs);
    };
    const [first, last] = [exchanges[0]!.at, exchanges.at(-1)!.at];
    if (midstream) {
      [mine, theirs] = [seqAdd(mine, 1), seqAdd(theirs, 1)];
    } else {
      write(first - 0.3, true, TCP_SYN);
      write(first - 0.2, false, TCP_SYN | TCP_ACK);
      write(first - 0.1, true, TCP_ACK);
    }
    for (const { at, request, response } of exchanges) {
      write(at, true, TCP_PSH | TCP_ACK, request);
      write(at + 0.1, false, TCP_PSH | TCP_ACK, response);
      write(at + 0.2, true, TCP_ACK);
    }
    write(last + 0.3, true, TCP_FIN | TCP_ACK);
    write(last + 0.4, false, TCP_FIN | TCP_ACK);
    write(last + 0.5, true, TCP_ACK);
  }

  /** Lets the packets that carry `text` be captured this much later, as a retransmission would be. */
  postpone(text: string, ms: number): void {
    for (const frame of this.#frames) if (frame.text === text) frame.time += ms;
  }

  save(path: string): void {
    const writer = new CaptureWriter(LINK_TYPES[this.#linkType]);
    this.#frames.sort((a, b) => a.time - b.time);
    for (const { time, bytes } of this.#frames) writer.add(bytes, 0, bytes.length, instant(EPOCH + time * 1_000));
    writeFileSync(path, writer.take());
  }

  #direct(header: TcpHeader, client: IpAddress, clientPort: number, fromClient: boolean): void {
    const { address, port } = this.#server;
    const [source, destination] = fromClient ? [client, address] : [address, client];
    [header.src2, header.src3] = [source.w2, source.w3];
    [header.dst2, header.dst3] = [destination.w2, destination.w3];
    [header.srcPort, header.dstPort] = fromClient ? [clientPort, port] : [port, clientPort];
  }

  #frame(ms: number, header: TcpHeader, payload: Uint8Array, text: string): void {
    const link = this.#linkType === 'sll2' ? SLL2_HEADER : 0;
    const bytes = new Uint8Array(link + 40 + payload.length);
    const view = new DataView(bytes.buffer);
    if (link > 0) {
      view.setUint16(0, 0x0800); // protocol: IPv4
      view.setUint32(4, 2); // interface index
      view.setUint16(8, 1); // ARPHRD_ETHER
      view.setUint8(11, 6); // address length
    }
    writeTcpPacket(bytes, view, link, header, payload, 0, payload.length);
    this.#frames.push({ time: ms, bytes, text });
  }
}
