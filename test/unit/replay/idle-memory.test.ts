/**
 * What connections take that are open and say nothing: so many of them are held at once that each hundred bytes count. As
 * V8 lays objects out, without pointer compression: eight bytes a field.
 */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { ipv4FromWord, type Endpoint } from '../../../src/core/ip-address.ts';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { MemorySink } from '../../support/memory-sink.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { OpaqueCodec, opaquePiece } from '../../../src/protocol/opaque-codec.ts';
import { EVENT_DATA, EVENT_NONE, EVENT_OPENED } from '../../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../../src/reassembly/tracker.ts';
import { LIVE_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import { ByteBudget } from '../../../src/replay/piece-queue.ts';
import { RawTarget } from '../../../src/replay/raw-target.ts';
import type { ReplayContext } from '../../../src/replay/replay-context.ts';
import { SourceAddresses } from '../../../src/replay/source-addresses.ts';
import { TimerWheel } from '../../../src/replay/timer-wheel.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import { IsnGenerator } from '../../../src/session/isn.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig } from '../../../src/session/session-config.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment, TCP_ACK, TCP_PSH, TCP_SYN } from '../../../src/wire/segment.ts';
import { writeTcpPacket } from '../../../src/wire/tcp-writer.ts';
import { dataHeader } from '../../support/data-header.ts';

const CONNECTIONS = 4_000;
const REQUEST = 200;
const RESPONSE = 1_000;
const LINKTYPE_RAW = 101;
const NOW = instant(1e12);
const TARGET: Endpoint = { address: ipv4FromWord(0x0a00_0003), port: 8080 };

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function held(): number {
  // The memory of arrays that the first collection finds is given back by the second.
  collect();
  collect();
  const { heapUsed, arrayBuffers } = process.memoryUsage();
  return heapUsed + arrayBuffers;
}

const memory = new Uint8Array(512);
const view = new DataView(memory.buffer);
const frames = new FrameBatch(1, memory);
const parser = new FrameParser({ verifyChecksums: true });
const segment = new Segment();
const payload = new Uint8Array(REQUEST).fill(120);

/** The connections of so many clients, each with a request, as the tracker sees them. */
function see(
  tracker: ConnectionTracker<ConnectionReplay>,
  connections: number,
  happened: (event: number) => void,
): void {
  const header = dataHeader();
  for (let i = 0; i < connections; i++) {
    header.srcPort = 10_000 + i;
    for (const length of [0, REQUEST]) {
      header.flags = length === 0 ? TCP_SYN : TCP_ACK | TCP_PSH;
      header.seq = length === 0 ? seqNum(1_000) : seqAdd(seqNum(1_000), 1);
      frames.reset(memory);
      const size = writeTcpPacket(memory, view, 0, header, payload, 0, length);
      frames.add(0, size, size, instant(1), LINKTYPE_RAW);
      parser.parse(frames, 0, segment);
      tracker.handle(segment);
      for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) happened(event);
    }
  }
}

const tracker = (): ConnectionTracker<ConnectionReplay> =>
  new ConnectionTracker<ConnectionReplay>({ ...LIVE_TRACKER, oneWay: true, clientOf: () => 'source' });

/**
 * Bytes for each connection: what twice as many need more, the middle one of three tries, since what is compiled meanwhile
 * needs memory, too. `make` returns what they need.
 */
function each(make: (connections: number) => object): number {
  const tries = [1, 2, 3].map(() => (takenBy(make, 2 * CONNECTIONS) - takenBy(make, CONNECTIONS)) / CONNECTIONS);
  return tries.sort((a, b) => a - b)[1]!;
}

function takenBy(make: (connections: number) => object, connections: number): number {
  const before = held();
  const kept = [make(connections)];
  const taken = held() - before;
  expect(kept.pop()).toBeDefined();
  return taken;
}

/** A raw target whose server accepts everything and answers each packet with data by a response. */
class Answered {
  readonly memory = new MemorySink();
  readonly wheel = new TimerWheel(NOW);
  readonly target: RawTarget;
  readonly #parser = new FrameParser({ verifyChecksums: true });
  readonly #frames = new FrameBatch(1, memory);
  readonly #sent = new Segment();
  readonly #answer = new Segment();

  constructor() {
    let port = 10_000;
    this.target = new RawTarget({
      sink: this.memory,
      ports: { state: 'ready', acquire: () => port++, release: () => {} },
      addresses: new SourceAddresses([]),
      session: sessionConfig({ sendBuffer: new SendBufferPool({ limit: 64 << 20 }) }),
      isn: new IsnGenerator(1, 2),
      wheel: this.wheel,
      maxSessions: Infinity,
      now: () => NOW,
      retransmitted: () => {},
    });
  }

  /** Until nothing more happens of itself. */
  settle(): void {
    this.target.flush();
    while (this.memory.packets.length > 0) {
      for (const packet of this.memory.packets.splice(0)) this.#respond(packet);
      this.target.flush();
    }
  }

  #respond(packet: Uint8Array): void {
    this.#frames.reset(packet);
    this.#frames.add(0, packet.length, packet.length, NOW, LINKTYPE_RAW);
    const [sent, answer] = [this.#sent, this.#answer];
    this.#parser.parse(this.#frames, 0, sent);
    const syn = (sent.flags & TCP_SYN) !== 0;
    if (!syn && sent.payloadLength === 0) return;
    [answer.src0, answer.src1, answer.src2, answer.src3] = [sent.dst0, sent.dst1, sent.dst2, sent.dst3];
    [answer.dst0, answer.dst1, answer.dst2, answer.dst3] = [sent.src0, sent.src1, sent.src2, sent.src3];
    [answer.srcPort, answer.dstPort] = [sent.dstPort, sent.srcPort];
    answer.flags = syn ? TCP_SYN | TCP_ACK : TCP_ACK | TCP_PSH;
    answer.seq = syn ? seqNum(0) : sent.ack;
    answer.ack = seqAdd(sent.seq, syn ? 1 : sent.payloadLength);
    answer.window = 65_535;
    answer.payloadMissing = syn ? 0 : RESPONSE;
    this.target.handleResponse(NOW, answer);
  }
}

/** What replays share, with a target of its own. */
function contextOf({ target, wheel }: Answered): ReplayContext {
  return {
    ledger: new Ledger(),
    target,
    wheel,
    budget: new ByteBudget(1 << 20),
    waitsForResponse: true,
    expectsResponses: true,
    reading: undefined,
    repeatable: false,
    busyReplicas: 0,
    crowdedReplicas: 0,
    heldReplicas: 0,
    behindReplicas: 0,
    undecidedMessages: 0,
    patience: () => seconds(600),
    now: () => NOW,
    wake: () => {},
    gapBucket: () => 'capture-gap',
    released: () => {},
    responded: () => {},
    responseBegan: () => {},
    answered: () => {},
  };
}

/** Connections with a session each, in which a request was answered. */
function openAll(count: number): object {
  const connections = tracker();
  const answered = new Answered();
  const context = contextOf(answered);
  const pipeline = new Pipeline();
  const piece = opaquePiece();
  const replays: ConnectionReplay[] = [];
  see(connections, count, (event) => {
    const connection = connections.connection!;
    if (event === EVENT_OPENED) {
      const { client, server, openedBy } = connection;
      const info = { client, server, openedBy };
      const plan = { copies: 1, excluded: undefined };
      const codec = new OpaqueCodec(true, piece);
      connection.user = new ConnectionReplay(context, pipeline, info, TARGET, codec, plan, () => {});
      replays.push(connection.user);
    } else if (event === EVENT_DATA) {
      const { bytes, offset, length, time, peerAck } = connections.chunk;
      connection.user!.data(bytes, offset, length, time, peerAck);
    }
    answered.settle();
  });
  expect(context.ledger.responses).toBe(count);
  expect(answered.target.openSessions).toBe(count);
  return { connections, answered, context, replays };
}

describe('an idle connection', () => {
  // The first ones pay for code and for what all share.
  openAll(CONNECTIONS);

  it('takes less than 1 KB in the flow table', () => {
    const flow = each((count) => {
      const connections = tracker();
      see(connections, count, () => {});
      return connections;
    });
    expect(flow).toBeGreaterThan(300);
    expect(flow).toBeLessThanOrEqual(1_024);
  });

  it('takes less than 4 KB with its replica and its session', () => {
    const whole = each(openAll);
    expect(whole).toBeGreaterThan(2_000);
    expect(whole).toBeLessThanOrEqual(4_096);
  });
});
