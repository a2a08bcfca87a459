/**
 * What is made of one captured connection: its codec, the pipeline's verdicts, its replicas, and its line in the
 * ledger.
 */
import type { Endpoint } from '../core/ip-address.ts';
import { seqDiff, type SeqNum } from '../core/seq-num.ts';
import type { Instant } from '../core/time.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { ClientBytes, Codec, Piece } from '../protocol/codec.ts';
import type { ConnectionBucket, UnitBucket } from '../report/ledger.ts';
import { Replica, type ClientEnd, type ReplicaOwner } from './replica.ts';
import type { ReplayContext } from './replay-context.ts';

type Excluded = Extract<UnitBucket & ConnectionBucket, 'sampled-out' | 'filtered' | 'not-picked-up'>;

const EMPTY: Uint8Array = new Uint8Array(0);

export class ConnectionReplay implements ReplicaOwner {
  readonly client: Endpoint;
  readonly target: Endpoint;
  readonly #context: ReplayContext;
  readonly #pipeline: Pipeline;
  readonly #info: ConnectionInfo;
  readonly #codec: Codec;
  readonly #replicas: Replica[] = [];
  readonly #onDone: (connection: ConnectionReplay) => void;
  readonly #copies: number;
  /** Nothing of this connection is copied, for this reason. */
  readonly #excluded: Excluded | undefined;
  readonly #input = { bytes: EMPTY, offset: 0, length: 0, time: 0 as Instant, serverBytesSeen: 0 };
  /** The client's ACK as of the last data: what it sends later answers what lies beyond. */
  #ackSeen: SeqNum | undefined;
  #replicasLeft: number;
  #delivered = 0;
  #lost = 0;
  #worst: ConnectionBucket = 'no-data';
  #skipped = 0;
  #gaps = 0;
  #ended = false;
  #done = false;

  constructor(
    context: ReplayContext,
    pipeline: Pipeline,
    info: ConnectionInfo,
    target: Endpoint,
    codec: Codec,
    plan: { readonly copies: number; readonly excluded: Excluded | undefined },
    onDone: (connection: ConnectionReplay) => void,
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#info = info;
    this.client = info.client;
    this.target = target;
    this.#codec = codec;
    this.#copies = plan.copies;
    this.#excluded = plan.excluded;
    this.#onDone = onDone;
    context.ledger.connectionsOpened++;
    this.#replicasLeft = plan.excluded === undefined ? plan.copies : 0;
    for (let i = 0; i < this.#replicasLeft; i++) this.#replicas.push(new Replica(context, this, i));
    if (info.openedBy === 'syn') for (const replica of this.#replicas) replica.openEarly();
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
    return this.#ackSeen === undefined && this.#gaps === 0;
  }

  /** Client bytes in order; valid during the call. `ack`: the client's ACK on the segment that brought them. */
  data(bytes: Uint8Array, offset: number, length: number, time: Instant, ack: SeqNum): void {
    this.#context.ledger.bytesCaptured += length;
    const input = this.#input;
    const seen = this.#ackSeen === undefined ? 0 : seqDiff(ack, this.#ackSeen);
    input.bytes = bytes;
    input.offset = offset;
    input.length = length;
    input.time = time;
    input.serverBytesSeen = Math.max(0, seen);
    if (seen > 0 || this.#ackSeen === undefined) this.#ackSeen = ack;
    this.#decode(input);
  }

  /** Client bytes the capture does not have. */
  gap(length: number): void {
    this.#context.ledger.bytesMissing += length;
    this.#gaps++;
    const bucket = this.#context.gapBucket();
    this.#ackSeen = undefined;
    if (this.#codec.gap(length)) for (const replica of this.#replicas) replica.breakUnit(bucket);
    this.#countSkipped();
  }

  /** The client is done. `ack`: its last ACK. */
  ended(end: ClientEnd, ack: SeqNum): void {
    if (this.#ended) return;
    this.#ended = true;
    const answers = end !== 'fin' || this.#ackSeen === undefined || seqDiff(ack, this.#ackSeen) > 0;
    for (const replica of this.#replicas) replica.clientEnded(end, answers);
    if (this.#replicasLeft === 0) this.#settle();
  }

  /** Gives up what is left. */
  stop(bucket: UnitBucket & ConnectionBucket): void {
    this.#ended = true;
    if (this.#delivered + this.#lost === 0) this.#worst = bucket;
    for (const replica of this.#replicas) replica.stop(bucket);
    if (this.#replicasLeft === 0) this.#settle();
  }

  unitSettled(bucket: UnitBucket): void {
    this.#context.ledger.settleUnit(bucket);
    if (bucket === 'answered' || bucket === 'unanswered') {
      this.#delivered++;
    } else {
      this.#lost++;
      this.#worst = bucket;
    }
  }

  replicaDone(): void {
    this.#replicasLeft--;
    if (this.#replicasLeft === 0 && this.#ended) this.#settle();
  }

  #decode(input: ClientBytes): void {
    this.#codec.push(input);
    for (let piece = this.#codec.next(); piece !== undefined; piece = this.#codec.next()) this.#deliver(piece);
    this.#countSkipped();
  }

  #deliver(piece: Piece): void {
    if (this.#excluded !== undefined) {
      if (piece.first) this.#lose(this.#excluded);
      return;
    }
    if (piece.first && this.#pipeline.request(this.#info, this.#codec.protocol, piece) !== undefined) {
      for (const replica of this.#replicas) replica.skip();
      this.#lose('filtered');
      return;
    }
    for (const replica of this.#replicas) replica.push(piece);
  }

  /** Messages the codec swallowed since it was last asked: before the first boundary, or around a gap. */
  #countSkipped(): void {
    for (; this.#skipped < this.#codec.skippedMessages; this.#skipped++) {
      this.#lose(this.#excluded ?? (this.#gaps > 0 ? this.#context.gapBucket() : 'not-picked-up'));
    }
  }

  /** A unit that no replica saw: one entry a copy, so that units stay comparable under `-n`. */
  #lose(bucket: UnitBucket): void {
    for (let n = this.#copies; n > 0; n--) {
      this.#context.ledger.unitsOpened++;
      this.unitSettled(bucket);
    }
  }

  #settle(): void {
    if (this.#done) return;
    this.#done = true;
    this.#context.ledger.settleConnection(this.#bucket());
    this.#pipeline.sessionEnded(this.#info);
    this.#onDone(this);
  }

  #bucket(): ConnectionBucket {
    if (this.#excluded !== undefined) return this.#excluded;
    if (this.#delivered > 0) return this.#lost > 0 ? 'partly-replayed' : 'replayed';
    return this.#worst;
  }
}
