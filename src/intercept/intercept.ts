/**
 * The intercept: captures the responses of the targets and gives each to the tcpcopy whose session it answers. This file
 * joins the parts and owns the loop, the clock and the sockets; it sends nothing but control messages.
 *
 *     capture loop ─segment─▶ router ─instance─▶ duplicate filter ─▶ peer's batch ──one write per turn──▶
 *
 * The capture filter follows what the instances ask for: with nobody connected, nothing is captured, and where nobody wants
 * payload, headers alone, until a checksum is wrong: a segment that is cut might be damaged, too.
 */
import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import { monotonicNow } from '../clock/clock.ts';
import { encode } from '../control/encoder.ts';
import { LeaseTable } from '../control/lease-table.ts';
import type { Hello, Message, Stats } from '../control/messages.ts';
import { BYE, INSTANCE_ID_BYTES, NONCE_BYTES, PROBE, REFUSED_BUSY, STATS, TARGETS } from '../control/protocol.ts';
import { ResponseWriter } from '../control/response-writer.ts';
import { RunningClock } from '../control/running-clock.ts';
import { refusedMessage, ServerHandshake, type ServerIdentity } from '../control/server-handshake.ts';
import { Counters } from '../core/counters.ts';
import { TcpcopyError } from '../core/errors.ts';
import { elapsed, instant, toMillis, type Duration, type Instant } from '../core/time.ts';
import { CHECKSUM_BAD, type Segment } from '../wire/segment.ts';
import { Anteroom } from './anteroom.ts';
import { CaptureLoop, type SegmentHandler } from './capture-loop.ts';
import { coarseFilter, exactFilter } from './capture-selection.ts';
import { ControlServer } from './control-server.ts';
import { DuplicateFilter } from './duplicate-filter.ts';
import { hmacSha256 } from './hmac.ts';
import type { Instance } from './instance.ts';
import { Instances } from './instances.ts';
import { DEFAULT_TUNING, type InterceptSetup, type InterceptSource, type InterceptTuning } from './intercept-setup.ts';
import type { InterceptStats } from './intercept-stats.ts';
import { Peer, REFUSALS, type PeerOwner, type Refusal } from './peer.ts';
import { Probes } from './probes.ts';
import { Router } from './router.ts';
import { TlsGate } from './tls-gate.ts';

/** Of a segment: more bytes than any has. */
const WHOLE = 1 << 20;

/** A tick that comes later than this many periods shows that the process stood still. */
const LATE_TICKS = 4;
/** Bounds of a clean stop: for the capture, and for the last bytes to the peers. */
const CAPTURE_STOP_MS = 400;
const PEERS_STOP_MS = 300;
const CROWDED_OUT = 'others came while it had not shaken hands';

export class Intercept implements PeerOwner, SegmentHandler {
  readonly #setup: InterceptSetup;
  readonly #tuning: InterceptTuning;
  readonly #identity: ServerIdentity;
  readonly #clock: RunningClock;
  readonly #leases: LeaseTable;
  readonly #instances: Instances;
  readonly #router: Router;
  readonly #probes: Probes;
  readonly #copies = new DuplicateFilter();
  readonly #capture: CaptureLoop;
  readonly #gate: TlsGate | undefined;
  readonly #server: ControlServer;
  readonly #peers = new Set<Peer>();
  /** Those of them that have not shaken hands. */
  readonly #entering: Anteroom<Peer>;
  readonly #refused = new Counters(REFUSALS);
  /** Peers with a batch to write. */
  readonly #due: Peer[] = [];
  readonly #counts = { unrouted: 0, damaged: 0, copies: 0, absent: 0 };
  #timer: NodeJS.Timeout | undefined;
  #statsAt: Instant = instant(0);
  #stopping = false;

  constructor(setup: InterceptSetup) {
    this.#setup = setup;
    this.#tuning = { ...DEFAULT_TUNING, ...setup.tuning };
    const { tick, leaseSilence, firstPort } = this.#tuning;
    this.#identity = {
      interceptId: randomBytes(INSTANCE_ID_BYTES),
      key: setup.key,
      software: setup.software,
      leaseSilence: toMillis(leaseSilence),
    };
    this.#entering = new Anteroom(this.#tuning.maxEntering);
    this.#clock = new RunningClock(monotonicNow(), (tick * LATE_TICKS) as Duration);
    this.#leases = new LeaseTable({ firstPort, silence: leaseSilence });
    this.#instances = new Instances(
      this.#leases,
      setup.log,
      () => this.#refilter(),
      (hurry) => (this.#capture.hurry = hurry),
    );
    this.#router = new Router(this.#leases, this.#instances.bySlot);
    const { devices, backend, expression } = setup;
    this.#probes = new Probes({ devices, backend, expression, leases: this.#leases });
    this.#capture = new CaptureLoop(setup.sources, setup.makeParser, this);
    const accept = (socket: Socket): void => this.#accept(socket);
    this.#gate = this.#makeGate(accept);
    this.#server = new ControlServer(this.#gate === undefined ? accept : (socket) => this.#gate!.enter(socket));
  }

  /** Opens the devices and the control port; throws a `TcpcopyError` when one of them fails. */
  async start(): Promise<void> {
    await this.#capture.open();
    try {
      this.#refilter();
      await this.#server.listen(this.#setup.bind, this.#setup.port);
    } catch (error) {
      this.#capture.close();
      throw error;
    }
    this.#timer = setInterval(() => this.#tick(), toMillis(this.#tuning.tick));
  }

  /** The control port in use. */
  get port(): number {
    return this.#server.port;
  }

  /** Delivers what is captured already, takes leave of the peers, and is done within a second. */
  async stop(): Promise<void> {
    this.#stopping = true;
    clearInterval(this.#timer);
    this.#server.close();
    this.#gate?.close();
    this.#probes.close();
    await this.#capture.stop(CAPTURE_STOP_MS);
    this.#sendStats();
    const bye = encode({ type: BYE, text: 'the intercept is stopping' });
    const leaving = [...this.#peers].map((peer) => peer.closeAfter(bye, undefined));
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, PEERS_STOP_MS);
    });
    await Promise.race([Promise.all(leaving), late]);
    clearTimeout(timer);
    this.#capture.close();
  }

  stats(): InterceptStats {
    const { frames, segments, frameDrops } = this.#capture;
    return {
      frames,
      kernelDropped: this.#capture.kernelDropped(),
      notSegments: frameDrops.toJSON(),
      segments,
      forwarded: this.#instances.forwarded,
      dropped: this.#instances.dropped,
      ...this.#counts,
      instances: this.#instances.count,
      connections: this.#peers.size,
      refused: this.#refused.toJSON(),
      freeBlocks: this.#leases.free,
    };
  }

  // ---- capture ----

  segment(segment: Segment, path: number): void {
    const instance = this.#router.route(segment);
    if (instance === undefined) {
      this.#counts.unrouted++;
      return;
    }
    if (segment.checksum === CHECKSUM_BAD) {
      // Of segments that are cut nothing can be told, so they are captured whole where some are damaged.
      if (this.#counts.damaged++ === 0) this.#setup.sources.forEach((source) => this.#limitPayload(source));
      return;
    }
    if (this.#copies.isCopy(segment, path)) {
      this.#counts.copies++;
      return;
    }
    const peer = instance.outlet;
    if (peer === undefined) {
      this.#counts.absent++;
      return;
    }
    if (peer.add(segment, instance.maxPayload)) this.#due.push(peer);
  }

  turnDone(): boolean {
    const due = this.#due;
    let sent = true;
    for (let i = 0; i < due.length; i++) {
      due[i]!.flush();
      if (due[i]!.waiting > 0) sent = false;
    }
    due.length = 0;
    return sent;
  }

  sourceEnded(name: string, left: number, error: Error | undefined): void {
    if (this.#stopping) return;
    const why = error instanceof TcpcopyError ? error.oneLine() : (error?.message ?? 'no more packets');
    this.#setup.log.error(`capture on ${name} has ended: ${why}`);
    if (left === 0) this.#setup.captureEnded(error);
  }

  // ---- control connections ----

  get time(): Instant {
    return this.#clock.time;
  }

  admit(peer: Peer, hello: Hello): Instance | string {
    const admitted = this.#instances.admit(peer, hello);
    if (typeof admitted !== 'string') this.#entering.leave(peer);
    return admitted;
  }

  received(peer: Peer, instance: Instance, message: Message): void {
    if (message.type === PROBE) {
      this.#probes.handle(peer, instance, message);
      return;
    }
    this.#instances.handle(peer, instance, message);
    // The counts as they stand, so that the instance can tell what is lost from now on.
    if (message.type === TARGETS) peer.send(this.#statsFor(instance));
  }

  closed(peer: Peer, reason: string | undefined, refusal: Refusal | undefined): void {
    this.#peers.delete(peer);
    this.#entering.leave(peer);
    if (refusal !== undefined) this.#refuse(refusal);
    this.#probes.left(peer);
    if (reason !== undefined) this.#setup.log.warn(`control connection of ${peer.name} closed: ${reason}`);
    if (peer.instance !== undefined) this.#instances.left(peer, peer.instance, this.time);
  }

  #refuse(refusal: Refusal): void {
    this.#refused.add(REFUSALS.indexOf(refusal));
  }

  #makeGate(accept: (socket: Socket) => void): TlsGate | undefined {
    const { tls, log } = this.#setup;
    if (tls === undefined) return undefined;
    return new TlsGate({
      identity: tls,
      timeout: this.#tuning.handshakeTimeout,
      maxEntering: this.#tuning.maxEntering,
      accept,
      refused: (name, reason) => {
        this.#refuse('tls');
        log.warn(`control connection of ${name} refused: ${reason}`);
      },
    });
  }

  #accept(socket: Socket): void {
    const handshake = new ServerHandshake(this.#identity, hmacSha256, randomBytes(NONCE_BYTES));
    const peer = new Peer(socket, handshake, this, new ResponseWriter(), this.#tuning.outputCap);
    this.#peers.add(peer);
    this.#entering.enter(peer, peer.address)?.close(CROWDED_OUT, 'crowded-out');
    if (this.#peers.size > this.#tuning.maxConnections) {
      const reason = `the intercept has ${this.#tuning.maxConnections} connections already`;
      void peer.closeAfter(refusedMessage(REFUSED_BUSY, reason), reason, 'busy');
    }
  }

  #tick(): void {
    const now = this.#clock.tick(monotonicNow());
    const { handshakeTimeout, peerTimeout, statsInterval } = this.#tuning;
    for (const peer of this.#peers) {
      if (peer.instance === undefined && elapsed(now, peer.openedAt) > handshakeTimeout) {
        peer.close('the handshake took too long', 'too-slow');
      } else if (elapsed(now, peer.heard) > peerTimeout) {
        peer.close(`silent for ${toMillis(peerTimeout)} ms`);
      }
    }
    this.#instances.expire(now);
    if (elapsed(now, this.#statsAt) < statsInterval) return;
    this.#statsAt = now;
    this.#sendStats();
  }

  #sendStats(): void {
    for (const instance of this.#instances.all) instance.peers[0]?.send(this.#statsFor(instance));
  }

  #statsFor({ forwarded, dropped }: Instance): Stats {
    const { frames } = this.#capture;
    return { type: STATS, frames, kernelDropped: this.#capture.kernelDropped(), forwarded, dropped };
  }

  #limitPayload(source: InterceptSource): void {
    source.limitPayload?.(this.#counts.damaged > 0 ? WHOLE : this.#instances.maxPayload());
  }

  #refilter(): void {
    if (this.#stopping) return;
    const targets = this.#instances.targets();
    const { expression, log } = this.#setup;
    for (const source of this.#setup.sources) {
      try {
        this.#limitPayload(source);
        source.refilter?.(exactFilter(targets, expression));
      } catch (error) {
        if (targets.length === 0) throw error;
        log.warn(`capture on ${source.name} is filtered by port range only: ${String(error)}`);
        source.refilter?.(coarseFilter(targets, expression));
      }
    }
  }
}
