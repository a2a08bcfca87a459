/**
 * What is to be told of connections: those with something to tell stand in a queue, and each is asked for one event after
 * the other. Nothing else is queued: what its half-streams have become is turned into an event when it is asked for.
 *
 * Those that have told everything and wait at a hole, or were reset, are watched until time has passed.
 */
import { LinkedList } from '../core/linked-list.ts';
import { Roster } from '../core/roster.ts';
import { elapsed, instant, type Instant } from '../core/time.ts';
import { OVER, QUEUED, RESET_SEEN, TO_ANNOUNCE, TO_CLOSE } from './connection-state.ts';
import { CLIENT_TO_SERVER, type Connection, type ConnectionEnd, type Half } from './connection.ts';
import {
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_NONE,
  EVENT_OPENED,
  EVENT_RESET,
  type Chunk,
  type Gap,
  type TrackerEvent,
} from './delivery.ts';
import type { DirectBytes } from './direct-bytes.ts';
import { SKIP_ALL, SKIP_ONE } from './half-stream.ts';
import type { OpenConnections } from './open-connections.ts';
import type { StreamContext } from './stream-context.ts';
import { StreamOutlet } from './stream-outlet.ts';
import { COUNT_TOTAL_CAP, type TrackerOptions } from './tracker-options.ts';

export class ConnectionEvents<User> {
  /** What the last event is about. */
  told: Connection<User> | undefined = undefined;
  half: Half = CLIENT_TO_SERVER;
  readonly #options: TrackerOptions;
  readonly #context: StreamContext;
  readonly #open: OpenConnections<User>;
  readonly #direct: DirectBytes;
  readonly #chunk: Chunk;
  readonly #outlet: StreamOutlet;
  /** Whose the direct bytes are, while they are still to be handed out. */
  #directOwner: Connection<User> | undefined = undefined;
  /** Those from `#queueHead` on. It keeps its room: setting an array's length is a call of V8's runtime. */
  readonly #queue: (Connection<User> | undefined)[] = [];
  #queueHead = 0;
  #queueEnd = 0;
  /** Connections with a hole, the longest waiting first, about. */
  readonly #waiting = new LinkedList<Connection<User>>();
  /** Connections that were reset and are given time for what was on its way. */
  readonly #reset = new Roster<Connection<User>>();
  #nextCheck: Instant = instant(0.5);

  constructor(
    options: TrackerOptions,
    context: StreamContext,
    open: OpenConnections<User>,
    direct: DirectBytes,
    chunk: Chunk,
    gap: Gap,
  ) {
    this.#options = options;
    this.#context = context;
    this.#open = open;
    this.#direct = direct;
    this.#chunk = chunk;
    this.#outlet = new StreamOutlet(context, chunk, gap);
    this.#nextCheck = instant(0);
  }

  /** Whether any connection stands in the queue. */
  get pending(): boolean {
    return this.#queueHead < this.#queueEnd;
  }

  /** Whether any waits at a hole, or was reset: `advance` has something to look at. */
  get hasWaiting(): boolean {
    return !this.#waiting.isEmpty || this.#reset.size > 0;
  }

  /** A connection may have something to tell. */
  enqueue(c: Connection<User>): void {
    if (c.state & QUEUED) return;
    c.settle();
    c.state |= QUEUED;
    this.#queue[this.#queueEnd++] = c;
  }

  /** The direct bytes are this connection's, to be told at its turn. */
  giveDirect(c: Connection<User>): void {
    this.#directOwner = c;
  }

  /** A connection was reset, and is over when what was on its way has had its time. */
  resetLater(c: Connection<User>): void {
    this.#reset.add(c);
  }

  /** Marks a connection to be closed when it is asked. */
  close(c: Connection<User>, end: ConnectionEnd): void {
    if (c.end === 'open') c.end = c.state & RESET_SEEN ? 'reset' : end;
    c.state |= TO_CLOSE;
    c.c2s.skip = SKIP_ALL;
    c.s2c.skip = SKIP_ALL;
    this.enqueue(c);
  }

  /** Time has passed: finds holes that stood too long, and connections whose reset was long enough ago. */
  advance(now: Instant): void {
    if (now < this.#nextCheck || !this.hasWaiting) return;
    this.#nextCheck = instant(now + this.#context.ackedGapPatience / 4);
    for (let c = this.#waiting.first; c !== undefined; c = c.listNext) {
      if (c.c2s.overdue(now, c.clientAck)) c.c2s.skip = SKIP_ONE;
      if (c.s2c.overdue(now, c.serverAck)) c.s2c.skip = SKIP_ONE;
      if (c.c2s.skip !== 0 || c.s2c.skip !== 0) this.enqueue(c);
    }
    for (const connection of this.#reset.members) {
      if (elapsed(now, connection.lastSeen) >= this.#options.resetPatience) this.close(connection, 'reset');
    }
  }

  /** The next event, about `told` and, if it is one of a half, `half`; EVENT_NONE when there is no more. */
  next(now: Instant): TrackerEvent {
    for (;;) {
      if (!this.pending) return EVENT_NONE;
      const connection = this.#queue[this.#queueHead]!;
      const event = this.#step(connection, now);
      if (event !== EVENT_NONE) {
        this.told = connection;
        return event;
      }
      connection.state &= ~QUEUED;
      this.#queue[this.#queueHead++] = undefined;
      if (!this.pending) {
        this.#queueHead = this.#queueEnd = 0;
        this.#shedHeld();
      }
    }
  }

  /** The next event of one connection. */
  #step(c: Connection<User>, now: Instant): TrackerEvent {
    if (c.state & TO_ANNOUNCE) {
      c.state &= ~TO_ANNOUNCE;
      return EVENT_OPENED;
    }
    if (this.#directOwner === c) {
      this.#directOwner = undefined;
      this.#direct.fill(this.#chunk);
      this.half = this.#direct.half;
      return EVENT_DATA;
    }
    if (c.state & OVER) return EVENT_NONE;
    for (let half = 0; half < 2; half++) {
      const stream = half === CLIENT_TO_SERVER ? c.c2s : c.s2c;
      const event = this.#outlet.pull(stream);
      if (event !== EVENT_NONE) {
        this.half = half as Half;
        return event;
      }
    }
    if ((c.state & TO_CLOSE) === 0) {
      const closed = c.c2s.ended && (c.s2c.ended || this.#options.oneWay);
      if (!closed) {
        if (waits(c, now)) this.#waiting.add(c);
        else this.#waiting.delete(c);
        return EVENT_NONE;
      }
      c.end = c.state & RESET_SEEN ? 'reset' : 'fin';
    }
    return this.#end(c, now);
  }

  /** Both halves have told everything: gives the last event. */
  #end(c: Connection<User>, now: Instant): TrackerEvent {
    c.state = (c.state & ~TO_CLOSE) | OVER;
    c.c2s.drop();
    c.s2c.drop();
    this.#waiting.delete(c);
    this.#reset.delete(c);
    this.#open.retire(c, now);
    return c.end === 'reset' ? EVENT_RESET : EVENT_CLOSED;
  }

  /** Over the total cap the connection that has waited longest gives up its oldest hole, until the rest fits. */
  #shedHeld(): void {
    if (this.#context.heldBytes <= this.#options.maxHeldTotal) return;
    const connection = this.#waiting.first;
    if (connection === undefined) return;
    this.#context.counters.add(COUNT_TOTAL_CAP);
    for (const stream of [connection.c2s, connection.s2c]) {
      if (stream.waiting) stream.skip = Math.max(stream.skip, SKIP_ONE);
    }
    this.enqueue(connection);
  }
}

/** Whether a connection that has told everything waits at a hole. */
function waits(c: Connection, now: Instant): boolean {
  const client = c.c2s.wait(now, c.clientAck);
  const server = c.s2c.wait(now, c.serverAck);
  return client || server;
}
