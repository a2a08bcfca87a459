/**
 * One connection between a session and the reference server over two faulty links, in virtual time, to its end. Throws
 * on a wrong, missing or repeated byte, on a session that could sleep for ever, and on one that does not come to rest.
 */
import { PacketBatch } from '../../../../src/core/packet-batch.ts';
import { seqNum } from '../../../../src/core/seq-num.ts';
import { instant, NEVER } from '../../../../src/core/time.ts';
import type { SessionConfig } from '../../../../src/session/session-config.ts';
import {
  EVENT_CLOSED,
  EVENT_CONNECTED,
  EVENT_DATA,
  EVENT_NONE,
  EVENT_PEER_FIN,
  SESSION_EVENT_NAMES,
  type SessionEvent,
} from '../../../../src/session/session-event.ts';
import { Session } from '../../../../src/session/session.ts';
import {
  CLOSED,
  CLOSING,
  FIN_WAIT_1,
  LAST_ACK,
  SYN_RECEIVED,
  SYN_SENT,
  TCP_STATE_NAMES,
} from '../../../../src/session/tcp-state.ts';
import { CHECKSUM_BAD, Segment } from '../../../../src/wire/segment.ts';
import { decodeBytes, LOCAL, makeSegment, optionsOf, REMOTE, segmentsOf, type Packet } from '../packet-text.ts';
import { ourByte, peerByte } from '../stream-bytes.ts';
import { EventQueue, Link, type LinkFaults } from './link.ts';
import type { Random } from './random.ts';
import { ReferenceServer, type ServerOptions } from './reference-server.ts';

/** Request and response lengths of each exchange, in order. */
export type Exchanges = readonly (readonly [request: number, response: number])[];

export interface Scenario {
  readonly config: SessionConfig;
  readonly server: Omit<ServerOptions, 'isn' | 'expect' | 'byteAt' | 'expectedByteAt'>;
  readonly faults: LinkFaults;
  readonly exchanges: Exchanges;
  /** Both sides send everything at once instead of taking turns. */
  readonly duplex: boolean;
  readonly closes: 'client' | 'server' | 'both';
  /** The intercept leaves the payload of responses out. */
  readonly withoutPayload: boolean;
}

export interface Outcome {
  readonly end: string;
  /** Virtual seconds until the last event. */
  readonly seconds: number;
  readonly packets: number;
  readonly retransmissions: number;
  readonly connected: boolean;
}

const STEPS_MAX = 2_000_000;
const TIME_MAX = 24 * 3_600_000_000;

const batch = new PacketBatch(64, 1 << 18);
const sendBytes = Uint8Array.from({ length: 1 << 16 }, (_, i) => ourByte(i));
/** `ourByte` repeats with this period, so that requests can be sent from one array. */
const PERIOD = 1 << 16;

export function runConnection(scenario: Scenario, random: Random): Outcome {
  const { config, exchanges, faults } = scenario;
  const requests = exchanges.reduce((sum, [request]) => sum + request, 0);
  const responses = exchanges.reduce((sum, [, response]) => sum + response, 0);
  const queue = new EventQueue();
  const session = new Session(config, LOCAL, REMOTE, seqNum(random.word()));
  const isn = random.word();
  const server = new ReferenceServer({
    ...scenario.server,
    isn,
    expect: requests,
    byteAt: peerByte,
    expectedByteAt: ourByte,
  });
  const now = () => instant(queue.now);
  const segment = new Segment();
  let end: SessionEvent = EVENT_NONE;
  let endedAt = 0;
  let connected = false;
  let peerFin = false;
  let packets = 0;
  let sent = 0;
  let received = 0;
  let timerAt = Infinity;
  let serverTimerAt = Infinity;

  const toServer = new Link<Uint8Array>(queue, random, faults, (bytes, corrupted) => {
    if (corrupted) {
      // The checksum must catch any one flipped bit; if it did not, the decoder's other checks would have to.
      const damaged = bytes.slice();
      damaged[random.between(0, bytes.length - 1)]! ^= 1 << random.between(0, 7);
      if (decodes(damaged)) throw new Error('a damaged packet has a good checksum');
      return;
    }
    server.receive(decodeBytes(bytes), queue.now);
    runServer();
  });

  const toClient = new Link<Packet>(queue, random, faults, (packet, corrupted) => {
    makeSegment({ ...packet, options: optionsOf(packet) }, segment);
    if (corrupted) {
      segment.checksum = CHECKSUM_BAD;
      segment.bytes.fill(0x55);
    }
    if (scenario.withoutPayload) {
      segment.payloadMissing = segment.payloadLength;
      segment.payloadLength = 0;
    }
    session.handleSegment(now(), segment);
    const bytes = segment.bytes;
    runClient();
    bytes.fill(0xaa);
  });

  function runServer(): void {
    let asked = 0;
    let answered = 0;
    for (const [request, response] of exchanges) {
      asked += request;
      if (!scenario.duplex && server.read < asked) break;
      answered += response;
    }
    if (server.established && server.written < answered) server.write(answered - server.written);
    const finished = server.written === responses && (scenario.duplex || server.read === requests);
    if (!server.finQueued && finished && server.established && (scenario.closes !== 'client' || server.peerFin)) {
      server.close();
    }
    server.flush(queue.now);
    for (const packet of server.out.splice(0)) toClient.send(packet);
    if (server.timeout < serverTimerAt) {
      serverTimerAt = server.timeout;
      queue.schedule(Math.max(serverTimerAt, queue.now), serverTimer);
    }
  }

  function serverTimer(): void {
    if (queue.now < serverTimerAt) return;
    serverTimerAt = Infinity;
    server.timedOut(queue.now);
    runServer();
  }

  function runClient(): void {
    for (let event = session.poll(); event !== EVENT_NONE; event = session.poll()) {
      if (end !== EVENT_NONE) throw new Error(`${SESSION_EVENT_NAMES[event]} after ${SESSION_EVENT_NAMES[end]}`);
      if (event === EVENT_CONNECTED) connected = true;
      else if (event === EVENT_DATA) takeData();
      else if (event === EVENT_PEER_FIN) peerFin = true;
      else if (event >= EVENT_CLOSED) {
        end = event;
        endedAt = queue.now;
      }
    }
    feed();
    for (let n = 0; session.pollTransmit(now(), batch); n++) {
      if (n > 1_000) throw new Error('transmits without end');
      packets++;
      for (const bytes of segmentsOf(batch, 0)) {
        const packet = decodeBytes(bytes);
        if (packet.size > config.mtu) throw new Error(`packet of ${packet.size} bytes`);
        toServer.send(bytes);
      }
      batch.clear();
    }
    checkAwake();
    const timeout = session.pollTimeout();
    if (timeout < timerAt) {
      timerAt = timeout;
      queue.schedule(Math.max(timeout, queue.now), clientTimer);
    }
  }

  function clientTimer(): void {
    if (queue.now < timerAt) return;
    timerAt = Infinity;
    session.handleTimeout(now());
    runClient();
  }

  function takeData(): void {
    const { bytes, offset, length } = session.received;
    if ((bytes === undefined) !== scenario.withoutPayload) throw new Error('payload there or not, against the rule');
    for (let i = 0; bytes !== undefined && i < length; i++) {
      if (bytes[offset + i] !== peerByte(received + i)) throw new Error(`wrong byte at ${received + i}`);
    }
    received += length;
    if (received > responses) throw new Error('more than was sent');
  }

  /** The next requests, as far as the responses to the earlier ones are here. */
  function feed(): void {
    let until = 0;
    let before = 0;
    for (const [request, response] of exchanges) {
      if (!scenario.duplex && received < before) break;
      until += request;
      before += response;
    }
    while (sent < until) {
      const offset = sent % PERIOD;
      const length = Math.min(until - sent, PERIOD - offset);
      const accepted = session.send(sendBytes, offset, length);
      sent += accepted;
      if (accepted < length) break;
    }
    const finished = sent === requests && received === responses;
    if (peerFin || (finished && scenario.closes !== 'server')) session.close();
    else if (scenario.duplex && sent === requests && scenario.closes === 'both') session.close();
  }

  /** A session with anything outstanding has a timer. */
  function checkAwake(): void {
    const { state } = session;
    const waits =
      session.queued > 0 ||
      state === SYN_SENT ||
      state === SYN_RECEIVED ||
      state === FIN_WAIT_1 ||
      state === CLOSING ||
      state === LAST_ACK;
    if (waits && state !== CLOSED && session.pollTimeout() === NEVER) {
      throw new Error(`asleep for ever in ${TCP_STATE_NAMES[state]}`);
    }
  }

  session.open(now(), random.chance(0.5));
  runClient();
  for (let steps = 0; !queue.isEmpty && !(session.finished && server.done); steps++) {
    if (steps > STEPS_MAX || queue.now > TIME_MAX) throw new Error('does not come to an end');
    queue.step();
  }
  if (end === EVENT_NONE) throw new Error(`no end: ${TCP_STATE_NAMES[session.state]}`);
  if (config.sendBuffer.usedBlocks !== 0) throw new Error('send buffer blocks left over');
  if (end === EVENT_CLOSED) {
    if (server.received !== requests || !server.peerFin)
      throw new Error(`server has ${server.received} of ${requests}`);
    if (received !== responses || !peerFin) throw new Error(`client has ${received} of ${responses}`);
    if (session.acknowledged !== requests) throw new Error(`acknowledged ${session.acknowledged} of ${requests}`);
  }
  return {
    end: SESSION_EVENT_NAMES[end],
    seconds: (endedAt - 5_000_000) / 1e6,
    packets,
    retransmissions: config.stats.retransmissions,
    connected,
  };
}

function decodes(bytes: Uint8Array): boolean {
  try {
    decodeBytes(bytes);
    return true;
  } catch {
    return false;
  }
}
