/** The pipeline, and what it has decided about each connection and message. */
import { toMillis } from '../core/time.ts';
import type { ConnectionPlan, Plan } from '../pipeline/contexts.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import { Pipeline } from '../pipeline/pipeline.ts';
import type { Piece } from '../protocol/codec.ts';

/** A message of the client's, and what plugins made of it. */
export interface SeenMessage {
  /** Of the codec that read it: `opaque` where none does. */
  readonly protocol: string;
  /** What the codec made of it; `undefined` for opaque bytes. */
  readonly message: unknown;
  /** The captured bytes of its first piece. */
  readonly captured: Uint8Array;
  /** `waiting`: a plugin takes its time. */
  readonly verdict: 'copied' | 'dropped' | 'waiting';
  /** Why it is dropped, and by whom: a plugin's verdict, or its failure. */
  readonly reason: string | undefined;
  readonly plugin: string | undefined;
  readonly cause: 'filtered' | 'sampled-out' | 'plugin-error' | undefined;
  /** How long it is held back, in milliseconds. */
  readonly delay: number;
  /** How many times it is sent; `undefined`: no plugin said. */
  readonly copies: number | undefined;
}

export interface Watcher {
  admitted(info: ConnectionInfo, plan: ConnectionPlan | undefined): void;
  decided(info: ConnectionInfo, message: SeenMessage, before?: SeenMessage): void;
}

export class WatchedPipeline extends Pipeline {
  watcher: Watcher | undefined;
  readonly #pending = new Set<Promise<Plan>>();

  override admit(info: ConnectionInfo): ConnectionPlan | undefined {
    const plan = super.admit(info);
    this.watcher?.admitted(info, plan);
    return plan;
  }

  override decide(
    info: ConnectionInfo,
    protocol: string,
    piece: Piece,
    message?: unknown,
  ): Plan | Promise<Plan> | undefined {
    const captured = piece.bytes.slice(piece.offset, piece.offset + piece.length);
    const plan = super.decide(info, protocol, piece, message);
    const seen = { protocol, message, captured };
    if (!(plan instanceof Promise)) {
      this.watcher?.decided(info, { ...seen, ...outcome(plan) });
      return plan;
    }
    const waiting: SeenMessage = { ...seen, ...outcome(undefined), verdict: 'waiting' };
    this.watcher?.decided(info, waiting);
    this.#pending.add(plan);
    return plan.then((decided) => {
      this.#pending.delete(plan);
      this.watcher?.decided(info, { ...seen, ...outcome(decided) }, waiting);
      return decided;
    });
  }

  /** Whether a plugin takes its time over any. */
  get waits(): boolean {
    return this.#pending.size > 0;
  }

  /** Resolves when nobody takes their time any more, and what waited for them has gone on. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) {
      await Promise.all(this.#pending);
      // What waited goes on in reactions to the same promises, and may begin to wait again.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

function outcome(plan: Plan | undefined): Omit<SeenMessage, 'protocol' | 'message' | 'captured'> {
  const { dropped } = plan ?? {};
  return {
    verdict: dropped === undefined ? 'copied' : 'dropped',
    reason: dropped?.reason,
    plugin: dropped?.plugin,
    cause: dropped?.cause,
    delay: plan === undefined ? 0 : toMillis(plan.delayed),
    copies: plan?.copyCount,
  };
}
