import { describe, expect, it } from 'vitest';
import type { RequestContext } from '../../../src/pipeline/hooks.ts';
import type { Plan } from '../../../src/pipeline/contexts.ts';
import type { ErrorPolicy } from '../../../src/pipeline/error-policy.ts';
import type { PluginEnv } from '../../../src/pipeline/plugin.ts';
import { connectionInfo, ENV, pieceOf, PipelineRig, throwIt, type AnyHooks } from './rig.ts';

const INFO = connectionInfo();
const PIECE = pieceOf('password=hunter2');

describe('asynchronous taps', () => {
  /** A plugin whose answers are given by hand. */
  async function waiting(policy: ErrorPolicy = { kind: 'pass' }, failClosed = false) {
    const rig = new PipelineRig({ policy });
    const calls: { context: RequestContext; resolve: (value?: unknown) => void; reject: (error: Error) => void }[] = [];
    await rig.plugin(
      'waits',
      ({ request }) =>
        request!.tapPromise('waits', (context: RequestContext) => {
          return new Promise((resolve, reject) => calls.push({ context, resolve, reject }));
        }),
      { failClosed },
    );
    const behind: RequestContext[] = [];
    await rig.plugin('behind', ({ request }) =>
      request!.tap('behind', (context: RequestContext) => void behind.push(context)),
    );
    return { rig, calls, behind, send: () => rig.pipeline.decide(INFO, 'opaque', PIECE) as Promise<Plan> };
  }

  it('what they say counts when they have ended, and those behind wait for them', async () => {
    const { calls, behind, send, rig } = await waiting();
    const plan = send();
    expect(plan).toBeInstanceOf(Promise);
    const { context, resolve } = calls[0]!;
    context.delay(7);
    expect(behind).toEqual([]);
    resolve();
    expect(await plan).toMatchObject({ delayed: 7_000, dropped: undefined });
    expect(behind).toHaveLength(1);
    expect(rig.clock.pending).toBe(0);
  });

  it('a promise of a drop drops', async () => {
    const { calls, behind, send } = await waiting();
    const plan = send();
    calls[0]!.resolve({ drop: 'no token' });
    expect((await plan).dropped).toMatchObject({ reason: 'no token', plugin: 'waits' });
    expect(behind).toEqual([]);
  });

  it('the bytes of the capture are copied for them', async () => {
    const { calls, send } = await waiting();
    const piece = PIECE.bytes.slice();
    const plan = send();
    PIECE.bytes.fill(0);
    const { bytes, offset, length } = calls[0]!.context.piece;
    expect(new TextDecoder().decode(bytes.subarray(offset, offset + length))).toBe('password=hunter2');
    PIECE.bytes.set(piece);
    calls[0]!.resolve();
    await plan;
  });

  it('one that never resolves is given up, and what it says later has no effect', async () => {
    const { calls, behind, send, rig } = await waiting();
    const plan = send();
    calls[0]!.context.delay(9);
    rig.clock.pass(999);
    expect(behind).toEqual([]);
    rig.clock.pass(1);
    expect(await plan).toMatchObject({ delayed: 0, dropped: undefined });
    expect(behind).toHaveLength(1);
    calls[0]!.context.drop('late');
    calls[0]!.resolve({ drop: 'later' });
    await new Promise(setImmediate);
    expect(await plan).toMatchObject({ dropped: undefined });
    expect(rig.errors).toEqual([expect.stringContaining('plugin waits failed on request: no answer in time')]);
    expect(rig.figures('waits').failures).toEqual({ threw: 0, nonsense: 0, 'timed-out': 1 });
  });

  it('fail as synchronous ones do', async () => {
    const { calls, send, rig } = await waiting({ kind: 'drop' });
    const rejected = send();
    calls[0]!.reject(new Error('hunter2'));
    expect((await rejected).dropped?.cause).toBe('plugin-error');
    const garbage = send();
    calls[1]!.resolve(42);
    expect((await garbage).dropped?.cause).toBe('plugin-error');
    expect(rig.figures('waits').failures).toMatchObject({ threw: 1, nonsense: 1 });
    const closed = await waiting({ kind: 'pass' }, true);
    const hung = closed.send();
    closed.rig.clock.pass(1_000);
    expect((await hung).dropped?.cause).toBe('plugin-error');
  });

  it('that are none, or throw at once, are answered at once', async () => {
    for (const fail of [() => 5, () => undefined, throwIt]) {
      const rig = new PipelineRig();
      await rig.plugin('wrong', ({ request }) => request!.tapPromise('wrong', fail));
      expect(rig.pipeline.decide(INFO, 'opaque', PIECE)).toMatchObject({ dropped: undefined });
      expect(rig.errors).toHaveLength(1);
    }
  });

  it('have a deadline of their own where they say so', async () => {
    const rig = new PipelineRig();
    await rig.plugin('patient', ({ request }) =>
      request!.tapPromise({ name: 'patient', deadline: 5_000 }, () => new Promise(() => undefined)),
    );
    let over = false;
    const plan = (rig.pipeline.decide(INFO, 'opaque', PIECE) as Promise<Plan>).then(() => (over = true));
    rig.clock.pass(4_999);
    await new Promise(setImmediate);
    expect(over).toBe(false);
    rig.clock.pass(1);
    await plan;
  });

  it('each has its own state, whoever runs meanwhile', async () => {
    const rig = new PipelineRig();
    const seen: unknown[] = [];
    const apply = (name: string) => (hooks: AnyHooks) =>
      hooks.request!.tapPromise(name, async ({ connection }: RequestContext) => {
        await Promise.resolve();
        connection.state['by'] ??= name;
        seen.push([name, connection.state['by']]);
      });
    await rig.plugin('one', apply('one'));
    await rig.plugin('two', apply('two'));
    await Promise.all([rig.pipeline.decide(INFO, 'opaque', PIECE), rig.pipeline.decide(INFO, 'opaque', PIECE)]);
    expect(seen).toHaveLength(4);
    for (const [name, by] of seen as [string, string][]) expect(by).toBe(name);
  });
});

describe('timers of a plugin', () => {
  async function timing(policy: ErrorPolicy = { kind: 'pass' }) {
    const rig = new PipelineRig({ policy });
    let env!: PluginEnv;
    await rig.plugin('timed', (_hooks, given) => void (env = given));
    return { rig, env };
  }

  it('call back when it is time, unless they are taken back', async () => {
    const { rig, env } = await timing();
    const called: string[] = [];
    env.after(10, () => called.push('one'));
    env.after(20, () => called.push('never'))();
    const before = env.now();
    rig.clock.pass(9);
    expect([called, env.now() - before]).toEqual([[], 9_000]);
    rig.clock.pass(50);
    expect([called, rig.clock.pending]).toEqual([['one'], 0]);
  });

  it('what they throw is contained', async () => {
    const { rig, env } = await timing();
    for (let n = 0; n < 3; n++) env.after(1, throwIt);
    rig.clock.pass(1);
    expect(rig.errors).toEqual([expect.stringMatching(/^plugin timed failed on a timer: SyntaxError at .*; further/)]);
    expect(rig.figures('timed').failures.threw).toBe(3);
    const aborting = await timing({ kind: 'abort' });
    aborting.env.after(1, throwIt);
    aborting.rig.clock.pass(1);
    expect(aborting.rig.aborted).toHaveLength(1);
  });

  it('end with the run', async () => {
    const { rig, env } = await timing();
    env.after(10, throwIt);
    await rig.pipeline.close();
    expect(rig.clock.pending).toBe(0);
  });

  it('are set to sensible times', async () => {
    const { env } = await timing();
    for (const ms of [-1, NaN, Infinity, 86_400_001])
      expect(() => env.after(ms, throwIt)).toThrow('milliseconds from 0');
  });
});

describe('a plugin that holds everything up', () => {
  async function slow(ms: number, tap: 'tap' | 'tapPromise' = 'tap') {
    const rig = new PipelineRig();
    await rig.plugin('slow', ({ request }) =>
      request![tap]('slow', () => {
        rig.clock.pass(ms);
        return tap === 'tap' ? undefined : Promise.resolve();
      }),
    );
    const send = async (times: number) => {
      for (let n = 0; n < times; n++) await rig.pipeline.decide(INFO, 'opaque', PIECE);
    };
    return { rig, send };
  }

  it('is seen now and then, and every time once the loop was late', async () => {
    const { rig, send } = await slow(120);
    await send(64);
    expect(rig.figures('slow').heldUp).toEqual({ times: 1, longest: 120_000 });
    rig.pipeline.searchForBlocking();
    await send(10);
    expect(rig.figures('slow').heldUp.times).toBe(11);
    expect(rig.warnings).toEqual([
      'plugin slow held everything up for 120 ms on request; further times are only counted',
    ]);
    rig.clock.pass(10_000);
    await send(50);
    expect(rig.figures('slow').heldUp.times).toBe(12);
  });

  it('before it waits, too; but waiting holds nobody up', async () => {
    const { rig, send } = await slow(120, 'tapPromise');
    await send(1);
    expect(rig.figures('slow').heldUp.times).toBe(1);
    const waiting = new PipelineRig();
    let resolve!: () => void;
    await waiting.plugin('waits', ({ request }) =>
      request!.tapPromise('waits', () => new Promise<void>((done) => (resolve = done))),
    );
    const plan = waiting.pipeline.decide(INFO, 'opaque', PIECE);
    waiting.clock.pass(500);
    resolve();
    await plan;
    expect(waiting.figures('waits')).toMatchObject({ heldUp: { times: 0 }, waiting: { mean: 500_000 } });
  });

  it('for less than anybody would notice is not', async () => {
    const { rig, send } = await slow(99);
    await send(1);
    expect([rig.figures('slow').heldUp.times, rig.warnings]).toEqual([0, []]);
  });
});

it('a plugin that never gets ready is named, and nothing is waited for any longer', async () => {
  const rig = new PipelineRig();
  const never = rig.pipeline.register(
    { name: 'never', description: 'A test.', apply: () => new Promise<void>(() => undefined) },
    {},
    ENV,
  );
  rig.clock.pass(30_000);
  await expect(never).rejects.toThrow('could not be set up: not ready after 30 s');
  await rig.plugin('quick', () => undefined);
  expect(rig.clock.pending).toBe(0);
});
