/**
 * The one event loop of the copying process. It joins the stages, the first of them in frame-intake.ts:
 *
 *     sources → frame parser → selector → tracker → connection replays → target
 *
 * Theory of operation. A source that has frames, or a response, asks for a *turn*, which comes when all I/O that is
 * ready has been read. It polls a bounded number of batches, runs every frame through the stages, fires timers that are
 * due and flushes the target once. If frames are left the next turn follows after other I/O had its chance. Between turns
 * the loop sleeps until a source, a response or the earliest timer; live, a turn that did something is followed by a rest
 * unless it took that long, and several such turns by themselves, since their frames and responses can be seen without
 * the event loop.
 */
import {
  addTime,
  earliest,
  elapsed,
  instant,
  micros,
  millis,
  NEVER,
  seconds,
  toMillis,
  type Duration,
  type Instant,
} from '../core/time.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { WakeModeration } from '../capture/wake-moderation.ts';
import type { ResponseOrigin } from '../protocol/response-reader.ts';
import type { ConnectionTracker } from '../reassembly/tracker.ts';
import type { Ledger } from '../report/ledger.ts';
import { ConnectionOpenings } from './connection-openings.ts';
import type { ConnectionReplay } from './connection-replay.ts';
import type { EngineParts } from './engine-parts.ts';
import type { FlowSlice } from './flow-slice.ts';
import { FrameIntake } from './frame-intake.ts';
import type { FramePacer } from './frame-pacer.ts';
import type { Governor } from './governor.ts';
import type { Pace } from './hurry.ts';
import type { Observe } from './message-observer.ts';
import type { ByteBudget } from './piece-queue.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ResponseReading } from './response-reading.ts';
import { Rests } from './rests.ts';
import type { Target } from './target.ts';
import type { TimerWheel } from './timer-wheel.ts';

/** How long a response may take when something waits behind it. */
const HELD_PATIENCE = seconds(30);
/** The same while the target answers nobody. */
const SILENT_PATIENCE = seconds(10);
/** How often waiting holes are looked at, while there are turns; and idle connections, where there are none. */
const HOUSEKEEPING = millis(20);
const RARE_HOUSEKEEPING = millis(100);
/** Live, how long responses may wait for a turn when nothing waits for them: longer than the ring's blocks do. */
const RESPONSES_WAIT = millis(8);

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
  undecidedMessages = 0;
  heldReplicas = 0;
  behindReplicas = 0;
  /** Responses are waited for: no rests while they are. */
  hurry = false;
  /** Units sent and answered, and the sums of how long after their capture: microseconds, live only. */
  readonly #pace = { sent: 0, late: 0, answered: 0, age: 0 };
  #intake: FrameIntake | undefined;
  readonly #openings: ConnectionOpenings;
  readonly #parts: EngineParts;
  readonly #moderation = new WakeModeration();
  readonly #rests: Rests;
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
  #lastHousekeeping: Instant = instant(0);
  #turnsRequested = false;
  #inTurn = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
    this.#openings = new ConnectionOpenings(parts, this);
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
    this.#rests = new Rests(parts.governor);
  }

  /** Connections that are not settled yet. */
  get activeConnections(): number {
    return this.#openings.active.size;
  }

  now(): Instant {
    return this.#parts.clock.now();
  }

  gapBucket(): 'kernel-drop' | 'capture-gap' {
    // Asking is a system call, and holes come in crowds.
    if (this.ledger.kernelDropped === 0) this.countKernelDrops();
    return this.ledger.kernelDropped > 0 ? 'kernel-drop' : 'capture-gap';
  }

  patience(held: boolean): Duration {
    const { sessionTimeout } = this.#parts;
    const most = this.governor?.targetIsSilent === true ? SILENT_PATIENCE : HELD_PATIENCE;
    return held && most < sessionTimeout ? most : sessionTimeout;
  }

  released(captured: Instant): void {
    if (!this.#parts.live) return;
    const late = this.#parts.clock.recent() - captured;
    this.#parts.lag.record(late);
    this.#pace.sent++;
    this.#pace.late += late;
  }

  responseBegan(time: Duration): void {
    this.#rests.responseBegan(time);
  }

  responded(by: ResponseOrigin, time: Duration): void {
    (by === 'target' ? this.#parts.targetTimes : this.#parts.onlineTimes)?.record(time);
  }

  answered(captured: Instant): void {
    if (!this.#parts.live) return;
    this.#pace.answered++;
    this.#pace.age += this.#parts.clock.recent() - captured;
  }

  /** It rests for long, since being no burden comes first just now. */
  get spares(): boolean {
    return this.#rests.spares;
  }

  /** What has been sent and answered since it was last asked: several times a second. */
  takePace(): Pace {
    this.#rests.step();
    const { sent, late, answered, age } = this.#pace;
    this.#pace.sent = this.#pace.late = this.#pace.answered = this.#pace.age = 0;
    return { sent, late: micros(late), answered, age: micros(age) };
  }

  /** Takes its frames from these sources, already open, from now on. `slice`: only those that fall into it. */
  run(
    sources: readonly PacketSource[],
    tracker: ConnectionTracker<ConnectionReplay>,
    pacer: FramePacer | undefined,
    slice?: FlowSlice,
  ): void {
    this.#intake = new FrameIntake(this.#parts, this, this.#openings, { sources, tracker, pacer, slice }, HOUSEKEEPING);
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
    } else if (this.#responsesDue === NEVER && this.#immediate === undefined) {
      this.#responsesDue = addTime(this.now(), RESPONSES_WAIT);
      this.#sleepUntil(this.#responsesDue);
    }
  }

  /** One round of the loop, or several with rests between them. */
  turn(): void {
    if (!this.#running || this.#inTurn) return;
    this.#moderation.enter();
    let entered = true;
    while (this.#takeTurn()) {
      // Also before the event loop has its turn, which would take longer to read them.
      const seen = this.#maySee() && this.#look(entered);
      // What one link has brought must not wait for what only the event loop can tell of another.
      if (!this.#moderation.mayStay || (!seen && this.#turnsRequested)) {
        // After a rest there usually is something to do: a turn costs less than what would wake us up for it.
        this.#immediate ??= setImmediate(this.#turnSoon);
        break;
      }
      if (!seen) break;
      entered = false;
    }
    if (this.#immediate === undefined) this.#sleep();
  }

  /** Whether everything that the next turn could be about can be seen from here. */
  #maySee(): boolean {
    const { pipeline, target } = this.#parts;
    // The governor's steps must not wait behind long rests.
    return !this.#rests.spares && target.ready && !pipeline.mayWait && this.#intake?.polled === true;
  }

  /** Looks for responses; returns whether that could be done. `entered`: for the first time since the event loop called. */
  #look(entered: boolean): boolean {
    // What is found belongs to the turn that follows.
    this.#inTurn = true;
    const seen = this.#parts.lookForResponses?.(entered) === true;
    this.#inTurn = false;
    return seen;
  }

  /** Returns whether the next one may follow without the event loop. */
  #takeTurn(): boolean {
    this.#moderation.begin();
    const framesBefore = this.ledger.framesSeen;
    this.#inTurn = true;
    this.#turnsRequested = false;
    this.#responsesDue = NEVER;
    this.#parts.clock.freeze();
    const responses = this.#parts.responses();
    const more = this.#intake!.poll();
    const now = this.#parts.clock.freeze();
    const every = this.#intake!.hasHoles ? HOUSEKEEPING : RARE_HOUSEKEEPING;
    if (now - this.#lastHousekeeping >= every) this.#housekeeping(now);
    this.wheel.advance(now);
    this.target.flush();
    this.#inTurn = false;
    this.#parts.clock.thaw();
    if (more || this.#turnsRequested || this.#parts.answeredAtOnce()) {
      this.#immediate ??= setImmediate(this.#turnSoon);
      return false;
    }
    if (!this.#parts.live) return false;
    // What is held goes out when the target has answered.
    const held = this.heldReplicas > 0;
    if (this.hurry && held && !this.#rests.spares) return false;
    const events = responses + this.ledger.framesSeen - framesBefore;
    return this.#moderation.rest(events, this.#rests.longest(held), this.#rests.batch);
  }

  /** The input is over: closes what the capture left open. Replicas go on until they are done. */
  finishInput(): void {
    this.#intake?.finish();
    this.target.flush();
    this.#immediate ??= setImmediate(this.#turnSoon);
  }

  /** Brings the ledger's count of what the kernel has dropped up to date. */
  countKernelDrops(): void {
    this.#intake?.countKernelDrops();
  }

  /** Gives up whatever is not settled. */
  giveUp(): void {
    for (const replay of [...this.#openings.active.members]) replay.stop('shutdown');
    this.target.flush();
  }

  stop(): void {
    this.#running = false;
    clearTimeout(this.#timer);
    clearImmediate(this.#immediate);
  }

  #housekeeping(now: Instant): void {
    this.#lastHousekeeping = now;
    if (this.#parts.live) this.#intake?.advance(now);
  }

  #sleep(): void {
    if (this.#running) this.#sleepUntil(this.#dueAt());
  }

  /** When there is something to do although nothing happens outside. */
  #dueAt(): Instant {
    return earliest(earliest(this.wheel.nextWake(), this.#responsesDue), this.#intake?.frameDue ?? NEVER);
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
