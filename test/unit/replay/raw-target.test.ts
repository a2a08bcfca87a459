import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqDiff } from '../../../src/core/seq-num.ts';
import { instant, millis, NEVER, type Instant } from '../../../src/core/time.ts';
import { MemorySink } from '../../../src/inject/memory-sink.ts';
import type { PacketSink } from '../../../src/inject/packet-sink.ts';
import { AcknowledgingPeer } from '../../../src/replay/acknowledging-peer.ts';
import { ByteBudget } from '../../../src/replay/piece-queue.ts';
import { RawTarget, type PortSource } from '../../../src/replay/raw-target.ts';
import { Replica } from '../../../src/replay/replica.ts';
import type { ReplayContext } from '../../../src/replay/replay-context.ts';
import { SourceAddresses } from '../../../src/replay/source-addresses.ts';
import type { SessionEnd, SessionOwner, TargetSession } from '../../../src/replay/target.ts';
import { TimerWheel } from '../../../src/replay/timer-wheel.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import { IsnGenerator } from '../../../src/session/isn.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig } from '../../../src/session/session-config.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { CHECKSUM_GOOD, Segment, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN } from '../../../src/wire/segment.ts';
import { piece } from './replay-rig.ts';

const LINKTYPE_RAW = 101;
const V4: Endpoint = { address: parseIp('198.51.100.7')!, port: 8080 };
const V6: Endpoint = { address: parseIp('2001:db8:1::7')!, port: 8080 };

function client(i: number, version: 4 | 6 = 4): Endpoint {
  return { address: parseIp(version === 4 ? `192.0.2.${i}` : `2001:db8::${i}`)!, port: 50_000 };
}

/** So many ports on each address, from 10,000 on; used ones come back last. */
class Ports implements PortSource {
  state: 'ready' | 'no-intercept' | 'no-lease' = 'ready';
  readonly inUse = new Set<string>();
  readonly #count: number;

  constructor(count: number) {
    this.#count = count;
  }

  acquire(addressIndex: number): number {
    for (let port = 10_000; port < 10_000 + this.#count; port++) {
      if (this.inUse.has(`${addressIndex}:${port}`)) continue;
      this.inUse.add(`${addressIndex}:${port}`);
      return port;
    }
    return -1;
  }

  release(addressIndex: number, port: number): void {
    expect(this.inUse.delete(`${addressIndex}:${port}`), 'a port is released once').toBe(true);
  }
}

interface Setup {
  readonly ports?: number;
  readonly maxSessions?: number;
  readonly addresses?: SourceAddresses;
  readonly batch?: PacketBatch;
  readonly mtu?: number;
}

/** A raw target whose packets end in memory, with virtual time. */
class Bench {
  readonly memory: MemorySink;
  readonly ports: Ports;
  readonly pool = new SendBufferPool({ limit: 64 << 20 });
  readonly wheel: TimerWheel;
  readonly target: RawTarget;
  readonly parser = new FrameParser({ verifyChecksums: true });
  retransmitted = 0;
  #now: Instant = instant(1_700_000_000_000_000);

  constructor(setup: Setup = {}, sinkOver: (memory: MemorySink) => PacketSink = (memory) => memory) {
    this.memory = new MemorySink(setup.batch);
    this.ports = new Ports(setup.ports ?? 1_000);
    this.wheel = new TimerWheel(this.#now);
    const mtu = setup.mtu ?? 1_500;
    const sink = sinkOver(this.memory);
    this.target = new RawTarget({
      sink,
      ports: this.ports,
      addresses: setup.addresses ?? new SourceAddresses([]),
      session: sessionConfig({ sendBuffer: this.pool, mtu, mss: mtu - 40 }),
      isn: new IsnGenerator(1, 2),
      wheel: this.wheel,
      maxSessions: setup.maxSessions ?? 1_000,
      now: () => this.#now,
      retransmitted: (packets) => (this.retransmitted += packets),
    });
    void sink.open({ writable: () => this.target.unblock(), failed: (failure) => this.target.sendFailed(failure) });
  }

  pass(ms: number): void {
    this.#now = instant(this.#now + millis(ms));
    this.wheel.advance(this.#now);
    this.target.flush();
  }

  now(): Instant {
    return this.#now;
  }

  /** What left so far, and checks every packet on the way. */
  sent(): Segment[] {
    return this.memory.packets.map((packet) => parse(this.parser, packet));
  }

  expectIdle(): void {
    expect({
      sessions: this.target.openSessions,
      ports: this.ports.inUse.size,
      blocks: this.pool.usedBlocks,
      timers: this.wheel.size,
    }).toEqual({ sessions: 0, ports: 0, blocks: 0, timers: 0 });
  }
}

function parse(parser: FrameParser, packet: Uint8Array): Segment {
  const batch = new FrameBatch(1, packet);
  batch.add(0, packet.length, packet.length, instant(1), LINKTYPE_RAW);
  const segment = new Segment();
  expect(parser.parse(batch, 0, segment)).toBe(0);
  expect(segment.checksum).toBe(CHECKSUM_GOOD);
  return segment;
}

/** Answers what has really left, as the peer of a dry run does. */
class Peer {
  readonly #bench: Bench;
  readonly #peer = new AcknowledgingPeer(new MemorySink());
  #seen = 0;
  /** It takes no more. */
  full = false;
  readonly last = new Segment();

  constructor(bench: Bench) {
    this.#bench = bench;
  }

  /** Until nothing more happens of itself. */
  run(): void {
    const { memory, target } = this.#bench;
    target.flush();
    while (this.#seen < memory.packets.length) {
      const { batch } = this.#peer;
      for (; this.#seen < memory.packets.length; this.#seen++) {
        const packet = memory.packets[this.#seen]!;
        if (batch.reserve(packet.length) < 0) break;
        batch.bytes.set(packet, batch.reserve(packet.length));
        batch.commit(packet.length);
      }
      this.#peer.flush();
      this.#peer.deliver((segment) => {
        if (this.full && (segment.flags & TCP_SYN) === 0) segment.window = 0;
        Object.assign(this.last, segment);
        target.handleResponse(this.#bench.now(), segment);
      });
      target.flush();
    }
  }
}

/** The stream of one session by its source, put together without any cleverness. */
function streamOf(segments: readonly Segment[], of: (segment: Segment) => boolean): { bytes: Buffer; end: string } {
  const mine = segments.filter(of);
  const syn = mine.find((s) => s.flags & TCP_SYN)!;
  const text = mine.filter((s) => s.payloadLength > 0);
  const positionOf = (s: Segment): number => seqDiff(s.seq, syn.seq) - 1;
  const bytes = Buffer.alloc(Math.max(0, ...text.map((s) => positionOf(s) + s.payloadLength)));
  for (const s of text) bytes.set(s.bytes.subarray(s.payloadOffset, s.payloadOffset + s.payloadLength), positionOf(s));
  const last = mine.at(-1)!;
  const fin = mine.some((s) => s.flags & TCP_FIN);
  return { bytes, end: last.flags & TCP_RST ? 'RST' : fin ? 'FIN' : 'open' };
}

class Owner implements SessionOwner {
  session!: TargetSession;
  readonly ends: SessionEnd[] = [];
  progressed = 0;

  sessionProgressed(): void {
    this.progressed++;
  }

  sessionReceived(): void {}

  sessionPeerClosed(): void {
    this.session.close();
  }

  sessionEnded(end: SessionEnd): void {
    this.ends.push(end);
  }
}

function open(bench: Bench, i: number, to: Endpoint = V4): Owner {
  const owner = new Owner();
  owner.session = bench.target.open(owner, client(i, to.address.version), to, 0) as TargetSession;
  expect(owner.session).toBeTypeOf('object');
  return owner;
}

function send(owner: Owner, text: string): void {
  expect(owner.session.send(Buffer.from(text), 0, text.length)).toBe(text.length);
}

describe('a raw session', () => {
  it.each([V4, V6])('opens, delivers and closes', (to) => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1, to);
    send(owner, 'hello');
    owner.session.close();
    peer.run();
    expect(owner.ends).toEqual(['closed']);
    expect(owner.session.acknowledged).toBe(5);
    bench.expectIdle();
    const sent = bench.sent();
    expect(sent.map((s) => s.ipVersion)).toEqual(sent.map(() => to.address.version));
    expect(streamOf(sent, () => true)).toEqual({ bytes: Buffer.from('hello'), end: 'FIN' });
  });

  it('is counted while the target has shut its window on what it has to send', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    peer.full = true;
    const owners = [1, 2].map((i) => open(bench, i));
    for (const owner of owners) send(owner, 'first');
    peer.run();
    expect(bench.target.shutOut).toBe(0);
    for (const owner of owners) send(owner, 'second');
    peer.run();
    expect(bench.target.shutOut).toBe(2);
    owners[0]!.session.abort();
    bench.target.flush();
    expect(bench.target.shutOut).toBe(1);
    peer.full = false;
    peer.last.window = 1_000;
    bench.target.handleResponse(bench.now(), peer.last);
    peer.run();
    expect(bench.target.shutOut).toBe(0);
    expect(owners[1]!.session.acknowledged).toBe(11);
  });

  it('saves the bare acknowledgement of a handshake where the client has spoken first before', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const packetsOf = (i: number): number => {
      const before = bench.memory.packets.length;
      const owner = open(bench, i);
      peer.run();
      send(owner, 'hello');
      peer.run();
      return bench.memory.packets.length - before;
    };
    expect(packetsOf(1)).toBe(3);
    expect(packetsOf(2)).toBe(2);
  });

  it('that is aborted resets the target and frees everything', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    peer.run();
    send(owner, 'half');
    owner.session.abort();
    peer.run();
    expect(bench.sent().at(-1)!.flags & TCP_RST).toBe(TCP_RST);
    expect(owner.ends).toEqual([]);
    bench.expectIdle();
  });

  it('is told apart by port and address, and hears only its own target', () => {
    const bench = new Bench();
    const owner = open(bench, 1);
    bench.target.flush();
    const [syn] = bench.sent() as [Segment];
    const answer = (change: (s: Segment) => void): void => {
      const s = new Segment();
      [s.src0, s.src1, s.src2, s.src3] = [syn.dst0, syn.dst1, syn.dst2, syn.dst3];
      [s.dst0, s.dst1, s.dst2, s.dst3] = [syn.src0, syn.src1, syn.src2, syn.src3];
      [s.srcPort, s.dstPort] = [syn.dstPort, syn.srcPort];
      s.flags = TCP_RST | TCP_ACK;
      s.ack = (syn.seq + 1) as Segment['ack'];
      change(s);
      bench.target.handleResponse(bench.now(), s);
    };
    answer((s) => (s.dstPort += 1));
    answer((s) => (s.dst3 += 1));
    answer((s) => (s.srcPort += 1));
    answer((s) => (s.src3 += 1));
    expect(bench.target.strayResponses).toBe(4);
    expect(owner.ends).toEqual([]);
    answer(() => undefined);
    expect(bench.target.strayResponses).toBe(4);
    expect(owner.ends).toEqual(['refused']);
  });

  it('times out when nobody answers', () => {
    const bench = new Bench();
    const owner = open(bench, 1);
    for (let i = 0; owner.ends.length === 0 && i < 10_000; i++) bench.pass(100);
    expect(owner.ends).toEqual(['timed-out']);
    expect(bench.sent().filter((s) => s.flags & TCP_SYN).length).toBeGreaterThan(5);
    expect(bench.retransmitted).toBeGreaterThan(4);
    bench.expectIdle();
  });

  it('that the kernel will not send ends as that, and says why', () => {
    const bench = new Bench();
    bench.memory.refuse = () => ({ code: 'EPERM' });
    const owner = open(bench, 1);
    for (let i = 0; owner.ends.length === 0 && i < 10_000; i++) bench.pass(100);
    expect(owner.ends).toEqual(['send-failed']);
    bench.expectIdle();
  });
});

describe('what keeps a session from being opened', () => {
  const refused = (bench: Bench, to: Endpoint = V4, i = 1) => bench.target.open(new Owner(), client(i), to, 0);

  it('no intercept, no lease', () => {
    const bench = new Bench();
    for (const state of ['no-intercept', 'no-lease'] as const) {
      bench.ports.state = state;
      expect(bench.target.ready).toBe(false);
      expect(refused(bench)).toBe(state);
    }
    bench.expectIdle();
  });

  it('the cap on sessions', () => {
    const bench = new Bench({ maxSessions: 2 });
    open(bench, 1);
    const second = open(bench, 2);
    expect(refused(bench)).toBe('session-cap');
    second.session.abort();
    bench.target.flush();
    expect(refused(bench)).toBeTypeOf('object');
  });

  it('no port left on any of its addresses', () => {
    const ranges = [{ first: parseIp('10.9.8.1')!, count: 3 }];
    const bench = new Bench({ ports: 2, addresses: new SourceAddresses(ranges) });
    for (let i = 0; i < 6; i++) open(bench, 1);
    expect(refused(bench)).toBe('no-lease');
    expect(bench.ports.inUse.size).toBe(6);
  });

  it('a client of the wrong family', () => {
    expect(refused(new Bench(), V6)).toBe('no-lease');
  });
});

describe('a sink', () => {
  it('that is full gets the rest when it is writable, and no session is forgotten', () => {
    const bench = new Bench({ batch: new PacketBatch(4, 8_000) });
    const peer = new Peer(bench);
    const owners = Array.from({ length: 20 }, (_, i) => open(bench, i + 1));
    bench.memory.room = 5;
    bench.target.flush();
    expect(bench.target.ready).toBe(false);
    expect(bench.memory.packets).toHaveLength(5);
    for (const owner of owners) send(owner, 'x');
    bench.target.flush();
    expect(bench.memory.packets).toHaveLength(5);
    bench.memory.drain(7);
    expect(bench.memory.packets).toHaveLength(12);
    bench.memory.drain();
    expect(bench.target.ready).toBe(true);
    peer.run();
    expect(owners.map((owner) => owner.session.acknowledged)).toEqual(owners.map(() => 1));
  });

  it('that refuses a packet for its size while it is full gets smaller ones later', () => {
    const bench = new Bench({ batch: new PacketBatch(4, 8_000) });
    const peer = new Peer(bench);
    const owners = Array.from({ length: 6 }, (_, i) => open(bench, i + 1));
    peer.run();
    const text = 'y'.repeat(1_460);
    for (const owner of owners) send(owner, text);
    bench.memory.refuse = (packet) => (packet.length > 1_000 ? { code: 'EMSGSIZE', mtu: 1_000 } : undefined);
    // The first four are refused, each of which touches its session again, and then there is no room.
    bench.memory.room = 4;
    bench.target.flush();
    bench.memory.drain();
    peer.run();
    expect(owners.map((owner) => owner.session.acknowledged)).toEqual(owners.map(() => text.length));
    expect(bench.memory.packets.every((packet) => packet.length <= 1_000)).toBe(true);
  });

  it('that does not say which size it takes is tried with smaller ones', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    peer.run();
    bench.memory.refuse = (packet) => (packet.length > 600 ? { code: 'EMSGSIZE' } : undefined);
    send(owner, 'z'.repeat(5_000));
    for (let i = 0; owner.session.acknowledged < 5_000 && i < 300; i++) {
      peer.run();
      bench.pass(100);
    }
    expect(owner.session.acknowledged).toBe(5_000);
  });
});

describe('a lease that is lost', () => {
  it('ends its sessions without a word to the target, and frees what they held', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owners = [open(bench, 1), open(bench, 1), open(bench, 1)];
    peer.run();
    for (const owner of owners) send(owner, 'buffered');
    const before = bench.memory.packets.length;
    bench.target.loseLease(10_000, 2);
    expect(owners.map((owner) => owner.ends)).toEqual([['timed-out'], ['timed-out'], []]);
    bench.target.flush();
    expect(
      bench
        .sent()
        .slice(before)
        .map((s) => s.srcPort),
    ).toEqual([10_002]);
    owners[2]!.session.close();
    peer.run();
    bench.expectIdle();
  });
});

describe('the end of a run', () => {
  it('resets every session that is still open', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    for (let i = 1; i <= 5; i++) open(bench, i);
    peer.run();
    const before = bench.memory.packets.length;
    bench.target.abortAll();
    const last = bench.sent().slice(before);
    expect(last.map((s) => (s.flags & TCP_RST ? s.src3 & 255 : 0)).sort()).toEqual([1, 2, 3, 4, 5]);
    bench.expectIdle();
  });
});

describe('a dry run', () => {
  /** A context in which nobody responds, over a raw target that answers itself. */
  class DryRun extends Bench implements ReplayContext {
    readonly ledger = new Ledger();
    readonly budget = new ByteBudget(64 << 20);
    readonly waitsForResponse = false;
    readonly expectsResponses = false;
    readonly reading = undefined;
    readonly repeatable = true;
    busyReplicas = 0;
    crowdedReplicas = 0;
    heldReplicas = 0;
    behindReplicas = 0;
    done = 0;
    readonly #peer: AcknowledgingPeer;

    constructor(setup: Setup) {
      let peer!: AcknowledgingPeer;
      super(setup, (memory) => (peer = new AcknowledgingPeer(memory)));
      this.#peer = peer;
    }

    patience = () => millis(30_000);
    gapBucket = () => 'capture-gap' as const;
    wake = () => undefined;
    released = () => undefined;
    answered = () => undefined;
    responded = () => undefined;

    replica(i: number, to: Endpoint): Replica {
      const owner = {
        client: client(i, to.address.version),
        target: to,
        protocol: 'opaque',
        reader: () => expect.unreachable(),
        dialogue: () => expect.unreachable(),
        responseRead: () => expect.unreachable(),
        notReplayable: () => expect.unreachable(),
        unread: () => expect.unreachable(),
        unitSettled: this.ledger.settleUnit.bind(this.ledger),
        replicaDone: () => this.done++,
      };
      return new Replica(this, owner, 0);
    }

    /** Turns of a loop, until nothing is left to do but wait. */
    settle(): void {
      this.target.flush();
      while (this.#peer.hasReplies) {
        this.#peer.deliver((segment) => this.target.handleResponse(this.now(), segment));
        this.target.flush();
      }
    }
  }

  it('writes down every byte of every connection, in order, and closes each', () => {
    const unit = fc.record({
      length: fc.integer({ min: 1, max: 20_000 }),
      answers: fc.nat(1),
      pieces: fc.integer({ min: 1, max: 3 }),
    });
    const connection = fc.record({ v6: fc.boolean(), early: fc.boolean(), units: fc.array(unit, { maxLength: 4 }) });
    fc.assert(
      fc.property(fc.array(connection, { minLength: 1, maxLength: 6 }), fc.boolean(), (connections, hurried) => {
        const run = new DryRun({ batch: new PacketBatch(16, 32_000) });
        const expected = connections.map(({ v6, early, units }, i) => {
          const replica = run.replica(i + 1, v6 ? V6 : V4);
          if (early) replica.openEarly();
          let stream = '';
          for (const { length, answers, pieces } of units) {
            for (let p = 0; p < pieces; p++) {
              const text = `${i}.${stream.length}.`.repeat(Math.ceil(length / 4)).slice(0, length);
              stream += text;
              replica.push(piece(text, { first: p === 0, answers }));
              if (!hurried) run.settle();
            }
          }
          replica.clientEnded('fin', 1);
          return stream;
        });
        for (let i = 0; run.done < connections.length && i < 100; i++) {
          run.settle();
          run.pass(10);
        }
        run.settle();
        expect(run.done).toBe(connections.length);
        expect(run.busyReplicas + run.budget.used).toBe(0);
        const units = connections.reduce((n, c) => n + c.units.length, 0);
        expect(run.ledger.units.toJSON()).toEqual(units > 0 ? { unanswered: units } : {});
        run.expectIdle();

        const sent = run.sent();
        connections.forEach(({ v6, early, units: own }, i) => {
          const address = client(i + 1, v6 ? 6 : 4).address;
          const isMine = (s: Segment): boolean => s.src0 === address.w0 && s.src3 === address.w3;
          if (!early && own.length === 0) {
            expect(sent.some(isMine)).toBe(false);
            return;
          }
          expect(sent.filter((s) => isMine(s) && s.flags & TCP_SYN)).toHaveLength(1);
          const { bytes, end } = streamOf(sent, isMine);
          expect(bytes.toString('latin1') === expected[i]).toBe(true);
          expect(end).toBe('FIN');
        });
      }),
      { numRuns: 30 },
    );
  });

  it('answers each packet once, although the sink keeps some back', () => {
    const memory = new MemorySink(new PacketBatch(8, 8_000));
    const peer = new AcknowledgingPeer(memory);
    const bench = new Bench({});
    for (let i = 1; i <= 3; i++) open(bench, i);
    bench.target.flush();
    for (const packet of bench.memory.packets) {
      peer.batch.bytes.set(packet, peer.batch.reserve(packet.length));
      peer.batch.commit(packet.length);
    }
    memory.room = 1;
    expect(peer.flush()).toBe(false);
    expect(peer.flush()).toBe(false);
    memory.room = 10;
    expect(peer.flush()).toBe(true);
    let replies = 0;
    peer.deliver((reply) => {
      replies++;
      expect(reply.flags).toBe(TCP_SYN | TCP_ACK);
    });
    expect(replies).toBe(3);
    expect(peer.hasReplies).toBe(false);
    expect(memory.packets).toHaveLength(3);
  });
});

describe('timers', () => {
  it('are set while something is outstanding, and only then', () => {
    const bench = new Bench();
    const peer = new Peer(bench);
    const owner = open(bench, 1);
    bench.target.flush();
    expect(bench.wheel.size).toBe(1);
    peer.run();
    // The timer of the SYN is not taken back, but finds nothing to do.
    bench.pass(1_100);
    expect(bench.wheel.nextWake()).toBe(NEVER);
    send(owner, 'x');
    bench.target.flush();
    expect(bench.wheel.size).toBe(1);
    peer.run();
    bench.pass(10_000);
    expect(bench.wheel.size).toBe(0);
    expect(bench.retransmitted).toBe(0);
  });
});
