/** Tells the ledger, plugins and copies of one captured connection what the online server answered on it. */
import type { Duration } from '../core/time.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Pipeline } from '../pipeline/pipeline.ts';
import type { Codec } from '../protocol/codec.ts';
import type { ResponseReader, ServerMessage } from '../protocol/response-reader.ts';
import { UNREAD_REASONS, type UnreadReason } from '../report/ledger.ts';
import type { OnlineOwner } from './online-responses.ts';
import type { Replica } from './replica.ts';
import type { ReplayContext } from './replay-context.ts';
import type { ReadProtocol } from './response-reading.ts';

export class OnlineReport implements OnlineOwner {
  readonly #context: ReplayContext;
  readonly #pipeline: Pipeline;
  readonly #info: ConnectionInfo;
  readonly #codec: Codec;
  readonly #replicas: readonly Replica[];

  constructor(
    context: ReplayContext,
    pipeline: Pipeline,
    info: ConnectionInfo,
    codec: Codec,
    replicas: readonly Replica[],
  ) {
    this.#context = context;
    this.#pipeline = pipeline;
    this.#info = info;
    this.#codec = codec;
    this.#replicas = replicas;
  }

  get protocol(): string {
    return this.#codec.protocol;
  }

  reader(read: ReadProtocol): ResponseReader | undefined {
    return read.online ? read.responses?.(this.#info, 'online') : undefined;
  }

  dialogue(): undefined {
    return undefined;
  }

  unread(why: UnreadReason, error?: unknown): void {
    this.#context.ledger.onlineUnread.add(UNREAD_REASONS.indexOf(why));
    if (why === 'plugin-error') this.#pipeline.protocolFailed(this.protocol, error, 'responses');
  }

  heardOnline(said: ServerMessage, request: unknown): void {
    this.#context.ledger.onlineRead++;
    this.#pipeline.response(this.#info, this.protocol, 'online', said.message);
    for (const replica of this.#replicas) replica.heardOnline(said, request);
  }

  onlineResponded(time: Duration): void {
    this.#context.responded('online', time);
  }
}
