/**
 * The one event loop of the copying process: the only place where stages are joined.
 *
 *     sources → frame parser → selector → tracker → connection replays → target
 *
 * Theory of operation. A source that has frames, or a response, asks for a *turn*, which comes when all I/O that is
 * ready has been read. It polls a bounded number of batches, runs every frame through the stages, fires timers that are
 * due and flushes the target once. If frames are left the next turn follows after other I/O had its chance. Between turns
 * the loop sleeps until a source, a response or the earliest timer; live, a turn that did something is followed by a rest,
 * and several such turns by themselves, since their frames and responses can be seen without the event loop.
 *
 * A recording is read only while there is room: when too much is outstanding the loop does not poll, and it goes on when
 * the target has caught up. Live capture is never held back; the kernel's ring is the buffer, and it counts what it
 * drops.
 */
import type { FrameBatch } from '../core/frame-batch.ts';
import { DROP_IP_FRAGMENT_EXPIRED, DROP_IP_FRAGMENT_HELD, DROP_NONE } from '../core/drop-reason.ts';
import {
  addTime,
  earliest,
  elapsed,
  instant,
  millis,
  NEVER,
  seconds,
  toMillis,
  type Duration,
  type Instant,
} from '../core/time.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { WakeModeration } from '../capture/wake-moderation.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { ProtocolDefinition } from '../pipeline/protocol-hooks.ts';
import type { Codec } from '../protocol/codec.ts';
import { DetectingCodec } from '../protocol/detecting-codec.ts';
import type { ResponseOrigin } from '../protocol/response-reader.ts';
import { OpaqueCodec } from '../protocol/opaque-codec.ts';
import { CLIENT_TO_SERVER, type Connection } from '../reassembly/connection.ts';
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
import type { Histogram } from '../report/histogram.ts';
import type { Ledger } from '../report/ledger.ts';
import type { FrameParser } from '../wire/frame-parser.ts';
import { Segment } from '../wire/segment.ts';
import { unixNow, type LoopClock } from './clock.ts';
import { ConnectionReplay } from './connection-replay.ts';
import type { FlowSlice } from './flow-slice.ts';
import type { FramePacer } from './frame-pacer.ts';
import type { Governor } from './governor.ts';
import type { Observe } from './message-observer.ts';
import type { ByteBudget } from './piece-queue.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ResponseReading } from './response-reading.ts';
import type { Selector } from './selector.ts';
import type { TakeFrame } from './recording.ts';
import type { Target } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** Batches of one source in one turn. */
const BATCHES_PER_TURN = 8;
/** What a batch of a live source may bring without being sent at once. */
const FLUSH_FRAMES = 64;
/** How long a response may take when something waits behind it. */
const HELD_PATIENCE = seconds(30);
/** The same while the target answers nobody. */
const SILENT_PATIENCE = seconds(10);
/** Steps of this size fill the range from 0 to 1 evenly, however many there are (Weyl 1916). */
const GOLDEN = 0.618_033_988_749_894_9;
/** How often waiting holes, idle connections and kernel counters are looked at, while there are turns. */
const HOUSEKEEPING = millis(20);
/** Longest rest while captured data waits for the target, milliseconds. */
const REST_WHILE_HELD = 1.5;
/** Live, how long responses may wait for a turn when nothing waits for them: longer than the ring's blocks do. */
const RESPONSES_WAIT = millis(8);
/**
 * A recording is not read on while this much is queued, or this many replicas wait for the target. Those do not count
 * that may wait for the rest of a request: reading on is what they need. There are never more of them than there were
 * connections open online at one moment, since the next that is read of a connection makes it wait for the target.
 */
const OUTSTANDING_BYTES = 16 << 20;
const OUTSTANDING_REPLICAS = 256;

export interface EngineParts {
  readonly clock: LoopClock;
  readonly parser: FrameParser;
  readonly selector: Selector;
  readonly pipeline: Pipeline;
  readonly ledger: Ledger;
  readonly target: Target;
  readonly wheel: TimerWheel;
  readonly budget: ByteBudget;
  readonly lag: Histogram;
  /** Times to whole responses, where they are read. */
  readonly targetTimes?: Histogram | undefined;
  readonly onlineTimes?: Histogram | undefined;
  /** Whether the input is live: then frames are never held back. */
  readonly live: boolean;
  readonly onlyFromSyn: boolean;
  readonly waitsForResponse: boolean;
  /** False in a dry run. */
  readonly expectsResponses: boolean;
  /** What is read of responses; `undefined`: nothing. */
  readonly reading: ResponseReading | undefined;
  /** How long a response may take while the client waits for its own. */
  readonly sessionTimeout: Duration;
  /** Says which connections are left out; `undefined`: none. */
  readonly governor?: Governor | undefined;
  /** Who looks at what the pipeline lets pass. */
  readonly observe?: Observe | undefined;
  /** Who takes the frames themselves: then nothing else is done with them. */
  readonly takeFrame?: TakeFrame | undefined;
  /** Takes responses that have arrived and gives them to the target, in each turn; returns how many. */
  readonly responses: () => number;
  /**
   * Looks for responses without the event loop, so that the next turn need not wait for it; false, or left out, where only
   * the event loop can tell.
   */
  readonly lookForResponses?: () => boolean;
  /** Whether what was flushed has been answered on the spot, as in a dry run: then the next turn follows at once. */
  readonly answeredAtOnce: () => boolean;
}

export class Engine implements ReplayContext {
  readonly ledger: Ledger;
  readonly target: Target;
  readonly wheel: TimerWheel;
  readonly budget: ByteBudget;
  readonly waitsForResponse: boolean;
  readonly expectsResponses: boolean;
  readonly repeatable: boolean;
  readonly reading: ResponseReading | undefined;
  readonly observe: Observe | undefined;
  readonly governor: Governor | undefined;
  busyReplicas = 0;
  crowdedReplicas = 0;
  heldReplicas = 0;
  behindReplicas = 0;
  /** Units sent and answered, and the sums of how long after their capture: microseconds, live only. */
  readonly pace = { sent: 0, late: 0, answered: 0, age: 0 };
  #sources: readonly PacketSource[] = [];
  #tracker: ConnectionTracker<ConnectionReplay> | undefined;
  #pacer: FramePacer | undefined;
  #slice: FlowSlice | undefined;
  readonly #parts: EngineParts;
  readonly #protocols: readonly (Required<Pick<ProtocolDefinition, 'detect' | 'codec'>> & { readonly name: string })[];
  readonly #segments = Array.from({ length: AHEAD }, () => new Segment());
  readonly #moderation = new WakeModeration();
  readonly #active = new Set<ConnectionReplay>();
  readonly #finished = (replay: ConnectionReplay): void => void this.#active.delete(replay);
  readonly #turnSoon = (): void => {
    this.#immediate = undefined;
    this.turn();
  };
  readonly #timePassed = (): void => {
    this.#timer = undefined;
    const due = this.#dueAt();
    if (due <= this.now()) this.wake();
    else this.#sleep();
  };
  #running = false;
  #immediate: NodeJS.Immediate | undefined;
  #timer: NodeJS.Timeout | undefined;
  #timerAt: Instant = NEVER;
  /** Responses that have arrived are to be taken by then. */
  #responsesDue: Instant = NEVER;
  #nextHousekeeping: Instant = instant(0);
  /** Of the last connection. */
  #place = 0;
  /** The same in the time of a recording. */
  #nextRecordedCheck: Instant = instant(0);
  /** A recording's batch being paced out, and how far. */
  #batch: FrameBatch | undefined;
  #batchIndex = 0;
  #frameDue: Instant | undefined;
  #turnsRequested = false;
  #inTurn = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#protocols = [...parts.pipeline.protocols.values()].flatMap(({ name, definition: { detect, codec } }) =>
      detect === undefined || codec === undefined ? [] : [{ name, detect, codec }],
    );
    this.ledger = parts.ledger;
    this.target = parts.target;
    this.wheel = parts.wheel;
    this.budget = parts.budget;
    this.waitsForResponse = parts.waitsForResponse;
    this.expectsResponses = parts.expectsResponses;
    this.repeatable = !parts.live;
    this.reading = parts.reading;
    this.observe = parts.observe;
    this.governor = parts.governor;
  }

  /** Connections that are not settled yet. */
  get activeConnections(): number {
    return this.#active.size;
  }

  now(): Instant {
    return this.#parts.clock.now();
  }

  gapBucket(): 'kernel-drop' | 'capture-gap' {
    return this.ledger.kernelDropped > 0 ? 'kernel-drop' : 'capture-gap';
  }

  patience(held: boolean): Duration {
    const { sessionTimeout } = this.#parts;
    const most = this.governor?.targetIsSilent === true ? SILENT_PATIENCE : HELD_PATIENCE;
    return held && most < sessionTimeout ? most : sessionTimeout;
  }

  released(captured: Instant): void {
    if (!this.#parts.live) return;
    const late = unixNow() - captured;
    this.#parts.lag.record(late);
    this.pace.sent++;
    this.pace.late += late;
  }

  responded(by: ResponseOrigin, time: Duration): void {
    (by === 'target' ? this.#parts.targetTimes : this.#parts.onlineTimes)?.record(time);
  }

  answered(captured: Instant): void {
    if (!this.#parts.live) return;
    this.pace.answered++;
    this.pace.age += unixNow() - captured;
  }

  /** Takes its frames from these sources, already open, from now on. `slice`: only those that fall into it. */
  run(
    sources: readonly PacketSource[],
    tracker: ConnectionTracker<ConnectionReplay>,
    pacer: FramePacer | undefined,
    slice?: FlowSlice,
  ): void {
    this.#sources = sources;
    this.#slice = slice;
    if (slice !== undefined) this.#parts.parser.verifyOnly((segment) => slice.owns(segment));
    this.#tracker = tracker;
    this.#nextRecordedCheck = instant(0);
    this.#pacer = pacer;
    this.#running = true;
    this.turn();
  }

  /** Something outside happened (frames, responses, room to send): a turn follows when all I/O that is ready was read. */
  wake(): void {
    if (this.#inTurn) this.#turnsRequested = true;
    else this.#immediate ??= setImmediate(this.#turnSoon);
  }

  /** Responses have arrived. Where nothing is held for them they wait for the next turn, or a moment. */
  responsesReady(): void {
    if (this.#inTurn || !this.#parts.live || this.heldReplicas > 0) {
      this.wake();
    } else if (this.#responsesDue === NEVER) {
      this.#responsesDue = addTime(this.now(), RESPONSES_WAIT);
      this.#sleepUntil(this.#responsesDue);
    }
  }

  /** One round of the loop, or several with rests between them. */
  turn(): void {
    if (!this.#running || this.#inTurn) return;
    this.#moderation.enter();
    while (this.#takeTurn() && this.#moderation.mayStay && this.#mayStay()) continue;
    if (this.#immediate === undefined) this.#sleep();
  }

  /** Whether everything that the next turn could be about can be seen from here. */
  #mayStay(): boolean {
    const { pipeline, target, lookForResponses } = this.#parts;
    if (!target.ready || pipeline.mayWait || !this.#sources.every(isPolled)) return false;
    // What is found belongs to the turn that follows.
    this.#inTurn = true;
    const seen = lookForResponses?.() === true;
    this.#inTurn = false;
    return seen;
  }

  /** Returns whether it was followed by a rest. */
  #takeTurn(): boolean {
    this.#moderation.begin();
    const framesBefore = this.ledger.framesSeen;
    this.#inTurn = true;
    this.#turnsRequested = false;
    this.#responsesDue = NEVER;
    this.#parts.clock.freeze();
    const responses = this.#parts.responses();
    let more = false;
    for (const source of this.#sources) if (this.#pollSource(source)) more = true;
    const now = this.#parts.clock.freeze();
    if (now >= this.#nextHousekeeping) this.#housekeeping(now);
    this.wheel.advance(now);
    this.target.flush();
    this.#inTurn = false;
    this.#parts.clock.thaw();
    if (more || this.#turnsRequested || this.#parts.answeredAtOnce()) {
      this.#immediate ??= setImmediate(this.#turnSoon);
      return false;
    }
    if (!this.#parts.live) return false;
    const events = responses + this.ledger.framesSeen - framesBefore;
    // What is held goes out when the target has answered.
    return this.#moderation.rest(events, this.heldReplicas > 0 ? REST_WHILE_HELD : undefined);
  }

  /** The input is over: closes what the capture left open. Replicas go on until they are done. */
  finishInput(): void {
    this.#tracker?.finish();
    this.#countLostFragments();
    this.#drainTracker();
    this.#countKernelDrops();
    this.target.flush();
    this.#immediate ??= setImmediate(this.#turnSoon);
  }

  /** Gives up whatever is not settled. */
  giveUp(): void {
    for (const replay of [...this.#active]) replay.stop('shutdown');
    this.target.flush();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  /** Runs what a source has; returns whether it may have more. */
  #pollSource(source: PacketSource): boolean {
    for (let n = 0; n < BATCHES_PER_TURN; n++) {
      if (!source.live && this.#overloaded()) return false;
      const batch = this.#batch ?? source.poll();
      if (batch === undefined) return false;
      if (!this.#runBatch(batch, source)) return false;
      // Live, a batch is what came in a moment: usually several of them are worth one system call.
      if (!source.live || batch.count > FLUSH_FRAMES) this.target.flush();
    }
    return true;
  }

  /** Runs a batch, or the part of it that is due; false when the rest has to wait. */
  #runBatch(batch: FrameBatch, source: PacketSource): boolean {
    const pacer = this.#pacer;
    if (source.live || pacer === undefined) {
      for (let i = 0; i < batch.count; i += AHEAD) this.#runFrames(batch, i, Math.min(i + AHEAD, batch.count), source);
      return true;
    }
    this.#batch = batch;
    for (; this.#batchIndex < batch.count; this.#batchIndex++) {
      this.#frameDue ??= pacer.due(instant(batch.time[this.#batchIndex]!), this.now());
      if (this.#frameDue > this.now()) return false;
      this.#runFrames(batch, this.#batchIndex, this.#batchIndex + 1, source);
      this.#frameDue = undefined;
    }
    this.#batch = undefined;
    this.#batchIndex = 0;
    return true;
  }

  /** Runs frames `[from, until)`, AHEAD at most: all are read, so that the tracker knows of them, before the first goes on. */
  #runFrames(batch: FrameBatch, from: number, until: number, source: PacketSource): void {
    const segments = this.#segments;
    let count = 0;
    for (let i = from; i < until; i++) if (this.#readFrame(batch, i, source, segments[count]!)) count++;
    const tracker = this.#tracker!;
    tracker.expect(segments, count);
    for (let n = 0; n < count; n++) {
      const segment = segments[n]!;
      tracker.handleExpected(segment, n);
      this.#drainTracker();
      if (!this.#parts.live && segment.time >= this.#nextRecordedCheck) this.#checkRecorded(segment.time);
    }
  }

  /** Reads a frame; returns whether its segment is for the tracker. */
  #readFrame(batch: FrameBatch, i: number, source: PacketSource, segment: Segment): boolean {
    const { parser, selector, takeFrame } = this.#parts;
    const slice = this.#slice;
    let reason = parser.parse(batch, i, segment);
    if (slice !== undefined && !(reason === DROP_NONE ? slice.owns(segment) : slice.ownsRest)) return false;
    this.ledger.framesSeen++;
    if (reason === DROP_NONE) reason = selector.judge(segment);
    if (takeFrame !== undefined) takeFrame(source.name, batch, i, reason, segment);
    if (reason !== DROP_NONE) {
      this.ledger.frames.add(reason);
      return false;
    }
    this.ledger.segments++;
    return takeFrame === undefined;
  }

  /** A recording's clock is that of its frames: what becomes of a hole must not depend on how fast they are read. */
  #checkRecorded(time: Instant): void {
    this.#nextRecordedCheck = addTime(time, HOUSEKEEPING);
    this.#tracker!.advance(time);
    this.#drainTracker();
  }

  #drainTracker(): void {
    const tracker = this.#tracker!;
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) this.#handleEvent(tracker, event);
  }

  #handleEvent(tracker: ConnectionTracker<ConnectionReplay>, event: TrackerEvent): void {
    const { connection, half, chunk, gap } = tracker;
    if (connection === undefined) {
      if (event === EVENT_REJECTED) this.#countRejected();
      return;
    }
    if (event === EVENT_OPENED) {
      this.#open(connection);
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

  #open(connection: Connection<ConnectionReplay>): void {
    const { selector, pipeline, onlyFromSyn } = this.#parts;
    const { client, server, openedBy } = connection;
    const target = selector.targetOf(server);
    if (target === undefined) return;
    const info = { client, server, openedBy };
    const plan = pipeline.admit(info);
    const tooLate = onlyFromSyn && openedBy === 'midstream' ? 'not-picked-up' : undefined;
    const excluded = plan?.dropped?.cause ?? tooLate;
    if (excluded === undefined) this.#place = (this.#place + GOLDEN) % 1;
    const replay = new ConnectionReplay(
      this,
      pipeline,
      info,
      target,
      this.#codecFor(info),
      { copies: plan?.copyCount ?? 1, excluded, dropped: plan?.dropped, place: this.#place },
      this.#finished,
    );
    connection.user = replay;
    this.#active.add(replay);
  }

  #codecFor(info: ConnectionInfo): Codec {
    const fromSyn = info.openedBy === 'syn';
    if (this.#protocols.length === 0) return new OpaqueCodec(fromSyn);
    const candidates = this.#protocols.map(({ name, detect, codec }) => ({
      detect: (bytes: Uint8Array, offset: number, length: number) =>
        this.#attributed(name, () => detect(bytes, offset, length, info)),
      codec: (fromBoundary: boolean) => this.#attributed(name, () => codec(info, fromBoundary)),
    }));
    return new DetectingCodec(candidates, fromSyn);
  }

  /** Names whose plugin it is that throws before the connection is known to speak its protocol. */
  #attributed<T>(protocol: string, call: () => T): T {
    try {
      return call();
    } catch (error) {
      this.#parts.pipeline.protocolFailed(protocol, error, 'requests');
      throw error;
    }
  }

  /** A connection for which the flow table had no room: one entry, so that the ledger knows of it. */
  #countRejected(): void {
    this.ledger.connectionsOpened++;
    this.ledger.settleConnection('memory-cap');
  }

  #housekeeping(now: Instant): void {
    this.#nextHousekeeping = addTime(now, HOUSEKEEPING);
    if (this.#parts.live) {
      this.#tracker?.advance(unixNow());
      this.#drainTracker();
    }
    this.#countKernelDrops();
  }

  /** Fragments that were held for a packet which never came together are lost, not held. */
  #countLostFragments(): void {
    if (this.#slice?.ownsRest === false) return;
    const lost = this.#parts.parser.fragments.counters.get('expired') - this.ledger.frames.get('ip-fragment-expired');
    this.ledger.frames.add(DROP_IP_FRAGMENT_HELD, -lost);
    this.ledger.frames.add(DROP_IP_FRAGMENT_EXPIRED, lost);
  }

  #countKernelDrops(): void {
    this.ledger.kernelDropped = this.#sources.reduce((n, source) => n + (source.stats().kernelDropped ?? 0), 0);
  }

  #overloaded(): boolean {
    const { target, budget } = this.#parts;
    return (
      !target.ready ||
      this.crowdedReplicas > 0 ||
      budget.used + target.bufferedBytes > Math.min(OUTSTANDING_BYTES, budget.limit / 2) ||
      this.busyReplicas > OUTSTANDING_REPLICAS
    );
  }

  #sleep(): void {
    if (this.#running) this.#sleepUntil(this.#dueAt());
  }

  /** When there is something to do although nothing happens outside. */
  #dueAt(): Instant {
    return earliest(earliest(this.wheel.nextWake(), this.#responsesDue), this.#frameDue ?? NEVER);
  }

  #sleepUntil(until: Instant): void {
    // One that is too early costs a wake-up for nothing; replacing it after every turn would cost more.
    if (this.#timer !== undefined && this.#timerAt <= until) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#timerAt = until;
    if (until === NEVER) return;
    const wait = Math.max(1, Math.ceil(toMillis(elapsed(until, this.now()))));
    this.#timer = setTimeout(this.#timePassed, wait);
  }
}

const isPolled = ({ polled }: PacketSource): boolean => polled === true;
