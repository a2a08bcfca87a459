/**
 * What the session layer costs without I/O: one request and one response over an open session, one short connection from
 * SYN to TIME-WAIT, and the memory of an idle session. Run with `node --expose-gc --import tsx bench/micro/session.ts`.
 */
import { ipv4FromWord } from '../../src/core/ip-address.ts';
import { PacketBatch } from '../../src/core/packet-batch.ts';
import { seqAdd, seqNum } from '../../src/core/seq-num.ts';
import { instant } from '../../src/core/time.ts';
import { SendBufferPool } from '../../src/session/send-buffer.ts';
import { sessionConfig } from '../../src/session/session-config.ts';
import { EVENT_NONE } from '../../src/session/session-event.ts';
import { Session } from '../../src/session/session.ts';
import { measure } from './measure.ts';
import { TCP_ACK, TCP_FIN, TCP_PSH, TCP_SYN, Segment } from '../../src/wire/segment.ts';

const REQUEST = 200;
const RESPONSE = 1_000;
const local = { address: ipv4FromWord(0x0a00_0001), port: 40_000 };
const remote = { address: ipv4FromWord(0x0a00_0002), port: 80 };
const config = sessionConfig({ sendBuffer: new SendBufferPool({ limit: 64 << 20 }) });
const batch = new PacketBatch();
const captured = new Uint8Array(65_536).fill(65);
const segment = new Segment();
segment.bytes = captured;
segment.view = new DataView(captured.buffer);
segment.window = 65_535;
let now = 1e12;

function drain(session: Session): void {
  while (session.poll() !== EVENT_NONE);
}

function transmit(session: Session): void {
  if (batch.count > 1_000) batch.clear();
  while (session.pollTransmit(instant(now), batch));
}

function arrive(session: Session, flags: number, seq: number, ack: number, length: number): void {
  segment.flags = flags;
  segment.seq = seqNum(seq);
  segment.ack = seqNum(ack);
  segment.payloadMissing = length;
  session.handleSegment(instant(now), segment);
  drain(session);
}

/** MSS 1460, SACK permitted, window scale 2. */
captured.set([2, 4, 5, 180, 4, 2, 3, 3, 2, 1, 1, 1]);

function connect(isn: number): Session {
  const session = new Session(config, local, remote, seqNum(isn));
  session.open(instant(now));
  transmit(session);
  segment.optionsLength = 12;
  arrive(session, TCP_SYN | TCP_ACK, 0, isn + 1, 0);
  segment.optionsLength = 0;
  return session;
}

const session = connect(1_000);
let mine = seqNum(1_001);
let theirs = seqNum(1);

measure(`send ${REQUEST} B, transmit; response of ${RESPONSE} B with the ACK`, 300_000, (n) => {
  for (let i = 0; i < n; i++) {
    now += 100;
    session.send(captured, 54, REQUEST);
    transmit(session);
    mine = seqAdd(mine, REQUEST);
    arrive(session, TCP_PSH | TCP_ACK, theirs, mine, RESPONSE);
    theirs = seqAdd(theirs, RESPONSE);
    transmit(session);
  }
});

measure('  of that: handleSegment and its events (data)', 300_000, (n) => {
  for (let i = 0; i < n; i++) {
    now += 1;
    arrive(session, TCP_PSH | TCP_ACK, theirs, mine, 10);
    theirs = seqAdd(theirs, 10);
  }
});

measure('  of that: pollTransmit with nothing to send', 1_000_000, (n) => {
  transmit(session);
  for (let i = 0; i < n; i++) transmit(session);
});

measure(`  of that: send ${REQUEST} B and pollTransmit, and a bare ACK`, 300_000, (n) => {
  for (let i = 0; i < n; i++) {
    now += 1;
    session.send(captured, 54, REQUEST);
    transmit(session);
    mine = seqAdd(mine, REQUEST);
    arrive(session, TCP_ACK, theirs, mine, 0);
  }
});

measure('bulk: send 14,600 B, transmit 10 segments, one ACK (per segment)', 300_000, (n) => {
  for (let i = 0; i < n; i += 10) {
    now += 100;
    session.send(captured, 54, 14_600);
    transmit(session);
    mine = seqAdd(mine, 14_600);
    arrive(session, TCP_ACK, theirs, mine, 0);
  }
});

measure('short connection: SYN, request, response, FIN both ways', 100_000, (n) => {
  for (let i = 0; i < n; i++) {
    now += 100;
    const short = connect(5_000);
    short.send(captured, 54, REQUEST);
    transmit(short);
    arrive(short, TCP_PSH | TCP_ACK, 1, 5_001 + REQUEST, RESPONSE);
    short.close();
    transmit(short);
    arrive(short, TCP_FIN | TCP_ACK, 1 + RESPONSE, 5_002 + REQUEST, 0);
    transmit(short);
  }
});

measure('new Session', 300_000, (n) => {
  for (let i = 0; i < n; i++) new Session(config, local, remote, seqNum(i));
});

if (globalThis.gc) {
  const count = 20_000;
  const kept: Session[] = new Array<Session>(count);
  globalThis.gc();
  const before = process.memoryUsage().heapUsed;
  for (let i = 0; i < count; i++) kept[i] = connect(i);
  globalThis.gc();
  console.log(
    `memory of an idle open session: ${((process.memoryUsage().heapUsed - before) / count).toFixed(0)} bytes`,
  );
  if (kept[0]!.finished) throw new Error('unreachable');
}
