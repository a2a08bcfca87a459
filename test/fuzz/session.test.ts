// Invariant: no sequence of segments, calls and timeouts makes a session throw, transmit without end, sleep for ever
// with something outstanding, account for a byte twice, leave its caps, or hold memory after its end.
import { describe, expect, it } from 'vitest';
import { PacketBatch } from '../../src/core/packet-batch.ts';
import { seqNum } from '../../src/core/seq-num.ts';
import { instant, NEVER } from '../../src/core/time.ts';
import { SendBufferPool } from '../../src/session/send-buffer.ts';
import { sessionConfig } from '../../src/session/session-config.ts';
import { EVENT_CLOSED, EVENT_DATA, EVENT_NONE } from '../../src/session/session-event.ts';
import { Session } from '../../src/session/session.ts';
import { CLOSED, FIN_WAIT_2, TCP_STATE_NAMES, TIME_WAIT } from '../../src/session/tcp-state.ts';
import { CHECKSUM_BAD, Segment } from '../../src/wire/segment.ts';
import { fuzzSeeds } from '../support/fuzzing.ts';
import { decodePacket, LOCAL, makeSegment, optionsOf, REMOTE, type Packet } from '../unit/session/packet-text.ts';
import { Random } from '../unit/session/simulation/random.ts';

const SESSIONS = 3_000;
const STEPS = 120;

const batch = new PacketBatch(64, 1 << 18);
const segment = new Segment();
const bytes = new Uint8Array(70_000).fill(0x42);
const visited = new Set<string>();
const ended = new Set<number>();

/** `expect` is too slow to be called a million times. */
function check(holds: boolean, what: string): void {
  if (!holds) throw new Error(what);
}

class Fuzzer {
  readonly #random: Random;
  readonly #pool = new SendBufferPool({ limit: 1 << 18, blockSize: 512 });
  readonly #session: Session;
  #now = 1e9;
  /** What a peer would know of us: our last packet's end and acknowledgement, and the numbers we began with. */
  #peerSees = { seq: 0, ack: 0 };
  readonly #peerIsn: number;
  readonly #isn: number;
  #accepted = 0;
  #events = 0;
  #end = EVENT_NONE as number;

  constructor(seed: number) {
    const random = new Random(seed);
    this.#random = random;
    this.#isn = random.word();
    this.#peerIsn = random.word();
    const config = sessionConfig({
      sendBuffer: this.#pool,
      timestamps: random.chance(0.5),
      receiveWindow: random.pick([100, 5_000, 262_144, 1 << 30]),
      sendBufferPerSession: random.pick([10, 5_000, 262_144]),
      outOfOrderLimit: random.pick([50, 262_144]),
      mtu: random.pick([100, 576, 1_500, 9_000]),
      mss: random.pick([1, 536, 1_460, 8_960]),
      trace: (_, to) => visited.add(TCP_STATE_NAMES[to]!),
    });
    this.#session = new Session(config, LOCAL, REMOTE, seqNum(this.#isn));
  }

  run(): void {
    for (let i = 0; i < STEPS; i++) {
      if (i === 0 && this.#random.chance(0.98)) this.#session.open(instant(this.#now));
      else this.#step(i);
      this.#drain();
      if (this.#random.chance(0.5)) this.#now += this.#random.next() * 10 ** this.#random.between(1, 7);
    }
    this.#session.abort();
    this.#drain();
    check(this.#session.state === TIME_WAIT || this.#session.state === CLOSED, 'closed by abort');
    check(this.#pool.usedBlocks === 0, 'no block left over');
    check(this.#events === 1, 'one last event');
    ended.add(this.#end);
  }

  #step(i: number): void {
    const random = this.#random;
    const session = this.#session;
    const now = instant(this.#now);
    const action = random.between(0, 99);
    if (i === 1 && random.chance(0.9)) this.#inject(this.#packet(18, this.#peerIsn, (this.#isn + 1) | 0, 0));
    else if (action < 55) this.#inject(this.#sensible());
    else if (action < 70) this.#inject(this.#wild());
    else if (action < 80) {
      const length = random.pick([1, 100, 5_000, 65_536]);
      const taken = session.send(bytes, random.between(0, 100), length);
      check(taken <= length, 'no more accepted than offered');
      this.#accepted += taken;
    } else if (action < 95) {
      const timeout = session.pollTimeout();
      if (timeout !== NEVER) this.#now = Math.max(this.#now, timeout);
      session.handleTimeout(instant(this.#now));
    } else if (action < 97) session.handleMtu(now, random.between(0, 1_600));
    else if (action < 98) session.open(now);
    else if (action < 99) session.close();
    else if (random.chance(0.2)) session.abort();
  }

  /** What a peer in step with us might send. */
  #sensible(): Packet {
    const random = this.#random;
    const { seq, ack } = this.#peerSees;
    const length = random.pick([0, 0, 1, 10, 536, 1_460, 20_000]);
    const flags = 16 | (random.chance(0.05) ? 1 : 0) | (random.chance(0.02) ? 4 : 0) | (random.chance(0.3) ? 8 : 0);
    const position = random.chance(0.7) ? ack : (ack + random.between(-2_000, 4_000)) | 0;
    const acks = random.chance(0.7) ? seq : (seq - random.between(0, 4_000)) | 0;
    const packet = this.#packet(flags, position, acks, length);
    packet.window = random.pick([0, 1, 100, 4_000, 65_535]);
    if (random.chance(0.3)) {
      packet.sack = Array.from({ length: random.between(1, 3) }, () => {
        const start = (acks + random.between(-100, 3_000)) | 0;
        return { start, end: (start + random.between(-10, 3_000)) | 0 };
      });
    }
    return packet;
  }

  #wild(): Packet {
    const random = this.#random;
    const near = (n: number) => (random.chance(0.5) ? (n + random.between(-3, 3)) | 0 : random.word());
    const length = random.pick([0, 1, 65_000]);
    return this.#packet(random.between(0, 255), near(this.#peerSees.ack), near(this.#peerSees.seq), length);
  }

  #packet(flags: number, seq: number, ack: number, length: number): Packet {
    const random = this.#random;
    const syn = (flags & 2) !== 0;
    return {
      flags,
      seq,
      ack,
      window: random.between(0, 65_535),
      payload: bytes.subarray(0, length),
      mss: syn ? random.pick([0, 1, 536, 1_460, 65_535]) : 0,
      sackPermitted: syn && random.chance(0.7),
      windowShift: syn ? random.between(-1, 14) : -1,
      timestamps: random.chance(0.4) ? { value: random.word(), echo: random.word() } : undefined,
      sack: [],
      size: 0,
    };
  }

  #inject(packet: Packet): void {
    const random = this.#random;
    let options = optionsOf(packet);
    if (random.chance(0.05)) options = options.map(() => random.between(0, 255));
    makeSegment({ ...packet, options: options.slice(0, 40) }, segment);
    if (random.chance(0.1)) {
      segment.payloadMissing = random.between(0, segment.payloadLength);
      segment.payloadLength -= segment.payloadMissing;
    }
    if (random.chance(0.02)) segment.checksum = CHECKSUM_BAD;
    this.#session.handleSegment(instant(this.#now), segment);
  }

  #drain(): void {
    const session = this.#session;
    for (let n = 0, event = session.poll(); event !== EVENT_NONE; n++, event = session.poll()) {
      check(n < 1_000, 'events come to an end');
      check(this.#events === 0, 'nothing after the last event');
      if (event >= EVENT_CLOSED) {
        this.#events++;
        this.#end = event;
      }
      if (event !== EVENT_DATA) continue;
      const { bytes: data, offset, length } = session.received;
      check(length > 0, 'data is something');
      check(data === undefined || offset + length <= data.length, 'data lies in its bytes');
    }
    for (let n = 0; session.pollTransmit(instant(this.#now), batch); n++) {
      check(n < 20_000, 'packets come to an end');
      check(batch.count === 1, 'one packet');
      const packet = decodePacket(batch, 0);
      const fin = packet.flags & 1;
      this.#peerSees = { seq: (packet.seq + packet.payload.length + fin) | 0, ack: packet.ack };
      if (packet.flags & 2) this.#peerSees = { seq: (packet.seq + 1) | 0, ack: (this.#peerIsn + 1) | 0 };
      batch.clear();
    }
    check(session.acknowledged + session.queued <= this.#accepted, 'no byte counted twice');
    const { state } = session;
    if (state === CLOSED) {
      check(session.pollTimeout() === NEVER, 'no timer when closed');
      check(!session.finished || session.queued === 0, 'nothing queued when finished');
    } else {
      check(session.acknowledged + session.queued === this.#accepted, 'every byte counted');
      if (session.queued > 0 || state === TIME_WAIT || state === FIN_WAIT_2) {
        check(session.pollTimeout() !== NEVER, 'awake while something is outstanding');
      }
    }
  }
}

describe('session', () => {
  it(`survives ${SESSIONS} conversations with a peer out of its mind`, () => {
    for (const seed of fuzzSeeds(SESSIONS)) {
      try {
        new Fuzzer(seed).run();
      } catch (error) {
        throw new Error(`seed ${seed}: ${(error as Error).message}`, { cause: error });
      }
    }
    expect([...visited].sort(), 'every state was reached').toEqual([...TCP_STATE_NAMES].sort());
    expect([...ended].sort(), 'and every end').toEqual([5, 6, 7, 8]);
  });
});
