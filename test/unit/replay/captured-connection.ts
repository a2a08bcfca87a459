/** One captured connection and what is made of it, without a network. */
import { expect } from 'vitest';
import { seqAdd, seqNum, type SeqNum } from '../../../src/core/seq-num.ts';
import { instant } from '../../../src/core/time.ts';
import type { ErrorPolicy } from '../../../src/pipeline/error-policy.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import type { Codec } from '../../../src/protocol/codec.ts';
import { OpaqueCodec } from '../../../src/protocol/opaque-codec.ts';
import { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import { CLIENT, Rig, TARGET, type RigOptions } from './replay-rig.ts';

interface Setup extends RigOptions {
  readonly openedBy?: 'syn' | 'midstream';
  readonly copies?: number;
  readonly policy?: ErrorPolicy;
  readonly excluded?: 'sampled-out' | 'filtered' | 'not-picked-up';
  readonly place?: number;
  /** Default: an opaque one. */
  readonly codec?: Codec;
  /** Where the server's bytes stood when the connection was first seen; `undefined`: nothing is known of it. */
  readonly firstAck?: SeqNum | undefined;
}

/** One captured connection, seen from the side of reassembly: client bytes with the client's ACK numbers. */
export class Capture extends Rig {
  readonly pipeline: Pipeline;
  readonly replay: ConnectionReplay;
  done = 0;
  readonly #firstAck: SeqNum | undefined;
  #ack: SeqNum;

  constructor(setup: Setup = {}) {
    super(setup);
    const { openedBy = 'syn', copies = 1, excluded, policy, place = 0 } = setup;
    const codec = setup.codec ?? new OpaqueCodec(openedBy === 'syn');
    this.pipeline = new Pipeline(policy === undefined ? {} : { policy });
    this.#firstAck = 'firstAck' in setup ? setup.firstAck : seqNum(1_000);
    this.#ack = this.#firstAck ?? seqNum(1_000);
    this.pipeline.hooks.request.tap('test', ({ piece }) =>
      text(piece.bytes, piece.offset, piece.length).startsWith('drop') ? { drop: 'unwanted' } : undefined,
    );
    const info = { client: CLIENT, server: { ...TARGET, port: 80 }, openedBy };
    this.replay = new ConnectionReplay(
      this,
      this.pipeline,
      info,
      TARGET,
      codec,
      { copies, excluded, place },
      () => this.done++,
    );
  }

  get ack(): SeqNum {
    return this.#ack;
  }

  /** The client has seen so many more bytes of the server. */
  sees(count: number): this {
    this.#ack = seqAdd(this.#ack, count);
    return this;
  }

  data(content: string, ack: SeqNum = this.#ack): this {
    const bytes = Buffer.from(`##${content}`, 'latin1');
    if (this.replay.wantsAck && this.#firstAck !== undefined) this.replay.sawFirstAck(this.#firstAck);
    this.replay.data(bytes, 2, content.length, instant(5), ack);
    return this;
  }

  ended(end: 'fin' | 'rst' | 'gone' = 'fin'): this {
    this.replay.ended(end, this.#ack);
    return this;
  }

  answerAll(): this {
    for (const session of this.target.sessions) if (!session.over) session.answer(10);
    return this;
  }

  get streams(): string[] {
    return this.target.sessions.map((session) => session.sent);
  }

  get connections(): unknown {
    return this.ledger.connections.toJSON();
  }

  expectSettled(connection: string, units: Record<string, number>): void {
    expect(this.buckets).toEqual(units);
    expect(this.connections).toEqual({ [connection]: 1 });
    expect(this.done).toBe(1);
    expect(this.ledger.balance()).toMatchObject({ balanced: true });
    this.expectIdle();
  }
}

export function text(bytes: Uint8Array, offset: number, length: number): string {
  return Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
}

/** Lets promises that are done be heard. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
