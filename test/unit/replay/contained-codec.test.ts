/** A connection whose codec, a plugin's, throws: it is named and counted, and nothing else is disturbed. */
import { describe, expect, it } from 'vitest';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant } from '../../../src/core/time.ts';
import type { ClientBytes, Codec, Piece } from '../../../src/protocol/codec.ts';
import { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import type { Plugin } from '../../../src/pipeline/plugin.ts';
import { TestRun } from '../../../src/testing/index.ts';
import { PipelineRig, type AnyHooks } from '../pipeline/rig.ts';
import { CLIENT, piece, Rig, TARGET } from './replay-rig.ts';

const WHERE = ['push', 'next', 'gap', 'end', 'message', 'encode'] as const;

/** Every push is a message, whole unless it ends in `+`; it throws at a place, from some push on. */
class ThrowingCodec implements Codec {
  readonly protocol = 'lines';
  skippedBytes = 0;
  skippedMessages = 0;
  readonly #where: (typeof WHERE)[number];
  readonly #from: number;
  #pushes = 0;
  #open = false;
  #waiting: string | undefined;

  constructor(where: (typeof WHERE)[number], from: number) {
    this.#where = where;
    this.#from = from;
  }

  push({ bytes, offset, length }: ClientBytes): void {
    this.#pushes++;
    this.#check('push');
    this.#waiting = Buffer.from(bytes.subarray(offset, offset + length)).toString('latin1');
  }

  next(): Piece | undefined {
    const text = this.#waiting;
    if (text === undefined) return undefined;
    this.#check('next');
    this.#waiting = undefined;
    const first = !this.#open;
    this.#open = text.endsWith('+');
    const check = (place: 'message' | 'encode'): undefined => this.#check(place);
    return {
      ...piece(text, { first, last: !this.#open }),
      get message() {
        return check('message');
      },
      encode: () => check('encode'),
    };
  }

  gap(): boolean {
    this.#check('gap');
    const open = this.#open;
    this.#open = false;
    return open;
  }

  end(): void {
    this.#check('end');
  }

  #check(place: (typeof WHERE)[number]): undefined {
    if (place === this.#where && this.#pushes >= this.#from) throw new Error('secret bytes');
    return undefined;
  }
}

class Throwing extends Rig {
  readonly plugins = new PipelineRig();
  replay!: ConnectionReplay;
  done = 0;

  async start(codec: Codec): Promise<this> {
    await this.plugins.plugin('lines', (hooks) => hooks.provide('lines', { hooks: {} }));
    const info = { client: CLIENT, server: TARGET, openedBy: 'syn' } as const;
    const plan = { copies: 2, excluded: undefined };
    this.replay = new ConnectionReplay(this, this.plugins.pipeline, info, TARGET, codec, plan, () => this.done++);
    return this;
  }

  send(...texts: string[]): this {
    for (const text of texts) this.replay.data(Buffer.from(text, 'latin1'), 0, text.length, instant(1), seqNum(0));
    return this;
  }

  answer(): this {
    for (const session of this.target.sessions) if (!session.over) session.answer(1);
    return this;
  }
}

describe('a codec that throws', () => {
  it.each(WHERE)('in %s costs the rest of its connection, and is named', async (where) => {
    const rig = await new Throwing().start(new ThrowingCodec(where, 2));
    rig.send('one').answer();
    rig.send('two+');
    rig.replay.gap(3);
    rig.send('three', 'four').answer();
    rig.replay.ended('fin', seqNum(0));
    rig.answer();
    rig.pass(3_000);
    expect(rig.done).toBe(1);
    expect(rig.buckets['answered']).toBeGreaterThanOrEqual(2);
    expect(rig.buckets['plugin-error'] ?? 0).toBeGreaterThanOrEqual(where === 'end' ? 0 : 2);
    expect(rig.ledger.balance().balanced).toBe(true);
    expect(rig.target.sessions.every(({ sent }) => !sent.includes('four') || where === 'end')).toBe(true);
    const [error, ...more] = rig.plugins.errors;
    expect(more).toEqual([]);
    expect(error).toContain('plugin lines failed on the requests of lines: Error at ');
    expect(error).not.toContain('secret');
    rig.expectIdle();
  });

  it('over bytes that belong to no message yet counts them as one', async () => {
    const rig = await new Throwing().start(new ThrowingCodec('push', 1));
    rig.send('one', 'two');
    rig.replay.ended('fin', seqNum(0));
    expect([rig.buckets, rig.ledger.connections.toJSON()]).toEqual([{ 'plugin-error': 2 }, { 'plugin-error': 1 }]);
  });
});

it.each(['detect', 'codec'] as const)(
  'a protocol that throws in %s is named, before anything speaks it',
  async (place) => {
    const fail = (): never => {
      throw new Error('secret bytes');
    };
    const plugin: Plugin = {
      name: 'odd',
      description: 'A test.',
      apply: (hooks) => {
        (hooks as unknown as AnyHooks).provide('odd', {
          hooks: {},
          detect: () => 'yes',
          codec: () => undefined,
          [place]: fail,
        });
      },
    };
    const run = await TestRun.start([plugin]);
    run.connect().send('hello');
    const { balanced, units, connections } = await run.finish();
    expect([balanced, units, connections]).toEqual([true, { 'plugin-error': 1 }, { 'plugin-error': 1 }]);
    expect(run.lines.filter((line) => line.startsWith('error'))).toEqual([
      expect.stringContaining('plugin odd failed on the requests of odd: Error at '),
    ]);
  },
);
