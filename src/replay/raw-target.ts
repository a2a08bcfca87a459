/**
 * Sessions over our own TCP with spoofed source addresses: packets leave through a sink, responses come back from the
 * intercepts (or, in a dry run, from a peer that acknowledges everything).
 *
 * A session is known by its source address and port; ports come from the lease, so no two sessions of any tcpcopy on
 * the same intercept collide. Sessions touched by a batch of input are listed once and transmit together in `flush`.
 */
import type { Endpoint, IpAddress } from '../core/ip-address.ts';
import { NumberMap } from '../core/number-map.ts';
import { NEVER, type Instant } from '../core/time.ts';
import type { PacketSink, SendFailure } from '../inject/packet-sink.ts';
import type { IsnGenerator } from '../session/isn.ts';
import { Session } from '../session/session.ts';
import type { SessionConfig } from '../session/session-config.ts';
import { TCP_RST, type Segment } from '../wire/segment.ts';
import { ipv4FromWord, ipFromWords } from '../core/ip-address.ts';
import { nextLowerMtu, RawSession, type RawSessionHost } from './raw-session.ts';
import { StrayReset } from './stray-reset.ts';
import type { SourceAddresses } from './source-addresses.ts';
import type { OpenFailure, SessionOwner, Target, TargetSession } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Source addresses tried for one session before it is given up as `no-lease`. */
const ADDRESS_TRIES = 16;

/** Where source ports come from. */
export interface PortSource {
  /** A port free on this source address, or -1. */
  acquire(addressIndex: number): number;
  release(addressIndex: number, port: number): void;
  /** Whether any port is leased, and the way back for responses is up. */
  readonly state: 'ready' | 'no-intercept' | 'no-lease';
}

export interface RawTargetOptions {
  readonly sink: PacketSink;
  readonly ports: PortSource;
  readonly addresses: SourceAddresses;
  readonly session: SessionConfig;
  readonly isn: IsnGenerator;
  readonly wheel: TimerWheel;
  readonly maxSessions: number;
  readonly now: () => Instant;
  readonly retransmitted: (packets: number) => void;
}

export class RawTarget implements Target, RawSessionHost {
  readonly #options: RawTargetOptions;
  readonly #sessions = new NumberMap<RawSession>();
  /** Sessions that may have something to send, the first `#touchedCount`. */
  readonly #touched: (RawSession | undefined)[] = [];
  #touchedCount = 0;
  #blocked = false;
  readonly #reset = new StrayReset();
  /** By target port: 1 where the last session in which anybody spoke began with the client. */
  readonly #clientFirst = new Uint8Array(65_536);
  /** The batch holds resets that no session's transmission will flush. */
  #resetsWritten = false;
  /** Of those that have been told. */
  #retransmissions = 0;
  heard = 0;
  shutOut = 0;
  opened = 0;
  /** Responses that were resets of a session. */
  resets = 0;
  /** Responses that no session was waiting for. */
  strayResponses = 0;

  constructor(options: RawTargetOptions) {
    this.#options = options;
  }

  /** Responses that a session was waiting for. */
  get responses(): number {
    return this.heard - this.strayResponses;
  }

  get openSessions(): number {
    return this.#sessions.size;
  }

  get bufferedBytes(): number {
    return this.#options.session.sendBuffer.usedBlocks * this.#options.session.sendBuffer.blockSize;
  }

  get packets(): number {
    return this.#options.sink.stats().packets;
  }

  get unsent(): number {
    return Object.values(this.#options.sink.stats().failed).reduce((a, b) => a + b, 0);
  }

  get ready(): boolean {
    return this.#options.ports.state === 'ready' && !this.#blocked;
  }

  now(): Instant {
    return this.#options.now();
  }

  open(owner: SessionOwner, client: Endpoint, target: Endpoint, replica: number): TargetSession | OpenFailure {
    const { ports, session, isn, maxSessions } = this.#options;
    if (ports.state !== 'ready') return ports.state;
    if (this.#sessions.size >= maxSessions) return 'session-cap';
    const source = this.#acquire(client.address, target.address.version, replica);
    if (source === undefined) return 'no-lease';
    const now = this.now();
    const local = { address: source.address, port: source.port };
    const machine = new Session(session, local, target, isn.next(now, local, target));
    const raw = new RawSession(this, owner, machine, target, source.index, source.port);
    this.#sessions.set(keyOf(source.index, source.port), raw);
    this.opened++;
    machine.open(now, this.#clientFirst[target.port] === 1);
    this.touched(raw);
    return raw;
  }

  /** One segment from a target. */
  handleResponse(now: Instant, segment: Segment): void {
    this.heard++;
    const index = this.#options.addresses.find(segment.dst0, segment.dst1, segment.dst2, segment.dst3);
    const session = index < 0 ? undefined : this.#sessions.get(keyOf(index, segment.dstPort));
    if (session !== undefined && isFrom(segment, session.remote)) {
      if ((segment.flags & TCP_RST) !== 0) this.resets++;
      session.handleSegment(now, segment);
      return;
    }
    this.strayResponses++;
    if (!this.#blocked && this.#reset.write(segment, this.#options.sink.batch)) this.#resetsWritten = true;
  }

  /** Where some of the open sessions come from and go to. */
  paths(most: number): { source: IpAddress; sourcePort: number; target: IpAddress; targetPort: number }[] {
    const paths: ReturnType<RawTarget['paths']> = [];
    for (const { machine, remote } of this.#sessions.values()) {
      if (paths.length === most) break;
      const { local } = machine;
      paths.push({ source: local.address, sourcePort: local.port, target: remote.address, targetPort: remote.port });
    }
    return paths;
  }

  flush(): void {
    if (this.#blocked) return;
    const { sink, session: config } = this.#options;
    const now = this.now();
    if (this.#resetsWritten) this.#flushSink();
    this.#resetsWritten = false;
    const touched = this.#touched;
    // Transmission may touch further sessions, and so may a failing packet: the list grows meanwhile.
    while (this.#touchedCount > 0 && !this.#blocked) {
      let i = 0;
      for (; i < this.#touchedCount; i++) {
        const session = touched[i]!;
        while (!session.silenced && session.machine.pollTransmit(now, sink.batch)) {
          // A full batch is sent, and the session goes on in the empty one.
          if (sink.batch.reserve(config.packetMax) < 0 && !this.#flushSink()) break;
        }
        if (this.#blocked) break;
        touched[i] = undefined;
        session.listed = false;
        session.drainEvents();
        this.#noteWindow(session);
        if (!session.over) this.#options.wheel.schedule(session, session.machine.pollTimeout());
      }
      if (i < this.#touchedCount) touched.copyWithin(0, i, this.#touchedCount);
      this.#touchedCount -= i;
      if (!this.#blocked) this.#flushSink();
    }
  }

  /** The sink takes packets again. */
  unblock(): void {
    this.#blocked = false;
    this.flush();
  }

  /** The kernel refused one of our packets; `bytes` is the sink's batch. */
  sendFailed(failure: SendFailure): void {
    const session = this.#senderOf(failure.offset);
    if (session === undefined) return;
    session.sendFailures++;
    if (failure.code === 'EMSGSIZE') session.shrinkMtu(failure.mtu ?? nextLowerMtu(failure.length));
  }

  touched(session: RawSession): void {
    if (session.listed) return;
    session.listed = true;
    this.#touched[this.#touchedCount++] = session;
  }

  spoke(session: RawSession, ours: boolean): void {
    this.#clientFirst[session.remote.port] = ours ? 1 : 0;
  }

  gone(session: RawSession): void {
    this.#options.wheel.schedule(session, NEVER);
    this.#sessions.delete(keyOf(session.addressIndex, session.port));
    this.#noteWindow(session);
    this.#options.ports.release(session.addressIndex, session.port);
    const { retransmissions } = this.#options.session.stats;
    this.#options.retransmitted(retransmissions - this.#retransmissions);
    this.#retransmissions = retransmissions;
  }

  /** Sessions on ports that are no longer ours: no response will come, and another instance may own them. */
  loseLease(firstPort: number, count: number): void {
    for (const session of this.#sessions.values()) {
      if (session.port >= firstPort && session.port < firstPort + count) session.lost();
    }
  }

  /** Forgets source addresses without a session: with the clients' own there is no end of them. Every minute or so. */
  sweep(): void {
    const used = new Set<number>();
    for (const session of this.#sessions.values()) used.add(session.addressIndex);
    this.#options.addresses.forgetAllBut(used);
  }

  abortAll(): void {
    for (const session of this.#sessions.values()) session.abort();
    this.flush();
  }

  async close(): Promise<void> {
    this.abortAll();
    await this.#options.sink.close();
  }

  #acquire(
    client: IpAddress,
    version: 4 | 6,
    replica: number,
  ): { address: IpAddress; index: number; port: number } | undefined {
    const { addresses, ports } = this.#options;
    const tries = Math.min(ADDRESS_TRIES, addresses.choices(version));
    for (let i = 0; i < tries; i++) {
      const address = addresses.choose(client, replica + i, version);
      if (address === undefined) return undefined;
      const source = addresses.entryOf(address);
      const port = ports.acquire(source.index);
      if (port >= 0) return { address: source.address, index: source.index, port };
    }
    return undefined;
  }

  #noteWindow(session: RawSession): void {
    const shutOut = !session.over && session.machine.shutOut;
    if (shutOut !== session.shutOut) this.shutOut += shutOut ? 1 : -1;
    session.shutOut = shutOut;
  }

  #flushSink(): boolean {
    if (this.#options.sink.flush()) return true;
    this.#blocked = true;
    return false;
  }

  #senderOf(offset: number): RawSession | undefined {
    const { view } = this.#options.sink.batch;
    const v4 = view.getUint8(offset) >>> 4 === 4;
    const word = (at: number): number => view.getInt32(offset + at);
    const source = v4 ? ipv4FromWord(word(12)) : ipFromWords(word(8), word(12), word(16), word(20));
    const port = view.getUint16(offset + (v4 ? 20 : 40));
    const index = this.#options.addresses.find(source.w0, source.w1, source.w2, source.w3);
    return index < 0 ? undefined : this.#sessions.get(keyOf(index, port));
  }
}

function keyOf(addressIndex: number, port: number): number {
  return addressIndex * 65_536 + port;
}

function isFrom(segment: Segment, remote: Endpoint): boolean {
  const a = remote.address;
  return (
    segment.srcPort === remote.port &&
    segment.src3 === a.w3 &&
    segment.src2 === a.w2 &&
    segment.src1 === a.w1 &&
    segment.src0 === a.w0
  );
}
