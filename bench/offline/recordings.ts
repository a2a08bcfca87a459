/**
 * The two recordings that the offline benches replay, generated: many requests on a few kept-alive connections, and a
 * connection for each request, in Ethernet frames. Both directions, requests of about 110 bytes with an id each, responses of 1,000.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import { V4_MAPPED_WORD } from '../../src/core/ip-address.ts';
import { seqAdd, seqNum } from '../../src/core/seq-num.ts';
import { instant } from '../../src/core/time.ts';
import { CaptureWriter } from '../../src/pcap/capture-writer.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN } from '../../src/wire/segment.ts';
import { TcpHeader, writeTcpPacket } from '../../src/wire/tcp-writer.ts';

export interface RecordingPlan {
  readonly name: string;
  readonly requests: number;
  /** Open at one time. */
  readonly connections: number;
  /** On one connection. */
  readonly requestsEach: number;
  /** Recorded time between requests, µs. */
  readonly apart: number;
}

export const KEEP_ALIVE: RecordingPlan = {
  name: 'keep-alive',
  requests: 570_000,
  connections: 128,
  requestsEach: Infinity,
  apart: 30,
};
export const SHORT: RecordingPlan = { name: 'short', requests: 157_000, connections: 64, requestsEach: 1, apart: 60 };

const LINKTYPE_ETHERNET = 1;
const ETHERNET = 14;
const HEADERS = ETHERNET + 40;
const ETHERTYPE = 12;
const IPV4 = 0x0800;
const EPOCH = 1_700_000_000_000_000;
const SERVER = 0xc633_6401 | 0;
const CLIENTS = 0xc000_0201 | 0;
const PORTS = 50_000;
const FIRST_PORT = 10_000;
const WRITE = 1 << 20;
const RESPONSE_BODY = 1_000;

const encoder = new TextEncoder();
const RESPONSE = encoder.encode(
  `HTTP/1.1 200 OK\r\nServer: online\r\nContent-Length: ${RESPONSE_BODY}\r\n\r\n${'x'.repeat(RESPONSE_BODY)}`,
);

/** Where a connection stands; sequence numbers of the next byte of either side. */
interface Open {
  readonly number: number;
  mine: number;
  theirs: number;
  left: number;
}

/** Writes a recording, in constant memory; `path` is overwritten. */
export function writeRecording(path: string, plan: RecordingPlan): void {
  const writer = new CaptureWriter(LINKTYPE_ETHERNET);
  const fd = openSync(path, 'w');
  const header = new TcpHeader();
  header.src2 = header.dst2 = V4_MAPPED_WORD;
  header.window = 0xffff;
  const frame = new Uint8Array(2_048);
  const view = new DataView(frame.buffer);
  view.setUint16(ETHERTYPE, IPV4);
  const none = new Uint8Array(0);
  let time = EPOCH;

  const write = (c: Open, fromClient: boolean, flags: number, payload: Uint8Array = none): void => {
    const client = CLIENTS + Math.floor(c.number / PORTS);
    const port = FIRST_PORT + (c.number % PORTS);
    [header.src3, header.dst3] = fromClient ? [client, SERVER] : [SERVER, client];
    [header.srcPort, header.dstPort] = fromClient ? [port, 80] : [80, port];
    header.flags = flags;
    header.seq = seqNum(fromClient ? c.mine : c.theirs);
    header.ack = seqNum((flags & TCP_ACK) === 0 ? 0 : fromClient ? c.theirs : c.mine);
    writeTcpPacket(frame, view, ETHERNET, header, payload, 0, payload.length);
    writer.add(frame, 0, HEADERS + payload.length, instant((time += 1)));
    const taken = payload.length + ((flags & (TCP_SYN | TCP_FIN)) === 0 ? 0 : 1);
    if (fromClient) c.mine = seqAdd(seqNum(c.mine), taken);
    else c.theirs = seqAdd(seqNum(c.theirs), taken);
    if (writer.size > WRITE) writeSync(fd, writer.take());
  };

  let opened = 0;
  let sent = 0;
  const open = (): Open => {
    const c = { number: opened, mine: opened * 1_000, theirs: opened * 2_000, left: plan.requestsEach };
    opened++;
    write(c, true, TCP_SYN);
    write(c, false, TCP_SYN | TCP_ACK);
    write(c, true, TCP_ACK);
    return c;
  };
  const close = (c: Open): void => {
    write(c, true, TCP_FIN | TCP_ACK);
    write(c, false, TCP_FIN | TCP_ACK);
    write(c, true, TCP_ACK);
  };
  /** Each is one exchange behind the one before, so that the connections overlap. */
  const slots: (Open | undefined)[] = Array.from({ length: plan.connections }, () => undefined);
  for (let slot = 0; sent < plan.requests; slot = (slot + 1) % plan.connections) {
    time = EPOCH + sent * plan.apart;
    let c = slots[slot];
    if (c?.left === 0) {
      close(c);
      c = undefined;
    }
    c ??= slots[slot] = open();
    const request = `GET /1k?id=${sent} HTTP/1.1\r\nHost: online.example\r\nX-Check: 0123456789abcdef0123456789abcdef\r\n\r\n`;
    write(c, true, TCP_PSH | TCP_ACK, encoder.encode(request));
    write(c, false, TCP_PSH | TCP_ACK, RESPONSE);
    c.left--;
    sent++;
  }
  for (const c of slots) if (c !== undefined) close(c);
  writeSync(fd, writer.take());
  closeSync(fd);
}
