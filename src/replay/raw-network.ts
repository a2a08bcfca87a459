/** The way out and back of raw sessions: the sink that packets leave through, the intercepts, the leased ports. */
import { randomBytes, randomInt } from 'node:crypto';
import { formatEndpoint } from '../core/ip-address.ts';
import { LARGE_PACKET_MAX } from '../core/packet-batch.ts';
import type { CopyOptions, InterceptAddress, Selected } from '../config/copy-options.ts';
import type { Log } from '../core/log.ts';
import { elapsed, instant, type Duration, type Instant } from '../core/time.ts';
import type { PacketSink } from '../inject/packet-sink.ts';
import type { InterceptFacts } from '../report/run-facts.ts';
import type { Ledger } from '../report/ledger.ts';
import { PAYLOAD_ALL } from '../control/protocol.ts';
import { IsnGenerator } from '../session/isn.ts';
import { SendBufferPool } from '../session/send-buffer.ts';
import { sessionConfig } from '../session/session-config.ts';
import { Segment } from '../wire/segment.ts';
import type { AcknowledgingPeer } from './acknowledging-peer.ts';
import { InterceptLink } from './intercept-link.ts';
import type { InterceptLosses } from './intercept-losses.ts';
import { LeasePool } from './lease-pool.ts';
import { RawTarget } from './raw-target.ts';
import { SilenceWatch } from './silence-watch.ts';
import { SourceAddresses } from './source-addresses.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Responses handled in one turn of the loop. */
const RESPONSES_PER_TURN = 4096;
/** Every port there is, for a dry run that shares them with nobody. */
const DRY_RUN_FIRST_PORT = 1024;
const DRY_RUN_PORTS = 63 * 1024;

export interface RawNetworkParts {
  readonly options: CopyOptions;
  readonly sink: PacketSink;
  /** Set in a dry run: answers instead of a target. */
  readonly peer: AcknowledgingPeer | undefined;
  readonly wheel: TimerWheel;
  readonly ledger: Ledger;
  readonly log: Log;
  readonly version: string;
  /** Whether the bytes of responses are read here. */
  readonly wantsPayload: boolean;
  readonly now: () => Instant;
  /** Something can be sent: run a turn of the loop. */
  readonly wake: () => void;
  /** Responses wait for `takeResponses`. */
  readonly responsesReady: () => void;
}

interface Link {
  readonly address: InterceptAddress;
  readonly link: InterceptLink;
  readonly outages: { from: Duration; to: Duration | undefined }[];
}

export class RawNetwork {
  readonly target: RawTarget;
  readonly #parts: RawNetworkParts;
  readonly #pool: LeasePool;
  readonly #links: Link[];
  readonly #silence: SilenceWatch;
  readonly #segment = new Segment();
  #begun: Instant = instant(0);
  /** Since when no intercept is up. */
  #aloneSince: Instant | undefined;

  constructor(parts: RawNetworkParts) {
    this.#parts = parts;
    const { options, sink, wheel, ledger, now } = parts;
    this.#pool = new LeasePool({ portsLost: (first, count) => this.target.loseLease(first, count) });
    const secret = (): number => (options.seed === undefined ? randomInt(2 ** 32) : options.seed);
    this.target = new RawTarget({
      sink,
      ports: this.#pool,
      addresses: new SourceAddresses(options.clientAddresses),
      session: sessionConfig({
        sendBuffer: new SendBufferPool({ limit: options.memoryLimit / 2 }),
        mss: options.mss,
        mtu: options.mtu,
        packetMax: sink.takesLarge === true ? LARGE_PACKET_MAX : options.mtu,
        outOfOrderBudget: { used: 0, limit: options.memoryLimit / 8 },
      }),
      isn: new IsnGenerator(secret(), secret()),
      wheel,
      maxSessions: options.maxSessions,
      now,
      retransmitted: (packets) => (ledger.retransmissions += packets),
    });
    this.#links = parts.peer === undefined ? this.#makeLinks() : [];
    this.#silence = new SilenceWatch({
      options,
      log: parts.log,
      target: this.target,
      refusedPackets: () => sink.stats().failed,
      intercepts: this.#links.map(({ address, link }) => ({ address, probe: (duration) => link.probe(duration) })),
    });
    if (parts.peer !== undefined) {
      const everything = this.#pool.add({ up: true, requestLease: () => undefined });
      this.#pool.leased(everything, DRY_RUN_FIRST_PORT, DRY_RUN_PORTS);
    }
  }

  /** Opens the sink and connects to every intercept. Rejects with what a person has to mend. */
  async open(): Promise<void> {
    const { sink, wake, log } = this.#parts;
    this.#begun = this.#parts.now();
    await sink.open({
      writable: () => {
        this.target.unblock();
        wake();
      },
      failed: (failure) => {
        log.debug('a packet could not be sent', { code: failure.code, length: failure.length });
        this.target.sendFailed(failure);
      },
    });
    await Promise.all(this.#links.map(({ link }) => link.connect()));
  }

  /** Gives what has arrived to the sessions; returns how many there were. */
  takeResponses(): number {
    const now = this.#parts.now();
    this.#parts.peer?.deliver((segment) => this.target.handleResponse(now, segment));
    let left = RESPONSES_PER_TURN;
    for (const { link } of this.#links) {
      while (left > 0 && link.nextResponse(this.#segment)) {
        this.target.handleResponse(now, this.#segment);
        left--;
      }
    }
    if (left === 0) this.#parts.wake();
    return RESPONSES_PER_TURN - left;
  }

  /** Whether requests are late for want of their responses. */
  hurry(on: boolean): void {
    for (const { link } of this.#links) link.hurry(on);
  }

  /**
   * Looks for responses without the event loop; false where only that can tell. `entered`: it had its turn since this was last
   * called.
   */
  lookForResponses(entered: boolean): boolean {
    let seen = true;
    for (const { link } of this.#links) if (!link.look(entered)) seen = false;
    return seen;
  }

  /** Whether a dry run's peer has replied to what was flushed. */
  get answeredAtOnce(): boolean {
    return this.#parts.peer?.hasReplies === true;
  }

  /** Looks whether anything is answered; to be called several times a second. */
  watchForSilence(now: Instant): void {
    if (this.#links.length > 0) this.#silence.tick(now);
  }

  /** Housekeeping, every minute or so. */
  sweep(): void {
    this.#pool.sweep();
    this.target.sweep();
  }

  /** How long no intercept has been up; `undefined` while one is. */
  aloneFor(now: Instant): Duration | undefined {
    return this.#aloneSince === undefined ? undefined : elapsed(now, this.#aloneSince);
  }

  interceptFacts(): InterceptFacts[] {
    return this.#links.map(({ address, outages }) => ({
      address: `${address.host}:${address.port}`,
      // Not whether the link is up: at the end of a run it has been closed.
      connected: outages.length === 0 || outages.at(-1)!.to !== undefined,
      outages,
    }));
  }

  /** What the intercepts say they lost, one entry each. */
  losses(): InterceptLosses[] {
    return this.#links.map(({ link }) => link.losses());
  }

  async close(): Promise<void> {
    await this.target.close();
    await Promise.all(this.#links.map(({ link }) => link.close()));
  }

  #makeLinks(): Link[] {
    const { options, version, wantsPayload, now, responsesReady } = this.#parts;
    const instanceId = randomBytes(8);
    const targets = options.mappings.map(({ online, target }) => ({
      address: target.address,
      portFirst: target.port,
      portLast: target.port + online.portLast - online.portFirst,
    }));
    return options.intercepts.map((address, index) => {
      const outages: Link['outages'] = [];
      const link: InterceptLink = new InterceptLink(
        {
          host: address.host,
          port: address.port,
          connections: options.controlConnections,
          key: options.controlKey,
          tls: options.controlTls,
          instanceId,
          software: version,
          targets,
          clientRanges: options.clientAddresses,
          wantPayload: wantsPayload ? PAYLOAD_ALL : 0,
          now,
        },
        {
          up: () => this.#linkUp(address, outages),
          down: (reason) => this.#linkDown(address, outages, reason),
          leased: (first, count) => this.#pool.leased(index, first, count),
          leaseLost: (first, count) => this.#pool.lost(index, first, count),
          ready: responsesReady,
          noPayload: () => this.#noPayload(address),
        },
      );
      this.#pool.add(link);
      return { address, link, outages };
    });
  }

  #linkUp({ host, port }: InterceptAddress, outages: Link['outages']): void {
    const { now, log, wake } = this.#parts;
    const outage = outages.at(-1);
    if (outage !== undefined && outage.to === undefined) {
      outage.to = elapsed(now(), this.#begun);
      log.warn(`intercept ${host}:${port} is back`);
    }
    this.#aloneSince = undefined;
    this.#pool.update();
    wake();
  }

  #noPayload({ host, port }: InterceptAddress): void {
    this.#parts.log.warn(`intercept ${host}:${port} does not send what responses hold: plugins will not see them`);
  }

  #linkDown({ host, port }: InterceptAddress, outages: Link['outages'], reason: string): void {
    const { now, log } = this.#parts;
    outages.push({ from: elapsed(now(), this.#begun), to: undefined });
    log.warn(`intercept ${host}:${port} is gone, no new session meanwhile: ${reason}`);
    this.#pool.update();
    if (this.#pool.state === 'no-intercept') this.#aloneSince = now();
  }
}

/** `80 → 192.0.2.10:8080`, or `80` where it goes nowhere, for people. */
export function describeMapping({ online, target }: Selected): string {
  const { address, portFirst, portLast } = online;
  const ports = portFirst === portLast ? `${portFirst}` : `${portFirst}-${portLast}`;
  const from = address === undefined ? ports : formatEndpoint({ address, port: portFirst }).replace(/\d+$/, ports);
  return target === undefined ? from : `${from} → ${formatEndpoint(target)}`;
}
