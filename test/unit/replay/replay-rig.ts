/** A replay without network and clock: fake target sessions, virtual time, and what the ledger was told. */
import { expect } from 'vitest';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { addTime, instant, millis, seconds, toMillis, type Duration, type Instant } from '../../../src/core/time.ts';
import type { Exchange } from '../../../src/pipeline/contexts.ts';
import type { Piece } from '../../../src/protocol/codec.ts';
import { PendingExchange, type ReadRequest } from '../../../src/replay/exchange.ts';
import type { Governor } from '../../../src/replay/governor.ts';
import { ByteBudget } from '../../../src/replay/piece-queue.ts';
import type { ReplicaOwner } from '../../../src/replay/replica-owner.ts';
import { Replica } from '../../../src/replay/replica.ts';
import type { ReplayContext } from '../../../src/replay/replay-context.ts';
import type { ResponseReading } from '../../../src/replay/response-reading.ts';
import type { OpenFailure, SessionEnd, SessionOwner, Target, TargetSession } from '../../../src/replay/target.ts';
import { TimerWheel } from '../../../src/replay/timer-wheel.ts';
import { Ledger, UNIT_BUCKETS, UNREAD_REASONS, type UnitBucket } from '../../../src/report/ledger.ts';

export const CLIENT: Endpoint = { address: parseIp('192.0.2.1')!, port: 40_000 };
export const TARGET: Endpoint = { address: parseIp('198.51.100.7')!, port: 8080 };

/** Most that a replica queues, bytes. */
export const QUEUE_LIMIT = 16 << 20;

const INFO = { client: CLIENT, server: TARGET, openedBy: 'syn' } as const;

/** What stands for a session to the target; the methods below `TargetSession`'s are the target's side of it. */
export class FakeSession implements TargetSession {
  readonly owner: SessionOwner;
  /** All bytes it took. */
  sent = '';
  /** How many more it takes. */
  room: number;
  acknowledged = 0;
  state: 'open' | 'closing' | 'aborted' | 'ended' = 'open';

  constructor(owner: SessionOwner, room: number) {
    this.owner = owner;
    this.room = room;
  }

  send(bytes: Uint8Array, offset: number, length: number): number {
    expect(this.state, 'nothing is sent into a session that is over').not.toMatch(/aborted|ended/);
    if (this.state !== 'open') return 0;
    const taken = Math.min(length, this.room);
    this.sent += Buffer.from(bytes.subarray(offset, offset + taken)).toString('latin1');
    this.room -= taken;
    return taken;
  }

  close(): void {
    expect(this.state).not.toMatch(/aborted|ended/);
    this.state = 'closing';
  }

  abort(): void {
    expect(this.state).not.toMatch(/aborted|ended/);
    this.state = 'aborted';
  }

  /** Nothing more comes from it. */
  get over(): boolean {
    return this.state === 'aborted' || this.state === 'ended';
  }

  ack(count = this.sent.length - this.acknowledged): void {
    this.acknowledged += count;
    this.owner.sessionProgressed();
  }

  respond(length: number, push = true): void {
    this.owner.sessionReceived(undefined, 0, length, push);
  }

  /** Responds with bytes, which are the owner's only during the call. */
  say(text: string): void {
    const bytes = Buffer.from(`<${text}>`, 'latin1');
    this.owner.sessionReceived(bytes, 1, text.length, true);
    bytes.fill(0x21);
  }

  /** Acknowledges all and responds. */
  answer(length = 1): void {
    this.ack();
    if (!this.over) this.respond(length);
  }

  makeRoom(count: number): void {
    this.room += count;
    this.owner.sessionProgressed();
  }

  fin(): void {
    this.owner.sessionPeerClosed();
  }

  end(end: SessionEnd): void {
    expect(this.over, 'a session ends once').toBe(false);
    this.state = 'ended';
    this.owner.sessionEnded(end);
  }
}

export class FakeTarget implements Target {
  readonly sessions: FakeSession[] = [];
  readonly opened: { readonly client: Endpoint; readonly target: Endpoint; readonly replica: number }[] = [];
  ready = true;
  bufferedBytes = 0;
  readonly shutOut = 0;
  readonly packets = 0;
  readonly unsent = 0;
  heard = 0;
  /** Why no session can be opened, while set. */
  failure: OpenFailure | undefined;
  /** Of sessions opened from now on. */
  room = Infinity;

  get openSessions(): number {
    return this.sessions.filter((session) => !session.over).length;
  }

  get last(): FakeSession {
    return this.sessions[this.sessions.length - 1]!;
  }

  open(owner: SessionOwner, client: Endpoint, target: Endpoint, replica: number): TargetSession | OpenFailure {
    if (this.failure !== undefined) return this.failure;
    this.opened.push({ client, target, replica });
    const session = new FakeSession(owner, this.room);
    this.sessions.push(session);
    return session;
  }

  flush(): void {}
  abortAll(): void {}
  async close(): Promise<void> {}
}

export interface RigOptions {
  readonly waitsForResponse?: boolean;
  readonly expectsResponses?: boolean;
  readonly repeatable?: boolean;
  readonly budget?: number;
  readonly patience?: Duration;
  readonly heldPatience?: Duration;
  /** The protocol that is recognised: `lines` (see line-reader), or another that `reading` knows. */
  readonly protocol?: string;
  readonly reading?: ResponseReading | undefined;
  readonly governor?: Governor;
}

export class Rig implements ReplayContext {
  readonly ledger = new Ledger();
  readonly target = new FakeTarget();
  readonly budget: ByteBudget;
  readonly waitsForResponse: boolean;
  readonly expectsResponses: boolean;
  readonly repeatable: boolean;
  readonly wheel: TimerWheel;
  readonly reading: ResponseReading | undefined;
  readonly governor: Governor | undefined;
  busyReplicas = 0;
  crowdedReplicas = 0;
  undecidedMessages = 0;
  heldReplicas = 0;
  behindReplicas = 0;
  gap: 'kernel-drop' | 'capture-gap' = 'capture-gap';
  readonly releasedAt: Instant[] = [];
  /** Of responses that have begun, milliseconds. */
  readonly responseTimes: number[] = [];
  readonly #options: RigOptions;
  #now: Instant = instant(1_000_000);

  constructor(options: RigOptions = {}) {
    this.#options = options;
    this.budget = new ByteBudget(options.budget ?? 64 << 20);
    this.waitsForResponse = options.waitsForResponse ?? true;
    this.expectsResponses = options.expectsResponses ?? true;
    this.repeatable = options.repeatable ?? false;
    this.wheel = new TimerWheel(this.#now);
    this.reading = options.reading;
    this.governor = options.governor;
  }

  get session(): FakeSession {
    return this.target.last;
  }

  patience(held: boolean): Duration {
    return held ? (this.#options.heldPatience ?? seconds(30)) : (this.#options.patience ?? seconds(600));
  }

  now(): Instant {
    return this.#now;
  }

  wake(): void {
    // The tests look at once.
  }

  gapBucket(): 'kernel-drop' | 'capture-gap' {
    return this.gap;
  }

  released(captured: Instant): void {
    this.releasedAt.push(captured);
  }

  responded(): void {
    // Of no interest here.
  }

  responseBegan(time: Duration): void {
    this.responseTimes.push(toMillis(time));
  }

  answered(): void {
    // Counted by the ledger.
  }

  /** Lets time pass, firing timers on their way. */
  pass(ms: number): void {
    const until = addTime(this.#now, millis(ms));
    for (;;) {
      const wake = this.wheel.nextWake();
      if (wake > until) break;
      if (wake > this.#now) this.#now = wake;
      this.wheel.advance(this.#now);
    }
    this.#now = until;
    this.wheel.advance(until);
  }

  /** Settled units of all connections by bucket, in the order of the ledger. */
  get buckets(): Partial<Record<UnitBucket, number>> {
    return this.ledger.units.toJSON();
  }

  get unitsSettled(): number {
    return UNIT_BUCKETS.reduce((n, bucket) => n + this.ledger.units.get(bucket), 0);
  }

  /** What must hold when nothing is in flight any more. */
  expectIdle(): void {
    expect({
      busy: this.busyReplicas,
      crowded: this.crowdedReplicas,
      undecided: this.undecidedMessages,
      held: this.heldReplicas,
      behind: this.behindReplicas,
      budget: this.budget.used,
      timers: this.wheel.size,
      unsettled: this.ledger.unitsOpened - this.unitsSettled,
    }).toEqual({ busy: 0, crowded: 0, undecided: 0, held: 0, behind: 0, budget: 0, timers: 0, unsettled: 0 });
  }
}

export interface PieceSpec {
  /** False: the piece continues a message. */
  readonly first?: boolean;
  readonly last?: boolean;
  readonly answers?: number;
  readonly sameSession?: boolean;
}

export function piece(text: string, spec: PieceSpec = {}): Piece {
  const bytes = Buffer.from(`<${text}>`, 'latin1');
  const first = spec.first ?? true;
  return {
    bytes,
    offset: 1,
    length: text.length,
    time: instant(0),
    first,
    last: spec.last ?? false,
    answers: first ? (spec.answers ?? 0) : 0,
    sameSession: spec.sameSession ?? false,
  };
}

/** A rig with one replica, and what its owner was told. */
export class ReplicaRig extends Rig {
  /** Messages of the target's, as they were read. */
  readonly read: unknown[] = [];
  /** What the owner was shown of the exchange of each request, in the order they were settled. */
  readonly exchanges: Exchange[] = [];
  /** Why something could not be replayed. */
  readonly refusals: string[] = [];
  readonly replica: Replica;
  /** Buckets in the order of settling. */
  readonly settled: UnitBucket[] = [];
  done = 0;

  constructor(options: RigOptions = {}, index = 0) {
    super(options);
    const owner: ReplicaOwner = {
      client: CLIENT,
      target: TARGET,
      protocol: options.protocol ?? 'lines',
      reader: (protocol) => protocol.responses?.(INFO, 'target'),
      dialogue: (protocol, copy) => protocol.dialogue?.(INFO, copy),
      notReplayable: (reason, all) => void this.refusals.push(all ? `all: ${reason}` : reason),
      responseRead: (message) => void this.read.push(message),
      unread: (why) => this.ledger.sessionsUnread.add(UNREAD_REASONS.indexOf(why)),
      unitSettled: (bucket) => {
        this.settled.push(bucket);
        this.ledger.settleUnit(bucket);
      },
      replicaDone: () => this.done++,
    };
    this.replica = new Replica(this, owner, index);
  }

  /** Client data: a message of one piece, unless said otherwise. */
  push(text: string, spec: PieceSpec = {}): void {
    const p = piece(text, spec);
    this.replica.push(p, undefined, this.#request(p, text));
    // The bytes are the replica's only during the call.
    p.bytes.fill(0x21);
  }

  /** What connection-replay makes of a message whose response is read: the text stands for the message. */
  #request({ first }: Piece, text: string): ReadRequest | undefined {
    if (!first || this.reading === undefined) return undefined;
    return { message: text, exchange: new PendingExchange(text, false, (exchange) => this.exchanges.push(exchange)) };
  }

  more(text: string, spec: PieceSpec = {}): void {
    this.push(text, { ...spec, first: false });
  }

  /** The replica is over, and has left nothing behind. */
  expectDone(...settled: UnitBucket[]): void {
    expect(this.settled).toEqual(settled);
    expect(this.done).toBe(1);
    this.expectIdle();
  }
}
