/**
 * What is made of one captured connection: its codec, the pipeline's verdicts, its replicas, and its line in the
 * ledger.
 */
import type { Endpoint } from '../core/ip-address.ts';
import type { Rostered } from '../core/roster.ts';
import { seqDiff, type SeqNum } from '../core/seq-num.ts';
import { instant, micros, type Duration, type Instant } from '../core/time.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Plan } from '../pipeline/contexts.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { CopyRule } from '../pipeline/verdicts.ts';
import type { Detachable } from '../pipeline/protocol-hooks.ts';
import type { ClientBytes, Codec, Piece } from '../protocol/codec.ts';
import type { Dialogue } from '../protocol/dialogue.ts';
import { OpaqueCodec } from '../protocol/opaque-codec.ts';
import type { ResponseReader } from '../protocol/response-reader.ts';
import { UNREAD_REASONS, type ConnectionBucket, type UnitBucket, type UnreadReason } from '../report/ledger.ts';
import { ConnectionAccount } from './connection-account.ts';
import { ContainedCodec } from './contained-codec.ts';
import { PendingExchange, type ReadRequest } from './exchange.ts';
import type { DroppedBy } from './message-observer.ts';
import { ObservedMessages } from './observed-messages.ts';
import { OnlineReport } from './online-report.ts';
import { OnlineResponses } from './online-responses.ts';
import type { Overflow } from './piece-queue.ts';
import { PluginBacklog, type CapturedEvents } from './plugin-backlog.ts';
import type { ClientEnd, ReplicaOwner } from './replica-owner.ts';
import { Replica } from './replica.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ReadProtocol } from './response-reading.ts';

/** Why nothing, or nothing more, of a connection is copied. */
export type Excluded = Extract<
  UnitBucket & ConnectionBucket,
  'sampled-out' | 'filtered' | 'plugin-error' | 'not-picked-up'
>;

/** What is to become of a connection. */
export interface ConnectionPlan {
  readonly copies: number;
  readonly excluded: Excluded | undefined;
  /** The plugin that said so, and why; `undefined`: an option. */
  readonly dropped?: DroppedBy | undefined;
  /** Where it stands among those that the governor leaves out, 0 to 1: the highest first. Default 0. */
  readonly place?: number;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** What a codec is given: one for all, since nobody's pieces wait for anything. */
const INPUT: Mutable<ClientBytes> = {
  bytes: new Uint8Array(0),
  offset: 0,
  length: 0,
  time: instant(0),
  serverBytesSeen: 0,
};
const PLACES = 2 ** 30;
const UNREADABLE = 'not strictly of its protocol';

export class ConnectionReplay implements CapturedEvents, ReplicaOwner, Rostered {
  rosterIndex = -1;
  readonly target: Endpoint;
  readonly #context: ReplayContext;
  readonly #pipeline: Pipeline;
  readonly #info: ConnectionInfo;
  readonly #codec: Codec;
  /** The same, where it is a plugin's. */
  readonly #contained: ContainedCodec | undefined;
  readonly #replicas: Replica[];
  /** Where anybody looks at it. */
  readonly #observed: ObservedMessages | undefined;
  /** Reads what the online server answers, where anybody asks. */
  readonly #online: OnlineResponses | undefined;
  readonly #onDone: (connection: ConnectionReplay) => void;
  readonly #account: ConnectionAccount;
  /** In PLACES-ths, so that it is a small integer. */
  readonly #place: number;
  /** The governor has left messages out that whatever follows would depend on. */
  #shedForGood = false;
  /** Nothing of this connection is copied, for this reason. */
  #excluded: Excluded | undefined;
  /** The plugin that said so, and why; `undefined`: an option. */
  #droppedBy: DroppedBy | undefined;
  /** The rest of the message under way has been replaced. */
  #replaced = false;
  /** Set while a plugin takes its time over a message: everything after it waits. */
  #backlog: PluginBacklog | undefined;
  /** The client's ACK as of the last data: what it sends later answers what lies beyond. */
  #ackSeen: SeqNum | undefined;
  /** Bytes of the server's that the client had seen by then in the middle of a message, behind which none has begun. */
  #seenWithin = 0;
  #replicasLeft: number;
  #skipped = 0;
  /** Where what the last gap costs is counted; `undefined`: there was none. */
  #gapBucket: UnitBucket | undefined;
  /** Nothing more is sent: what messages there still are is counted here. */
  #givenUp: UnitBucket | undefined;
  #ended = false;
  /** The codec has been told of the end. */
  #flushed = false;
  #done = false;

  constructor(
    context: ReplayContext,
    pipeline: Pipeline,
    info: ConnectionInfo,
    target: Endpoint,
    codec: Codec,
    plan: ConnectionPlan,
    onDone: (connection: ConnectionReplay) => void,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#info = info;
    this.target = target;
    this.#contained =
      codec instanceof OpaqueCodec ? undefined : new ContainedCodec(codec, (error) => this.#codecFailed(error));
    this.#codec = this.#contained ?? codec;
    this.#account = new ConnectionAccount(context, plan.copies);
    this.#place = ((plan.place ?? 0) * PLACES) | 0;
    this.#excluded = plan.excluded;
    this.#droppedBy = plan.dropped;
    this.#onDone = onDone;
    const observer = context.observe?.(info, target);
    this.#observed = observer === undefined ? undefined : new ObservedMessages(observer);
    context.ledger.connectionsOpened++;
    this.#replicasLeft = plan.excluded === undefined ? plan.copies : 0;
    // Not pushed: that makes room for sixteen more. Nor by Array.from, which is ten times as slow.
    const replicas = new Array<Replica>(this.#replicasLeft);
    for (let i = 0; i < replicas.length; i++) replicas[i] = new Replica(context, this, i);
    this.#replicas = replicas;
    const { reading } = context;
    if (reading?.online === true && plan.excluded === undefined) {
      const report = new OnlineReport(context, pipeline, info, this.#codec, replicas);
      this.#online = new OnlineResponses(reading, report, info.openedBy === 'syn');
    }
    const opensNow = info.openedBy === 'syn' && context.governor?.takes(this.#place / PLACES) !== false;
    if (opensNow) for (const replica of this.#replicas) replica.openEarly();
  }

  get client(): Endpoint {
    return this.#info.client;
  }

  /** The first ACK seen from the client: what it acknowledges came before anything the client sends from now on. */
  sawFirstAck(ack: SeqNum): void {
    this.#ackSeen ??= ack;
  }

  /**
   * Whether `sawFirstAck` is wanted: at the start only. What follows a gap may be the rest of a message whose beginning
   * is lost, so only a turn after that counts.
   */
  get wantsAck(): boolean {
    return this.#ackSeen === undefined && this.#gapBucket === undefined;
  }

  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void {
    if (this.#backlog !== undefined) return this.#backlog.data(bytes, offset, length, time, ack);
    this.#context.ledger.bytesCaptured += length;
    const seen = this.#ackSeen === undefined ? 0 : seqDiff(ack, this.#ackSeen);
    if (seen > 0 || this.#ackSeen === undefined) this.#ackSeen = ack;
    if (seen > 0) this.#seenWithin += seen;
    this.#decode(bytes, offset, length, time, Math.max(0, seen));
  }

  gap(length: number, overflow?: Overflow): void {
    if (this.#backlog !== undefined) return this.#backlog.gap(length);
    if (overflow === undefined) this.#context.ledger.bytesMissing += length;
    else this.#context.ledger.bytesCaptured += length;
    const bucket = overflow ?? this.#context.gapBucket();
    this.#gapBucket = bucket;
    this.#ackSeen = undefined;
    this.#seenWithin = 0;
    this.#online?.lost();
    if (this.#codec.gap(length)) this.#break(bucket);
    for (const replica of this.#replicas) replica.sever(bucket);
    this.#countSkipped();
  }

  serverBytes(bytes: Uint8Array | undefined, offset: number, length: number, time: Instant): void {
    const observer = this.#observed?.observer;
    if (observer?.serverBytes === undefined && this.#online === undefined) return;
    if (this.#backlog !== undefined) return this.#backlog.serverBytes(bytes, offset, length, time);
    observer?.serverBytes?.(bytes, offset, length, time);
    if (bytes === undefined) this.#online?.gap(length, time);
    else this.#online?.received(bytes, offset, length, time);
  }

  onlineEnded(time: Instant): void {
    if (this.#online === undefined) return;
    if (this.#backlog !== undefined) return this.#backlog.onlineEnded(time);
    this.#online.ended(time);
    if (this.#replicasLeft === 0 && this.#ended && this.#givenUp === undefined) this.#settle();
  }

  ended(end: ClientEnd, ack: SeqNum): void {
    if (this.#ended) return;
    if (this.#backlog !== undefined) return this.#backlog.ended(end, ack);
    if (!this.#flushed) {
      this.#flushed = true;
      this.#codec.end?.();
      this.#takePieces();
      // A plugin may take its time over what came out; the end is told after it.
      if (this.#backlog !== undefined) return this.ended(end, ack);
    }
    this.#ended = true;
    const seen = this.#ackSeen === undefined ? 0 : this.#seenWithin + Math.max(0, seqDiff(ack, this.#ackSeen));
    this.#observed?.observer.ended(end, seen);
    // Without an earlier ACK nobody knows how much it had seen.
    const answers = this.#ackSeen === undefined ? Infinity : seen;
    for (const replica of this.#replicas) replica.clientEnded(end, answers);
    if (this.#replicasLeft === 0) this.#settle();
  }

  /** Gives up what is left. */
  stop(bucket: UnitBucket & ConnectionBucket): void {
    this.#online?.lost();
    this.#ended = true;
    this.#givenUp = bucket;
    const backlog = this.#backlog;
    if (backlog !== undefined) {
      // The message that a plugin still holds is one more that will not be sent, and what waits behind it are others.
      this.#backlog = undefined;
      backlog.over();
      this.#account.lose(bucket);
      this.#takePieces();
      backlog.replay(this, () => undefined);
    }
    if (!this.#flushed) {
      // What the codec holds cannot be sent any more; its memory is given back.
      this.#flushed = true;
      this.#codec.end?.();
      this.#takePieces();
    }
    this.#account.giveUp(bucket);
    for (const replica of this.#replicas) replica.stop(bucket);
    if (this.#replicasLeft === 0) this.#settle();
  }

  unitSettled(bucket: UnitBucket): void {
    this.#account.settle(bucket);
  }

  get protocol(): string {
    return this.#codec.protocol;
  }

  reader(protocol: ReadProtocol): ResponseReader | undefined {
    return protocol.responses?.(this.#info, 'target');
  }

  dialogue(protocol: ReadProtocol, copy: number): Dialogue | undefined {
    return protocol.dialogue?.(this.#info, copy);
  }

  notReplayable(reason: string, all: boolean): void {
    this.#pipeline.notReplayable(this.protocol, reason, all);
  }

  responseRead(message: unknown, failed: boolean): void {
    this.#context.ledger.responsesRead++;
    if (failed) this.#context.ledger.responsesFailed++;
    this.#pipeline.response(this.#info, this.protocol, 'target', message);
  }

  unread(why: UnreadReason, error?: unknown): void {
    this.#context.ledger.sessionsUnread.add(UNREAD_REASONS.indexOf(why));
    if (why === 'plugin-error') this.#pipeline.protocolFailed(this.protocol, error, 'responses');
  }

  replicaDone(): void {
    this.#replicasLeft--;
    if (this.#replicasLeft === 0 && this.#ended) this.#settle();
  }

  #decode(bytes: Uint8Array, offset: number, length: number, time: Instant, serverBytesSeen: number): void {
    if (this.#pipeline.mayWait) {
      // What waits for a plugin outlives the captured batch.
      this.#codec.push({ bytes: bytes.slice(offset, offset + length), offset: 0, length, time, serverBytesSeen });
    } else {
      INPUT.bytes = bytes;
      INPUT.offset = offset;
      INPUT.length = length;
      INPUT.time = time;
      INPUT.serverBytesSeen = serverBytesSeen;
      this.#codec.push(INPUT);
    }
    this.#takePieces();
  }

  #takePieces(): void {
    for (let piece = this.#codec.next(); piece !== undefined; piece = this.#codec.next()) {
      if (this.#seenWithin > 0) this.#seenWithin -= Math.min(this.#seenWithin, piece.answers + (piece.awaits ?? 0));
      if (!this.#deliver(piece)) return;
    }
    this.#countSkipped();
  }

  /** Runs one piece through the pipeline; false when a plugin takes its time, and what follows has to wait. */
  #deliver(piece: Piece): boolean {
    if (this.#givenUp !== undefined) {
      if (piece.first && !this.#done) this.#account.lose(this.#excluded ?? this.#givenUp);
      return true;
    }
    if (this.#excluded !== undefined && piece.first) {
      this.#observed?.dropped(
        piece,
        this.#codec.protocol,
        this.#droppedBy ?? { plugin: undefined, reason: this.#excluded },
      );
      this.#leaveOut(this.#excluded);
      return true;
    }
    const online = this.#online;
    if (piece.first && online !== undefined) {
      online.sent(piece.refused === true ? undefined : this.#messageOf(piece), piece.time, piece.answers);
    }
    if (piece.refused === true) {
      this.#refuse(piece);
      return true;
    }
    if (!piece.first) {
      if (!this.#replaced) {
        this.#observed?.bytes(piece);
        for (const replica of this.#replicas) replica.push(piece);
      }
      return true;
    }
    this.#replaced = false;
    if (this.#isShed()) {
      this.#observed?.leavesOut();
      this.#leaveOut('shed');
      return true;
    }
    const message = this.#messageOf(piece);
    if (this.#excluded !== undefined) {
      this.#account.lose(this.#excluded);
      return true;
    }
    const plan = this.#pipeline.decide(this.#info, this.#codec.protocol, piece, message);
    if (plan instanceof Promise) {
      this.#wait(plan, piece);
      return false;
    }
    this.#carryOut(plan, piece);
    return true;
  }

  /** Whether the message that begins is left out, so that this host or the target is spared. */
  #isShed(): boolean {
    const { governor, reading } = this.#context;
    if (governor === undefined) return false;
    if (this.#shedForGood) return true;
    if (governor.admits(this.#place / PLACES)) return false;
    // A dialogue would go on from a state that the target has not been brought into.
    this.#shedForGood = reading?.protocol(this.protocol)?.dialogue !== undefined;
    return true;
  }

  /** What a plugin's codec made of the message that begins. */
  #messageOf(piece: Piece): unknown {
    return this.#contained?.ask(() => piece.message);
  }

  /** A plugin's codec threw: what was under way ends without its end, and nothing more of the connection is sent. */
  #codecFailed(error: unknown): void {
    this.#pipeline.protocolFailed(this.protocol, error, 'requests');
    this.#excluded ??= 'plugin-error';
    this.#online?.lost();
    this.#break('plugin-error');
  }

  /** What could not be read, and is not to be sent: a message of its own, or the end of the one under way. */
  #refuse(piece: Piece): void {
    if (piece.first) {
      this.#observed?.dropped(piece, this.#codec.protocol, { plugin: this.#codec.protocol, reason: UNREADABLE });
      this.#leaveOut('filtered');
    } else {
      this.#break('filtered');
    }
  }

  /** The message under way, if it was not dropped, ends without its end. */
  #break(bucket: UnitBucket): void {
    this.#observed?.broken();
    for (const replica of this.#replicas) replica.breakUnit(bucket, this.#contained === undefined);
  }

  #carryOut(plan: Plan | undefined, piece: Piece): void {
    if (plan?.dropped !== undefined) {
      const { cause, connection } = plan.dropped;
      this.#observed?.dropped(piece, this.#codec.protocol, plan.dropped);
      this.#leaveOut(cause);
      if (connection) {
        this.#excluded = cause;
        this.#droppedBy = plan.dropped;
      }
      return;
    }
    const { bytes, offset, length } = piece;
    if (plan?.replacement !== undefined) {
      piece.bytes = plan.replacement;
      piece.offset = 0;
      piece.length = plan.replacement.length;
      piece.last = true;
      this.#replaced = true;
    } else if (piece.encode !== undefined) {
      this.#contained?.ask(() => piece.encode!());
      if (this.#excluded !== undefined) {
        this.#leaveOut(this.#excluded);
        return;
      }
    }
    const copies = plan?.copyCount ?? this.#replicas.length;
    const changed = piece.bytes !== bytes || piece.offset !== offset || piece.length !== length;
    this.#observed?.begins(piece, this.#codec.protocol, changed, copies, plan?.delayed);
    while (this.#replicas.length < copies) this.#addReplica();
    const delay = plan === undefined || plan.delayed === 0 ? undefined : plan.delayed;
    const request = this.#readRequest(piece);
    const rule = this.#replaced ? undefined : plan?.copyRule;
    this.#replicas.forEach((replica, i) => {
      if (i >= copies) replica.skip('filtered');
      else if (i === 0 || rule === undefined) replica.push(piece, delay, request);
      else this.#pushChanged(replica, i, piece, rule, delay, request);
    });
  }

  /** Sends one copy of a message that differs from the first. */
  #pushChanged(
    replica: Replica,
    copy: number,
    piece: Piece,
    rule: CopyRule,
    delay: Duration | undefined,
    request: ReadRequest | undefined,
  ): void {
    const change = this.#pipeline.changeOf(rule, copy);
    if (typeof change === 'string') {
      replica.skip('plugin-error');
      this.#account.loseOne('plugin-error');
      if (change === 'drop-connection') this.#excluded = 'plugin-error';
      return;
    }
    const { bytes, offset, length } = piece;
    if (change?.bytes !== undefined) {
      piece.bytes = change.bytes;
      piece.offset = 0;
      piece.length = change.bytes.length;
    }
    const more = change?.delay ?? 0;
    replica.push(piece, more === 0 ? delay : micros((delay ?? 0) + more), request);
    piece.bytes = bytes;
    piece.offset = offset;
    piece.length = length;
  }

  /** What is remembered of a message whose response is read; `undefined`: it is not. */
  #readRequest(piece: Piece): ReadRequest | undefined {
    const read = this.#context.reading?.protocol(this.protocol);
    if (read === undefined) return undefined;
    const { message } = piece;
    // It outlives the captured batch.
    (message as Partial<Detachable> | undefined)?.detach?.();
    return { message, exchange: read.exchanges ? this.#pendingExchange(message) : undefined };
  }

  #pendingExchange(request: unknown): PendingExchange {
    const online = this.#online;
    const exchange = new PendingExchange(request, online?.awaits === true, (shown) =>
      this.#pipeline.exchange(this.#info, this.protocol, shown),
    );
    online?.show(exchange);
    return exchange;
  }

  #addReplica(): void {
    const replica = new Replica(this.#context, this, this.#replicas.length);
    // What came until now was not for it.
    replica.sever('filtered');
    this.#replicas.push(replica);
    this.#replicasLeft++;
  }

  /** A plugin answers later: keeps what comes meanwhile, and goes on from there. */
  #wait(plan: Promise<Plan>, piece: Piece): void {
    const backlog = new PluginBacklog(this.#context);
    this.#backlog = backlog;
    const resume = (decided: Plan | undefined): void => {
      // Stopped meanwhile: the message is counted already.
      if (this.#backlog !== backlog) return;
      this.#backlog = undefined;
      backlog.over();
      this.#carryOut(decided, piece);
      this.#takePieces();
      backlog.replay(this, () => this.#backlog);
      this.#context.wake();
    };
    // The pipeline contains what plugins do: it never rejects.
    void plan.then(resume);
  }

  /** Messages the codec swallowed since it was last asked: before the first boundary, or around a gap. */
  #countSkipped(): void {
    if (this.#skipped === this.#codec.skippedMessages) return;
    for (; this.#skipped < this.#codec.skippedMessages; this.#skipped++) {
      this.#account.lose(this.#excluded ?? this.#gapBucket ?? 'not-picked-up');
    }
    for (const replica of this.#replicas) replica.passOver();
  }

  /** The unit that begins goes into no replica. */
  #leaveOut(bucket: UnitBucket): void {
    for (const replica of this.#replicas) replica.skip(bucket);
    this.#account.lose(bucket);
  }

  #settle(): void {
    // Responses of the online server may still be on their way, if its half has not ended.
    if (this.#done || (this.#online?.waiting ?? 0) > 0) return;
    this.#done = true;
    this.#context.ledger.settleConnection(this.#excluded ?? this.#account.bucket);
    this.#pipeline.sessionEnded(this.#info);
    this.#onDone(this);
  }
}
