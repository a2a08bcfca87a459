/**
 * The way of frames through the first stages:
 *
 *     sources → frame parser → selector → tracker → connection replays
 *
 * A recording is read only while there is room: when too much is outstanding nothing is polled, and it goes on when the
 * target has caught up. Live capture is never held back; the kernel's ring is the buffer, and it counts what it drops.
 */
import type { PacketSource } from '../capture/packet-source.ts';
import { DROP_IP_FRAGMENT_EXPIRED, DROP_IP_FRAGMENT_HELD, DROP_NONE } from '../core/drop-reason.ts';
import type { FrameBatch } from '../core/frame-batch.ts';
import { addTime, earliest, instant, NEVER, type Duration, type Instant } from '../core/time.ts';
import { CLIENT_TO_SERVER } from '../reassembly/connection.ts';
import {
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_GAP,
  EVENT_HALF_CLOSED,
  EVENT_NONE,
  EVENT_OPENED,
  EVENT_REJECTED,
  EVENT_RESET,
  type TrackerEvent,
} from '../reassembly/delivery.ts';
import { AHEAD, type ConnectionTracker } from '../reassembly/tracker.ts';
import { glanceAtFrame } from '../wire/frame-glance.ts';
import { Segment } from '../wire/segment.ts';
import type { ConnectionOpenings } from './connection-openings.ts';
import type { ConnectionReplay } from './connection-replay.ts';
import type { EngineParts } from './engine-parts.ts';
import type { FlowSlice } from './flow-slice.ts';
import type { FramePacer } from './frame-pacer.ts';
import type { ReplayContext } from './replay-context.ts';

/** Batches of one source in one turn. */
const BATCHES_PER_TURN = 8;
/** What a batch of a live source may bring without being sent at once. */
const FLUSH_FRAMES = 64;
/**
 * A recording is not read on while this much is queued, or this many replicas wait for the target. Those do not count
 * that may wait for the rest of a request: reading on is what they need. There are never more of them than there were
 * connections open online at one moment, since the next that is read of a connection makes it wait for the target.
 */
const OUTSTANDING_BYTES = 16 << 20;
const OUTSTANDING_REPLICAS = 256;
/**
 * Nor while plugins take their time over so many messages: a recording, which comes all at once, would ask more of them than
 * anybody answers in time.
 */
const UNDECIDED_MESSAGES = 64;

/** Where the frames come from, and which connections they make. */
export interface Input {
  /** Already open. */
  readonly sources: readonly PacketSource[];
  readonly tracker: ConnectionTracker<ConnectionReplay>;
  /** When frames of a recording are due; `undefined`: at once. */
  readonly pacer: FramePacer | undefined;
  /** Only those that fall into it; `undefined`: all. */
  readonly slice: FlowSlice | undefined;
}

export class FrameIntake {
  readonly #parts: EngineParts;
  readonly #context: ReplayContext;
  readonly #openings: ConnectionOpenings;
  readonly #sources: readonly PacketSource[];
  readonly #tracker: ConnectionTracker<ConnectionReplay>;
  readonly #pacer: FramePacer | undefined;
  readonly #slice: FlowSlice | undefined;
  readonly #segments = Array.from({ length: AHEAD }, () => new Segment());
  /** Of which frames of the batch these are. */
  readonly #frames = new Int32Array(AHEAD);
  /** How often holes and idle connections are looked at in a recording, in its time; and when next. */
  readonly #checkEvery: Duration;
  #nextRecordedCheck: Instant = instant(0);
  /** A recording's batch that is not done with; and how far the batch is that is being run. */
  #batch: FrameBatch | undefined;
  #batchIndex = 0;
  #frameDue: Instant | undefined;
  /** Up to when all frames have been read; NEVER: no frame waits. */
  #readUntil: Instant = NEVER;

  constructor(
    parts: EngineParts,
    context: ReplayContext,
    openings: ConnectionOpenings,
    input: Input,
    checkEvery: Duration,
  ) {
    this.#parts = parts;
    this.#context = context;
    this.#openings = openings;
    this.#sources = input.sources;
    this.#tracker = input.tracker;
    this.#pacer = input.pacer;
    this.#slice = input.slice;
    this.#checkEvery = checkEvery;
  }

  /** Whether all that can be read can be seen without the event loop. */
  get polled(): boolean {
    return this.#sources.every(isPolled);
  }

  /** Whether holes are waited at: then `advance` is to be called more often than idle connections need it. */
  get hasHoles(): boolean {
    return this.#tracker.hasWaiting;
  }

  /** When the next frame of a recording is due; `undefined`: none waits for that. */
  get frameDue(): Instant | undefined {
    return this.#frameDue;
  }

  /** Runs what the sources have, a bounded number of batches; returns whether they may have more. */
  poll(): boolean {
    let more = false;
    this.#readUntil = NEVER;
    for (const source of this.#sources) if (this.#pollSource(source)) more = true;
    return more;
  }

  /** Looks at holes and idle connections. What frames that wait may still bring is not overdue, however late they are read. */
  advance(now: Instant): void {
    this.#tracker.advance(earliest(now, this.#readUntil));
    this.#drainTracker();
  }

  /** The input is over: closes what the capture left open. */
  finish(): void {
    this.#tracker.finish();
    this.#countLostFragments();
    this.#drainTracker();
    this.countKernelDrops();
  }

  countKernelDrops(): void {
    const dropped = this.#sources.reduce((n, source) => n + (source.stats().kernelDropped ?? 0), 0);
    this.#context.ledger.kernelDropped = dropped;
  }

  /** Runs what a source has; returns whether it may have more. */
  #pollSource(source: PacketSource): boolean {
    let last: Instant = NEVER;
    for (let n = 0; n < BATCHES_PER_TURN; n++) {
      if (!source.live && this.#overloaded()) return false;
      const batch = this.#batch ?? source.poll();
      if (batch === undefined) return false;
      if (batch.count > 0) last = instant(batch.time[batch.count - 1]!);
      if (!this.#runBatch(batch, source)) return false;
      // Live, a batch is what came in a moment: usually several of them are worth one system call.
      if (!source.live || batch.count > FLUSH_FRAMES) this.#parts.target.flush();
    }
    if (source.live) this.#readUntil = earliest(this.#readUntil, last);
    return true;
  }

  /** Runs a batch, or the part of it that is due; false when the rest has to wait. */
  #runBatch(batch: FrameBatch, source: PacketSource): boolean {
    const { live } = source;
    const most = this.#pacer === undefined ? AHEAD : 1;
    if (!live) this.#batch = batch;
    while (this.#batchIndex < batch.count) {
      if (!live && !this.#isDue(batch)) return false;
      const until = Math.min(this.#batchIndex + most, batch.count);
      this.#runFrames(batch, this.#batchIndex, until, source);
      this.#batchIndex = until;
    }
    this.#batch = undefined;
    this.#batchIndex = 0;
    return true;
  }

  /** Whether a recording may go on with its batch: by its pace, or, where it has none, as plugins keep up. */
  #isDue(batch: FrameBatch): boolean {
    if (this.#pacer === undefined) return !this.#undecided();
    const now = this.#context.now();
    this.#frameDue ??= this.#pacer.due(instant(batch.time[this.#batchIndex]!), now);
    if (this.#frameDue > now) return false;
    this.#frameDue = undefined;
    return true;
  }

  /** Runs frames `[from, until)`, AHEAD at most: all are read, so that the tracker knows of them, before the first goes on. */
  #runFrames(batch: FrameBatch, from: number, until: number, source: PacketSource): void {
    const segments = this.#segments;
    const frames = this.#frames;
    let count = 0;
    for (let i = from; i < until; i++) {
      if (!this.#readFrame(batch, i, source, segments[count]!)) continue;
      frames[count] = i;
      count++;
    }
    const tracker = this.#tracker;
    tracker.expect(segments, count);
    let i = from;
    for (let n = 0; n < count; n++) {
      if (!this.#parts.live) this.#passTime(batch, i, frames[n]!);
      i = frames[n]!;
      tracker.handleExpected(segments[n]!, n);
      this.#drainTracker();
    }
    if (!this.#parts.live) this.#passTime(batch, i, until);
  }

  /**
   * A recording's clock is that of its frames, whoever they are for: what becomes of a hole must not depend on how fast they
   * are read, nor on how many processes share them. Frames `[from, until)` have been passed or handled.
   */
  #passTime(batch: FrameBatch, from: number, until: number): void {
    for (let i = from; i < until; i++) {
      const time = batch.time[i]! as Instant;
      this.#tracker.passTime(time);
      if (time < this.#nextRecordedCheck) continue;
      this.#nextRecordedCheck = addTime(time, this.#checkEvery);
      this.advance(time);
    }
  }

  /** Reads a frame; returns whether its segment is for the tracker. */
  #readFrame(batch: FrameBatch, i: number, source: PacketSource, segment: Segment): boolean {
    const { parser, selector, takeFrame } = this.#parts;
    const slice = this.#slice;
    // Most frames of other processes are known as such without being read; what is damaged in them is theirs to count.
    const known = slice !== undefined && glanceAtFrame(batch, i, segment);
    if (known && !slice.owns(segment)) return false;
    let reason = parser.parse(batch, i, segment);
    if (slice !== undefined && !known && !(reason === DROP_NONE ? slice.owns(segment) : slice.ownsRest)) return false;
    this.#context.ledger.framesSeen++;
    if (reason === DROP_NONE) reason = selector.judge(segment);
    if (takeFrame !== undefined) takeFrame(source.name, batch, i, reason, segment);
    if (reason !== DROP_NONE) {
      this.#context.ledger.frames.add(reason);
      return false;
    }
    this.#context.ledger.segments++;
    return takeFrame === undefined;
  }

  #drainTracker(): void {
    const tracker = this.#tracker;
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) this.#handleEvent(tracker, event);
  }

  #handleEvent(tracker: ConnectionTracker<ConnectionReplay>, event: TrackerEvent): void {
    const { connection, half, chunk, gap } = tracker;
    if (connection === undefined) {
      if (event === EVENT_REJECTED) this.#openings.reject();
      return;
    }
    if (event === EVENT_OPENED) {
      this.#openings.open(connection);
      return;
    }
    const replay = connection.user;
    if (replay === undefined) return;
    switch (event) {
      case EVENT_DATA:
        if (half !== CLIENT_TO_SERVER) {
          replay.serverBytes(chunk.bytes, chunk.offset, chunk.length, chunk.time);
          return;
        }
        if (replay.wantsAck && connection.firstClientAck !== undefined) replay.sawFirstAck(connection.firstClientAck);
        replay.data(chunk.bytes, chunk.offset, chunk.length, chunk.time, chunk.peerAck);
        return;
      case EVENT_GAP:
        if (half === CLIENT_TO_SERVER) replay.gap(gap.length);
        else replay.serverBytes(undefined, 0, gap.length, connection.lastSeen);
        return;
      case EVENT_HALF_CLOSED:
        if (half === CLIENT_TO_SERVER) replay.ended('fin', connection.clientAck);
        else replay.onlineEnded(connection.lastSeen);
        return;
      case EVENT_RESET:
        replay.onlineEnded(connection.lastSeen);
        replay.ended('rst', connection.clientAck);
        connection.user = undefined;
        return;
      case EVENT_CLOSED:
        replay.onlineEnded(connection.lastSeen);
        replay.ended('gone', connection.clientAck);
        connection.user = undefined;
        return;
    }
  }

  /** Fragments that were held for a packet which never came together are lost, not held. */
  #countLostFragments(): void {
    if (this.#slice?.ownsRest === false) return;
    const lost =
      this.#parts.parser.fragments.counters.get('expired') - this.#context.ledger.frames.get('ip-fragment-expired');
    this.#context.ledger.frames.add(DROP_IP_FRAGMENT_HELD, -lost);
    this.#context.ledger.frames.add(DROP_IP_FRAGMENT_EXPIRED, lost);
  }

  #undecided(): boolean {
    return this.#context.undecidedMessages >= UNDECIDED_MESSAGES;
  }

  #overloaded(): boolean {
    const { target, budget } = this.#parts;
    return (
      !target.ready ||
      this.#context.crowdedReplicas > 0 ||
      this.#undecided() ||
      budget.used + target.bufferedBytes > Math.min(OUTSTANDING_BYTES, budget.limit / 2) ||
      this.#context.busyReplicas > OUTSTANDING_REPLICAS
    );
  }
}

const isPolled = ({ polled }: PacketSource): boolean => polled === true;
