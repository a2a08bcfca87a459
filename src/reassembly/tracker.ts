/**
 * The public face of reassembly: segments of any connection in, events about connections and ordered bytes out.
 *
 *     tracker.handle(segment);
 *     while ((event = tracker.poll()) !== EVENT_NONE) switch (event) { case EVENT_DATA: use(tracker.chunk); … }
 *
 * Theory of operation
 *
 * `handle` finds the connection and gives the segment to its half-streams; `poll` then turns their state into events,
 * one at a time, so that nothing is queued but connections. An in-order segment of a connection with nothing out of the
 * ordinary takes a short way: the flow's record is found, compared and brought up to date, and its bytes are in `chunk`.
 *
 * Per connection the events are EVENT_OPENED, then EVENT_DATA, EVENT_GAP and EVENT_HALF_CLOSED of either half, then one
 * of EVENT_CLOSED and EVENT_RESET. Of a closed connection a record stays in the flow table for `closedLinger`, where
 * it swallows stragglers.
 *
 * Ports are reused: a segment of known endpoints may open another connection (see incarnation). The old connection's last
 * events come first, the new one's follow.
 *
 * A segment with a bad checksum is believed in its header only while its sender has shown no good one (then the capture
 * is of a host that leaves checksums to its NIC); its payload is suspect in any case (see half-stream).
 *
 * Time is the capture's: the latest `segment.time` or `advance`. `advance` finds holes that stood too long and
 * connections that went idle; it and `finish` are followed by `poll` like `handle` is.
 */
import { seqAdd, type SeqNum } from '../core/seq-num.ts';
import { elapsed, instant, seconds, type Instant } from '../core/time.ts';
import { CHECKSUM_BAD, CHECKSUM_GOOD, TCP_ACK, TCP_FIN, TCP_RST, TCP_SYN, type Segment } from '../wire/segment.ts';
import { ClosedHalf } from './closed-flow.ts';
import { ConnectionEvents } from './connection-events.ts';
import { OVER, RESET_SEEN, TO_ANNOUNCE } from './connection-state.ts';
import { CLIENT_TO_SERVER, Connection, SERVER_TO_CLIENT, type Half } from './connection.ts';
import { Chunk, EVENT_DATA, EVENT_NONE, EVENT_REJECTED, Gap, type TrackerEvent } from './delivery.ts';
import { DirectBytes } from './direct-bytes.ts';
import {
  ACKED,
  FLAG_BOUNDED,
  FLAG_CLOSED,
  FLAG_FLIPPED,
  FLAG_PLAIN,
  FLAG_SEEN_GOOD,
  FLAGS,
  LAST_SEEN,
  NEXT,
  OFFSET,
  RECORD_DOUBLES,
  RECORD_WORDS,
} from './flow-record.ts';
import { ACTIVE, CLOSED, FlowTable } from './flow-table.ts';
import { continuesRival, isReplacement, isRival } from './incarnation.ts';
import type { HalfStream } from './half-stream.ts';
import { OpenConnections } from './open-connections.ts';
import { OpeningRules } from './opening-rules.ts';
import { BYTES, RESET, RESET_LATER, SegmentFeed } from './segment-feed.ts';
import { StreamContext } from './stream-context.ts';
import {
  COUNT_AFTER_CLOSE,
  COUNT_CONNECTIONS,
  COUNT_DELIVERED,
  COUNT_EVICTED,
  COUNT_IDLE,
  COUNT_OUT_OF_SIGHT,
  COUNT_REJECTED,
  COUNT_SEGMENTS,
  COUNT_WITHOUT_CONNECTION,
  trackerCounters,
  type TrackerOptions,
} from './tracker-options.ts';
import { TwinPaths } from './twin-paths.ts';

export { AHEAD } from './flow-table.ts';

/** A connection without segments for this long may have ended unseen, and its endpoints may be another's now. */
const QUIET = seconds(1);

const FAST_FLAGS_MASK = TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK;

export class ConnectionTracker<User = unknown> {
  readonly counters = trackerCounters();
  half: Half = CLIENT_TO_SERVER;
  readonly chunk = new Chunk();
  readonly gap = new Gap();
  readonly #options: TrackerOptions;
  readonly #oneWay: boolean;
  readonly #table: FlowTable;
  readonly #paths: TwinPaths;
  readonly #context: StreamContext;
  readonly #openings: OpeningRules;
  readonly #segments: SegmentFeed;
  readonly #events: ConnectionEvents<User>;
  readonly #open: OpenConnections<User>;
  /** By entry of the flow table. */
  readonly #connections: readonly (Connection<User> | undefined)[];
  /** Views of a closed flow's record. */
  readonly #closedOwn = new ClosedHalf();
  readonly #closedOther = new ClosedHalf();
  /** What the last event is about: an entry, or a connection. */
  #toldEntry = -1;
  #told: Connection<User> | undefined = undefined;
  #now: Instant = instant(0.5);
  #opened = 0;
  readonly #direct = new DirectBytes();
  /** Whose they are, while they are still to be handed out, if its connection is plain, which then is not looked at. */
  #directEntry = -1;
  #rejected = false;

  constructor(options: TrackerOptions) {
    this.#options = options;
    this.#oneWay = options.oneWay;
    this.#context = new StreamContext(options, this.counters);
    this.#openings = new OpeningRules(options);
    this.#segments = new SegmentFeed(options, this.#context, this.#direct);
    this.#table = new FlowTable({
      maxFlows: options.maxConnections,
      ...(options.hashSeed === undefined ? {} : { seed: options.hashSeed }),
    });
    this.#open = new OpenConnections(this.#table);
    this.#connections = this.#open.byEntry;
    this.#paths = new TwinPaths(this.#table, this.#connections);
    this.#events = new ConnectionEvents(options, this.#context, this.#open, this.#direct, this.chunk, this.gap);
    this.#now = instant(0);
  }

  /** Connections open now. */
  get openConnections(): number {
    return this.#open.count;
  }

  /** What the last event is about; undefined only after EVENT_REJECTED and before the first event. */
  get connection(): Connection<User> | undefined {
    return this.#toldEntry >= 0 ? this.#connections[this.#toldEntry] : this.#told;
  }

  /** Whether some connection waits for what is missing, or for its end: then `advance` is to be called often. */
  get hasWaiting(): boolean {
    return this.#events.hasWaiting;
  }

  /** Memory held for out-of-order segments, in bytes. */
  get heldBytes(): number {
    return this.#context.heldBytes;
  }

  /** Takes one segment; its bytes need to stay only until `poll` has returned EVENT_NONE. */
  handle(segment: Segment): void {
    if (this.#paths.joined) segment.encapsulation = this.#paths.of(segment.encapsulation);
    this.#take(segment, this.#table.find(segment));
  }

  /** Prepares for the first `count` of these segments, AHEAD at most, to be handled in this order. */
  expect(segments: readonly Segment[], count: number): void {
    this.#table.expect(segments, count);
  }

  /** Like `handle`, for the segment that was the `i`th to be expected. */
  handleExpected(segment: Segment, i: number): void {
    // What was looked up may be by a path that has got a stand-in since.
    if (this.#paths.joined) this.handle(segment);
    else this.#take(segment, this.#table.findExpected(segment, i));
  }

  /** A frame of something else was seen then: the capture has come so far. */
  passTime(time: Instant): void {
    if (time > this.#now) this.#now = time;
  }

  /** `known`: where the connection is, as the flow table tells it. */
  #take(segment: Segment, known: number): void {
    this.counters.add(COUNT_SEGMENTS);
    this.passTime(segment.time);
    const found = known < 0 ? this.#paths.find(segment) : known;
    if (found < 0) {
      this.#begin(segment);
      return;
    }
    const entry = found >> 1;
    this.#table.touch(entry, this.#now);
    const { words } = this.#table.records;
    const at = entry * RECORD_WORDS;
    let flags = words[at + FLAGS]!;
    const half = ((found & 1) ^ (flags & FLAG_FLIPPED ? 1 : 0)) as Half;
    if (this.#oneWay && half === SERVER_TO_CLIENT) {
      this.counters.add(COUNT_OUT_OF_SIGHT);
      return;
    }
    if ((flags & (FLAG_PLAIN | (FLAG_PLAIN << 1) | FLAG_CLOSED)) === 0) {
      flags = this.#connections[entry]!.smooth(this.#oneWay);
    }
    if (
      (flags & (FLAG_PLAIN << half)) !== 0 &&
      segment.seq === words[at + NEXT + half] &&
      (segment.flags & FAST_FLAGS_MASK) === TCP_ACK &&
      segment.checksum !== CHECKSUM_BAD &&
      segment.payloadMissing === 0 &&
      ((flags & (FLAG_BOUNDED << half)) === 0 || ((segment.ack - words[at + NEXT + (half ^ 1)]!) | 0) <= 0)
    )
      this.#pass(entry, half, segment);
    else if (flags & FLAG_CLOSED) this.#handleStraggler(entry, half, segment);
    else this.#handleOther(this.#connections[entry]!, half, segment);
  }

  /** The next event; EVENT_NONE when all that `handle`, `advance` or `finish` gave rise to has been told. */
  poll(): TrackerEvent {
    if (this.#directEntry >= 0) {
      this.#toldEntry = this.#directEntry;
      this.#directEntry = -1;
      this.#direct.fill(this.chunk);
      this.half = this.#direct.half;
      return EVENT_DATA;
    }
    return this.#events.pending || this.#rejected ? this.#pollOthers() : EVENT_NONE;
  }

  /** The next event of a connection that is not plain, or of none. */
  #pollOthers(): TrackerEvent {
    const event = this.#events.next(this.#now);
    if (event === EVENT_NONE && !this.#rejected) return EVENT_NONE;
    this.#toldEntry = -1;
    if (event === EVENT_NONE) {
      this.#rejected = false;
      this.#told = undefined;
      return EVENT_REJECTED;
    }
    this.#told = this.#events.told;
    this.half = this.#events.half;
    return event;
  }

  /** Time has passed: finds holes that stood too long, idle connections, and closed ones that can be forgotten. */
  advance(now: Instant): void {
    if (now > this.#now) this.#now = now;
    this.#events.advance(this.#now);
    this.#expire(ACTIVE, this.#options.idleTimeout);
    this.#expire(CLOSED, this.#options.closedLinger);
  }

  /** The input has ended: every connection is closed, with the gaps that remain. */
  finish(): void {
    for (const connection of this.#connections) {
      if (connection !== undefined && (connection.state & OVER) === 0) this.#events.close(connection, 'input-ended');
    }
  }

  /** A plain connection's next segment: what it changes stands in the flow's record. */
  #pass(entry: number, half: Half, segment: Segment): void {
    const { words, doubles } = this.#table.records;
    const at = entry * RECORD_WORDS;
    const d = entry * RECORD_DOUBLES;
    doubles[d + LAST_SEEN] = segment.time;
    if (segment.checksum === CHECKSUM_GOOD) words[at + FLAGS]! |= FLAG_SEEN_GOOD << half;
    const acked = at + ACKED + (half ^ 1);
    if (((segment.ack - words[acked]!) | 0) > 0) words[acked] = segment.ack;
    const length = segment.payloadLength;
    if (length === 0) return;
    const offset = doubles[d + OFFSET + half]!;
    this.#directEntry = entry;
    this.#direct.set(half, offset, segment, segment.payloadOffset, length);
    words[at + NEXT + half] = seqAdd(segment.seq, length);
    doubles[d + OFFSET + half] = offset + length;
    this.counters.add(COUNT_DELIVERED, length);
  }

  /** A segment of a connection that is over. */
  #handleStraggler(entry: number, half: Half, segment: Segment): void {
    const { records } = this.#table;
    const own = this.#closedOwn.load(records, entry, half);
    const other = this.#closedOther.load(records, entry, half ^ 1);
    if (this.#openings.mayReplace(segment) && isReplacement(true, true, own, other, segment)) {
      this.#table.remove(entry);
      this.#begin(segment);
    } else this.counters.add(COUNT_AFTER_CLOSE);
  }

  /** Every segment of an open connection that is not plainly the next one. */
  #handleOther(c: Connection<User>, half: Half, segment: Segment): void {
    c.settle();
    const own = half === CLIENT_TO_SERVER ? c.c2s : c.s2c;
    const other = half === CLIENT_TO_SERVER ? c.s2c : c.c2s;
    const quiet = elapsed(segment.time, c.lastSeen) > QUIET;
    if (continuesRival(c, own, segment)) {
      this.#replace(c, segment, c.rival);
      return;
    }
    if (this.#openings.mayReplace(segment) && isReplacement((c.state & RESET_SEEN) !== 0, quiet, own, other, segment)) {
      // In a recording each SYN is a connection, also one that nothing came of.
      if (this.#options.startAtOnce && isRival(c, own, segment)) c.rival = seqAdd(segment.seq, 1);
      else this.#replace(c, segment);
      return;
    }
    c.lastSeen = segment.time;
    own.sync();
    other.sync();
    if (segment.flags & TCP_SYN) this.#segments.orient(c, segment);
    this.#feed(c, segment, own, other);
    this.#events.enqueue(c);
  }

  #feed(c: Connection<User>, segment: Segment, own: HalfStream, other: HalfStream): void {
    const outcome = this.#segments.feed(c, segment, own, other);
    if (outcome === BYTES) this.#events.giveDirect(c);
    else if (outcome === RESET) this.#events.close(c, 'reset');
    else if (outcome === RESET_LATER) this.#events.resetLater(c);
  }

  #replace(c: Connection<User>, segment: Segment, start?: SeqNum): void {
    this.#events.close(c, c.state & RESET_SEEN ? 'reset' : 'replaced');
    this.#open.detach(c);
    this.#begin(segment, start);
  }

  /** A segment of endpoints that are not in the table. `start`: where the client's bytes begin, by a SYN before it. */
  #begin(segment: Segment, start?: SeqNum): void {
    const behindSyn = start !== undefined;
    if (!this.#openings.begins(segment, behindSyn)) {
      this.counters.add(COUNT_WITHOUT_CONNECTION);
      return;
    }
    const clientIsSource = this.#openings.clientIsSource(segment, behindSyn);
    if (this.#oneWay && !clientIsSource) {
      this.counters.add(COUNT_OUT_OF_SIGHT);
      return;
    }
    const entry = this.#room(segment);
    if (entry < 0) {
      this.counters.add(COUNT_REJECTED);
      this.#rejected = true;
      return;
    }
    this.#openings.hasBegun(segment);
    this.#paths.note(segment.encapsulation);
    const c = new Connection<User>(this.#opened++, segment, this.#table, entry, clientIsSource, this.#context);
    this.#open.add(c);
    this.counters.add(COUNT_CONNECTIONS);
    if (segment.flags & TCP_SYN || behindSyn) c.openedBy = 'syn';
    if (behindSyn) c.c2s.takeSyn(seqAdd(start, -1));
    c.state |= TO_ANNOUNCE;
    this.#events.enqueue(c);
    this.#feed(c, segment, clientIsSource ? c.c2s : c.s2c, clientIsSource ? c.s2c : c.c2s);
  }

  /** A place in the flow table, made by forgetting a closed connection or, if so told, closing an idle one. */
  #room(segment: Segment): number {
    let entry = this.#table.insert(segment, this.#now);
    if (entry >= 0) return entry;
    const closed = this.#table.oldest(CLOSED);
    if (closed >= 0) this.#table.remove(closed);
    else {
      const oldest = this.#options.atCapacity === 'evict' ? this.#table.oldest(ACTIVE) : -1;
      if (oldest < 0) return -1;
      const connection = this.#connections[oldest]!;
      this.counters.add(COUNT_EVICTED);
      this.#events.close(connection, 'evicted');
      this.#open.detach(connection);
    }
    entry = this.#table.insert(segment, this.#now);
    return entry;
  }

  #expire(list: typeof ACTIVE | typeof CLOSED, after: number): void {
    for (;;) {
      const entry = this.#table.oldest(list);
      if (entry < 0 || this.#now - this.#table.touchedAt(entry) < after) return;
      if (list === CLOSED) {
        this.#table.remove(entry);
        continue;
      }
      const connection = this.#connections[entry]!;
      this.counters.add(COUNT_IDLE);
      this.#events.close(connection, 'idle');
      this.#open.detach(connection);
    }
  }
}
