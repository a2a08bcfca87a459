/** A raw target whose packets end in memory, with virtual time; and a peer that answers them. */
import { expect } from 'vitest';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import type { PacketBatch } from '../../../src/core/packet-batch.ts';
import { seqDiff } from '../../../src/core/seq-num.ts';
import { instant, millis, type Instant } from '../../../src/core/time.ts';
import { MemorySink } from '../../support/memory-sink.ts';
import type { PacketSink } from '../../../src/inject/packet-sink.ts';
import { AcknowledgingPeer } from '../../../src/replay/acknowledging-peer.ts';
import { RawTarget, type PortSource } from '../../../src/replay/raw-target.ts';
import { SourceAddresses } from '../../../src/replay/source-addresses.ts';
import type { SessionEnd, SessionOwner, TargetSession } from '../../../src/replay/target.ts';
import { TimerWheel } from '../../../src/replay/timer-wheel.ts';
import { IsnGenerator } from '../../../src/session/isn.ts';
import { SendBufferPool } from '../../../src/session/send-buffer.ts';
import { sessionConfig } from '../../../src/session/session-config.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { CHECKSUM_GOOD, Segment, TCP_FIN, TCP_RST, TCP_SYN } from '../../../src/wire/segment.ts';

const LINKTYPE_RAW = 101;
export const V4: Endpoint = { address: parseIp('198.51.100.7')!, port: 8080 };
export const V6: Endpoint = { address: parseIp('2001:db8:1::7')!, port: 8080 };

export function client(i: number, version: 4 | 6 = 4): Endpoint {
  return { address: parseIp(version === 4 ? `192.0.2.${i}` : `2001:db8::${i}`)!, port: 50_000 };
}

/** So many ports on each address, from 10,000 on; used ones come back last. */
export class Ports implements PortSource {
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

export interface Setup {
  readonly ports?: number;
  readonly maxSessions?: number;
  readonly addresses?: SourceAddresses;
  readonly batch?: PacketBatch;
  readonly mtu?: number;
}

/** A raw target whose packets end in memory, with virtual time. */
export class Bench {
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
export class Peer {
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

export class Owner implements SessionOwner {
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

export function open(bench: Bench, i: number, to: Endpoint = V4): Owner {
  const owner = new Owner();
  owner.session = bench.target.open(owner, client(i, to.address.version), to, 0) as TargetSession;
  expect(owner.session).toBeTypeOf('object');
  return owner;
}

export function send(owner: Owner, text: string): void {
  expect(owner.session.send(Buffer.from(text), 0, text.length)).toBe(text.length);
}

/** The stream of one session by its source, put together without any cleverness. */
export function streamOf(
  segments: readonly Segment[],
  of: (segment: Segment) => boolean,
): { bytes: Buffer; end: string } {
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
