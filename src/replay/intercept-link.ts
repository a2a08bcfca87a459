/**
 * The link to one intercept: its control connections, the lease, and the responses that arrive.
 *
 * Lease messages go over one connection at a time, the *lease connection*, so that they and their answers have an order.
 * When it is lost another one takes over and begins with RECLAIM. While no connection is up the blocks remain ours in
 * name: sessions that wait for responses lose nothing but time if the intercept comes back and still, or again, has
 * them for us. What it has given to others meanwhile is reported by `leaseLost`.
 */
import type { ControlMessage, Welcome } from '../control/messages.ts';
import {
  CAPABILITY_HURRY,
  CAPABILITY_PAYLOAD,
  CAPABILITY_PROBE,
  HURRY,
  LEASE_GRANT,
  LEASE_REQUEST,
  MAX_CLIENT_RANGES,
  MAX_TARGETS,
  PROBE,
  PROBE_REPORT,
  RECLAIM,
  STATS,
  TARGETS,
  WANT_PAYLOAD,
  MESSAGE_NAMES,
} from '../control/protocol.ts';
import type { ProbeReport } from '../control/probe.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { Segment } from '../wire/segment.ts';
import {
  HEARTBEAT_INTERVAL,
  HEARTBEAT_TIMEOUT,
  InterceptConnection,
  type ConnectionOptions,
  type ConnectionOwner,
} from './intercept-connection.ts';
import { InterceptLease } from './intercept-lease.ts';
import type { InterceptLinkListener, InterceptLinkOptions } from './intercept-link-setup.ts';
import { LossCounter, type InterceptLosses } from './intercept-losses.ts';

/** While we hold no block at all, how often we ask again. */
const LEASE_RETRY_MS = 1_000;
const DEFAULT_BLOCKS = 4;
/** For a report, beyond the time that it is about. */
const REPORT_MS = 1_000;

interface Waiter {
  resolve(): void;
  reject(error: TcpcopyError): void;
}

export class InterceptLink implements ConnectionOwner {
  readonly #options: InterceptLinkOptions;
  readonly #listener: InterceptLinkListener;
  readonly #lease: InterceptLease;
  readonly #losses = new LossCounter();
  #connections: InterceptConnection[];
  #leaseConnection: InterceptConnection | undefined;
  #interceptId = '';
  #up = false;
  #wantPayload: number;
  #turn = 0;
  #waiter: Waiter | undefined;
  #retry: NodeJS.Timeout | undefined;
  #takesHurry = false;
  #hurry = false;
  #answersProbes = false;
  #probed: ((report: ProbeReport | undefined) => void) | undefined;

  constructor(options: InterceptLinkOptions, listener: InterceptLinkListener) {
    this.#options = options;
    this.#listener = listener;
    if (options.targets.length > MAX_TARGETS) {
      throw new TcpcopyError('E_MAPPING', `${options.targets.length} targets are more than an intercept takes`, {
        where: '-x',
        hint: `use port ranges, or at most ${MAX_TARGETS} entries`,
      });
    }
    this.#lease = new InterceptLease(options.blocks ?? DEFAULT_BLOCKS);
    this.#wantPayload = options.wantPayload;
    this.#connections = this.#makeConnections();
  }

  /**
   * Resolves when the first connection is up and a lease is held. Rejects at the first failure, with
   * E_INTERCEPT_UNREACHABLE, an E_CONTROL_ code or E_LEASE; then nothing is retried, and it may be called again. Later
   * failures are `down`, and retried for ever.
   */
  connect(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
      this.#connections[0]!.start();
    });
  }

  /** Whether sessions can be opened: a connection is up and a lease is held. */
  get up(): boolean {
    return this.#up;
  }

  /** Connections that are up, lease or not. */
  get connectionsUp(): number {
    return this.#connections.filter((connection) => connection.isWelcomed).length;
  }

  /** Decodes the next response in place; it is valid until the next call or the end of this turn of the event loop. */
  nextResponse(segment: Segment): boolean {
    const connections = this.#connections;
    for (let tried = 0; tried < connections.length; tried++) {
      if (connections[this.#turn]!.nextResponse(segment)) return true;
      this.#turn = this.#turn + 1 === connections.length ? 0 : this.#turn + 1;
    }
    return false;
  }

  /**
   * Takes what has arrived without the event loop; false where only that can tell. `entered`: it had its turn since this was
   * last called.
   */
  look(entered: boolean): boolean {
    let seen = true;
    for (const connection of this.#connections) if (!connection.look(entered)) seen = false;
    return seen;
  }

  /** Asks for so many blocks more than are held; while an answer is due, requests are merged to the largest. */
  requestLease(blocks: number): void {
    this.#lease.wantMore(blocks);
    this.#sendLease({ type: LEASE_REQUEST, blocks: this.#lease.wanted });
  }

  /** Changes how many payload bytes come with each response. */
  wantPayload(maxBytes: number): void {
    this.#wantPayload = maxBytes;
    for (const connection of this.#connections) connection.send({ type: WANT_PAYLOAD, maxBytes });
  }

  /** Whether it is to hand responses over the moment they come, not several at once. */
  hurry(on: boolean): void {
    this.#hurry = on;
    if (this.#takesHurry) this.#leaseConnection?.send({ type: HURRY, on });
  }

  /** What was lost at the intercept, by its own account. */
  losses(): InterceptLosses {
    return this.#losses.totals();
  }

  /** What the intercept's host sees of our sessions in so many milliseconds; `undefined`: it does not say. */
  probe(duration: number): Promise<ProbeReport | undefined> {
    const connection = this.#leaseConnection;
    this.#probed?.(undefined);
    if (connection === undefined || !this.#answersProbes) return Promise.resolve(undefined);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#probed?.(undefined), duration + REPORT_MS);
      this.#probed = (report) => {
        clearTimeout(timer);
        this.#probed = undefined;
        resolve(report);
      };
      connection.send({ type: PROBE, token: 1, duration });
    });
  }

  async close(): Promise<void> {
    this.#up = false;
    this.#probed?.(undefined);
    clearTimeout(this.#retry);
    this.#waiter?.reject(new TcpcopyError('E_INTERCEPT_UNREACHABLE', 'stopped before the intercept had answered'));
    this.#waiter = undefined;
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }

  // ---- connections ----

  welcomed(connection: InterceptConnection, welcome: Welcome): void {
    this.#interceptId = welcome.interceptId.toString();
    this.#takesHurry = (welcome.capabilities & CAPABILITY_HURRY) !== 0;
    if (this.#hurry && this.#takesHurry) connection.send({ type: HURRY, on: true });
    this.#answersProbes = (welcome.capabilities & CAPABILITY_PROBE) !== 0;
    const { targets, clientRanges } = this.#options;
    // Too many to tell: the leased ports alone say what is ours.
    const clients = clientRanges.length > MAX_CLIENT_RANGES ? [] : clientRanges;
    connection.send({ type: TARGETS, targets, clients });
    connection.send({ type: WANT_PAYLOAD, maxBytes: this.#wantPayload });
    if (this.#wantPayload > 0 && (welcome.capabilities & CAPABILITY_PAYLOAD) === 0 && connection.index === 0) {
      this.#listener.noPayload?.();
    }
    if (this.#leaseConnection === undefined) this.#claimOver(connection);
  }

  received(connection: InterceptConnection, message: ControlMessage): void {
    switch (message.type) {
      case LEASE_GRANT:
        if (connection !== this.#leaseConnection) return;
        this.#granted(message.wanted, message.free, this.#lease.granted(message));
        return;
      case PROBE_REPORT:
        if (!message.open) this.#probed?.(message);
        return;
      case STATS:
        this.#losses.add(this.#interceptId, message);
        return;
      default:
        throw new TcpcopyError('E_CONTROL_PROTOCOL', `the intercept may not send ${MESSAGE_NAMES[message.type]}`);
    }
  }

  responsesReady(): void {
    this.#listener.ready();
  }

  lost(connection: InterceptConnection, error: TcpcopyError): void {
    if (this.#waiter !== undefined) {
      this.#failConnect(error);
      return;
    }
    if (connection !== this.#leaseConnection) return;
    this.#leaseConnection = undefined;
    this.#lease.connectionLost();
    const other = this.#connections.find((candidate) => candidate.isWelcomed);
    if (other !== undefined) this.#claimOver(other);
    // Whose link it is is known to who listens.
    else this.#goDown(error.oneLine(''));
  }

  // ---- lease ----

  /** Makes this the lease connection, and settles with the intercept what we hold. */
  #claimOver(connection: InterceptConnection): void {
    this.#leaseConnection = connection;
    if (this.#lease.held.length > 0) this.#sendLease({ type: RECLAIM, blocks: this.#lease.held });
    this.#sendLease({ type: LEASE_REQUEST, blocks: this.#lease.wanted });
  }

  #sendLease(message: ControlMessage): void {
    if (this.#leaseConnection === undefined) return;
    this.#lease.messageSent();
    this.#leaseConnection.send(message);
  }

  #granted(wanted: number, free: number, change: ReturnType<InterceptLease['granted']>): void {
    if (change === undefined) return;
    for (const { firstPort, count } of change.lost) this.#listener.leaseLost(firstPort, count);
    for (const { firstPort, count } of change.leased) this.#listener.leased(firstPort, count);
    const held = this.#lease.held.length;
    if (held < wanted) this.#listener.leaseRefused?.(wanted, held, free);
    if (held > 0) {
      this.#goUp();
      return;
    }
    if (this.#waiter !== undefined) {
      const message = `the intercept has no source ports left: ${wanted} blocks wanted, ${free} free`;
      const { host, port } = this.#options;
      const hint = 'stop another tcpcopy, or wait until the lease of one that has ended runs out';
      this.#failConnect(new TcpcopyError('E_LEASE', message, { where: `-s ${host}:${port}`, hint }));
      return;
    }
    this.#goDown('the intercept has no source ports left');
    clearTimeout(this.#retry);
    this.#retry = setTimeout(() => {
      this.#sendLease({ type: LEASE_REQUEST, blocks: this.#lease.wanted });
    }, LEASE_RETRY_MS);
  }

  #goUp(): void {
    this.#waiter?.resolve();
    this.#waiter = undefined;
    for (const connection of this.#connections) connection.start();
    if (this.#up) return;
    this.#up = true;
    this.#listener.up();
  }

  #goDown(reason: string): void {
    if (!this.#up) return;
    this.#up = false;
    this.#listener.down(reason);
  }

  #failConnect(error: TcpcopyError): void {
    const waiter = this.#waiter;
    this.#waiter = undefined;
    this.#leaseConnection = undefined;
    this.#lease.connectionLost();
    for (const connection of this.#connections) void connection.close();
    this.#connections = this.#makeConnections();
    waiter?.reject(error);
  }

  #makeConnections(): InterceptConnection[] {
    const { heartbeatInterval = HEARTBEAT_INTERVAL, heartbeatTimeout = HEARTBEAT_TIMEOUT, ...rest } = this.#options;
    const options: ConnectionOptions = { ...rest, heartbeatInterval, heartbeatTimeout };
    return Array.from({ length: options.connections }, (_, i) => new InterceptConnection(i, options, this));
  }
}
