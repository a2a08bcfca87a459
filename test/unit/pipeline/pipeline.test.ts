import { describe, expect, it } from 'vitest';
import type { Plan } from '../../../src/pipeline/contexts.ts';
import type { ConnectionContext, PerCopy, RequestContext, ResponseContext } from '../../../src/pipeline/hooks.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { connectionInfo, pieceOf, PipelineRig, type AnyHooks } from './rig.ts';

const INFO = connectionInfo();
const PIECE = pieceOf('GET /');

describe('an empty pipeline', () => {
  it('asks nobody', async () => {
    const pipeline = new Pipeline();
    expect(pipeline.admit(INFO)).toBeUndefined();
    expect(pipeline.decide(INFO, 'opaque', PIECE)).toBeUndefined();
    expect(pipeline.uses('response')).toBe(false);
    pipeline.response(INFO, 'opaque', 'target', {});
    pipeline.sessionEnded(INFO);
    expect(pipeline.report()).toEqual([]);
    await pipeline.close();
  });
});

describe('verdicts', () => {
  it('on a connection: the first drop ends it, the last number of copies counts', async () => {
    const rig = new PipelineRig();
    const asked: string[] = [];
    await rig.plugin('first', ({ connection }) =>
      connection!.tap('first', (context: ConnectionContext) => {
        asked.push(`first ${context.connection.client.port}`);
        context.copies(2);
        context.copies(3);
      }),
    );
    await rig.plugin('second', ({ connection }) =>
      connection!.tap({ name: 'second', phase: 'sample' }, (context: ConnectionContext) =>
        context.connection.client.port === 1 ? context.drop('not chosen') : undefined,
      ),
    );
    await rig.plugin('third', ({ connection }) =>
      connection!.tap({ name: 'third', phase: 'observe' }, () => void asked.push('third')),
    );
    expect(rig.pipeline.admit(connectionInfo(7))).toMatchObject({ dropped: undefined, copyCount: 3 });
    expect(asked).toEqual(['first 7', 'third']);
    expect(rig.pipeline.admit(connectionInfo(1))!.dropped).toEqual({
      cause: 'sampled-out',
      reason: 'not chosen',
      plugin: 'second',
      connection: false,
    });
    expect(asked).toEqual(['first 7', 'third', 'first 1']);
  });

  it('on a message: delays add up, bytes are replaced, and one context serves all taps', async () => {
    const rig = new PipelineRig();
    const seen = new Set<unknown>();
    const bytes = new Uint8Array([1]);
    for (const name of ['one', 'two']) {
      await rig.plugin(name, ({ request }) =>
        request!.tap(name, (context: RequestContext) => {
          seen.add(context);
          expect(context).toMatchObject({ protocol: 'opaque', piece: PIECE, message: undefined });
          context.delay(20);
          context.replace(bytes);
        }),
      );
    }
    const plan = rig.pipeline.decide(INFO, 'opaque', PIECE);
    expect(plan).toMatchObject({ delayed: 40_000, replacement: bytes, dropped: undefined, copyCount: undefined });
    expect(seen).toEqual(new Set([plan]));
  });

  it('copies of a message differ as the last word says, each asked for when it is sent', async () => {
    const rig = new PipelineRig();
    await rig.plugin('one', ({ request }) =>
      request!.tap('one', (context: RequestContext) => context.copies(3, () => ({ delay: 1 }))),
    );
    await rig.plugin('two', ({ request }) =>
      request!.tap('two', (context: RequestContext) =>
        context.copies(2, (copy) => (copy === 1 ? { bytes: new Uint8Array([copy]), delay: 5 } : undefined)),
      ),
    );
    const plan = rig.pipeline.decide(INFO, 'opaque', PIECE) as Plan;
    expect(plan.copyCount).toBe(2);
    expect(rig.pipeline.changeOf(plan.copyRule!, 1)).toEqual({ bytes: new Uint8Array([1]), delay: 5_000 });
    expect(rig.pipeline.changeOf(plan.copyRule!, 2)).toBeUndefined();
  });

  it('a later number of copies without a rule makes them alike again', async () => {
    const rig = new PipelineRig();
    await rig.plugin('one', ({ request }) =>
      request!.tap('one', (context: RequestContext) => {
        context.copies(3, () => ({ delay: 1 }));
        context.copies(2);
      }),
    );
    expect(rig.pipeline.decide(INFO, 'opaque', PIECE)).toMatchObject({ copyCount: 2, copyRule: undefined });
  });

  it.each<[unknown, string]>([
    [5, 'it gave a number for a copy'],
    [null, 'it gave null for a copy'],
    [{ bytes: 'x' }, 'a replacement is a Uint8Array'],
    [{ bytes: new Uint8Array(0) }, 'a replacement is a Uint8Array'],
    [{ delay: -1 }, 'a delay is a number of milliseconds'],
  ])('nonsense about a copy (%j) is a failure of the plugin', async (answer, text) => {
    const rig = new PipelineRig({ policy: { kind: 'drop' } });
    await rig.plugin('culprit', ({ request }) =>
      request!.tap('culprit', (context: RequestContext) => context.copies(2, (() => answer) as unknown as PerCopy)),
    );
    const plan = rig.pipeline.decide(INFO, 'opaque', PIECE) as Plan;
    expect(plan.dropped).toBeUndefined();
    expect(rig.pipeline.changeOf(plan.copyRule!, 1)).toBe('drop');
    expect(rig.errors[0]).toContain(`plugin culprit failed on request: ${text}`);
    expect(rig.figures('culprit').failures.nonsense).toBe(1);
  });

  it('a whole connection can be dropped from a message, and a drop can be returned', async () => {
    const rig = new PipelineRig();
    await rig.plugin('one', ({ request }) =>
      request!.tap('one', (context: RequestContext) => context.dropConnection('enough')),
    );
    expect(rig.pipeline.decide(INFO, 'opaque', PIECE)).toMatchObject({
      dropped: { reason: 'enough', connection: true },
    });
    const other = new PipelineRig();
    await other.plugin('one', ({ request }) => request!.tap('one', () => ({ drop: 'returned' })));
    expect(other.pipeline.decide(INFO, 'opaque', PIECE)).toMatchObject({ dropped: { reason: 'returned' } });
    expect(other.figures('one').drops).toEqual({ returned: 1 });
  });

  it('have no effect when they come too late', async () => {
    const rig = new PipelineRig();
    let kept: RequestContext | undefined;
    await rig.plugin('keeps', ({ request }) =>
      request!.tap('keeps', (context: RequestContext) => void (kept = context)),
    );
    const plan = rig.pipeline.decide(INFO, 'opaque', PIECE);
    kept!.drop('late');
    kept!.delay(5);
    expect(plan).toMatchObject({ dropped: undefined, delayed: 0 });
  });

  it('of made-up reasons fill no memory', async () => {
    const rig = new PipelineRig();
    let n = 0;
    await rig.plugin('chatty', ({ request }) => request!.tap('chatty', () => ({ drop: `number ${n++}` })));
    for (let i = 0; i < 100; i++) void rig.pipeline.decide(INFO, 'opaque', PIECE);
    const { drops } = rig.figures('chatty');
    expect(Object.keys(drops)).toHaveLength(65);
    expect(drops['(other reasons)']).toBe(36);
  });
});

describe('protocols', () => {
  const line = { payload: 'Line', moment: 'Now.', nothing: 'Nothing.' };
  const provideLine = (hooks: AnyHooks) =>
    hooks.provide('line', {
      hooks: {
        command: { ...line, role: 'request' },
        reply: { ...line, role: 'response' },
        pair: { ...line, role: 'exchange' },
        hello: { ...line, role: 'event' },
      },
    });

  it("a message passes the taps on 'request' and those of its protocol in one order", async () => {
    const rig = new PipelineRig();
    const asked: string[] = [];
    await rig.plugin('rewrites', ({ line }) =>
      line!.command!.tap('rewrites', (message: { text: string }) => void (message.text += '!')),
    );
    await rig.plugin('logs', ({ request }) =>
      request!.tap({ name: 'logs', phase: 'observe' }, ({ message, protocol }: RequestContext) => {
        asked.push(`${protocol} ${(message as { text: string } | undefined)?.text}`);
      }),
    );
    await rig.plugin('filters', ({ request }) => request!.tap({ name: 'filters', phase: 'filter' }, () => undefined));
    await rig.plugin('line', provideLine);
    expect(rig.pipeline.decide(INFO, 'line', PIECE, { text: 'HELO' })).toMatchObject({ dropped: undefined });
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    expect(asked).toEqual(['line HELO!', 'opaque undefined']);
    const order = new Map([...rig.pipeline.order()].map(([hook, taps]) => [hook, taps.map((tap) => tap.name)]));
    expect(order.get('line.command')).toEqual(['filters', 'rewrites', 'logs']);
    expect(order.get('request')).toEqual(['filters', 'logs']);
    expect([...rig.pipeline.protocols.keys()]).toEqual(['line']);
  });

  it('responses, exchanges and events are shown to those who tap them, and a drop hides a response', async () => {
    const rig = new PipelineRig();
    const seen: string[] = [];
    let events: ReturnType<AnyHooks['provide']> | undefined;
    await rig.plugin('line', (hooks) => void (events = provideLine(hooks)));
    await rig.plugin('observer', (hooks) => {
      hooks.line!.reply!.tap('observer', (message: string, { origin }: ResponseContext) => {
        seen.push(`${origin} ${message}`);
      });
      hooks.line!.pair!.tap('observer', ({ request, target }: { request: string; target: string }) => {
        seen.push(`${request} → ${target}`);
      });
      hooks.line!.hello!.tap('observer', (name: string, connection: { client: { port: number } }) => {
        seen.push(`${name} ${connection.client.port}`);
      });
    });
    await rig.plugin('scrubs', ({ response }) =>
      response!.tap({ name: 'scrubs', phase: 'filter' }, (context: ResponseContext) =>
        context.message === 'secret' ? context.drop('secret') : undefined,
      ),
    );
    expect(rig.pipeline.uses('response')).toBe(true);
    expect(rig.pipeline.uses('exchange', 'opaque')).toBe(false);
    rig.pipeline.response(INFO, 'line', 'target', '250 ok');
    rig.pipeline.response(INFO, 'line', 'online', 'secret');
    const nothing = { targetTime: undefined, online: undefined, onlineTime: undefined };
    rig.pipeline.exchange(INFO, 'line', { request: 'a', target: 'b', ...nothing });
    events!.hello!('client', INFO);
    expect(seen).toEqual(['target 250 ok', 'a → b', 'client 40000']);
  });

  it('passive taps ask for no responses, and see those that others ask for', async () => {
    const seen: string[] = [];
    const run = async (asks: boolean): Promise<boolean> => {
      const rig = new PipelineRig();
      await rig.plugin('scrubs', ({ response }) =>
        response.tap({ name: 'scrubs', passive: true, phase: 'rewrite' }, () => void seen.push('scrubs')),
      );
      if (asks) await rig.plugin('looks', ({ response }) => response.tap('looks', () => void seen.push('looks')));
      if (rig.pipeline.uses('response')) rig.pipeline.response(INFO, 'opaque', 'target', {});
      return rig.pipeline.uses('response');
    };
    expect(await run(false)).toBe(false);
    expect(seen).toEqual([]);
    expect(await run(true)).toBe(true);
    expect(seen).toEqual(['scrubs', 'looks']);
  });

  it('a plugin can do without one', async () => {
    const rig = new PipelineRig();
    const asked: string[] = [];
    await rig.plugin('optional', (hooks) => {
      hooks.whenProvided('line', (taps) => taps.command!.tap('optional', () => void asked.push('line')));
      hooks.whenProvided('gopher', (taps) => taps.command!.tap('optional', () => void asked.push('gopher')));
    });
    await rig.plugin('line', provideLine);
    void rig.pipeline.decide(INFO, 'line', PIECE, {});
    expect(asked).toEqual(['line']);
  });
});

describe('state', () => {
  it('belongs to one plugin and one connection, and goes with it', async () => {
    const rig = new PipelineRig();
    const seen: unknown[] = [];
    for (const name of ['one', 'two']) {
      await rig.plugin(
        name,
        (hooks) => {
          hooks.request!.tap(name, ({ connection }: RequestContext<{ count: number }>) => {
            seen.push(`${name} ${connection.client.port} ${++connection.state.count}`);
          });
          hooks.session!.tap(name, (connection: { state: { count: number } }) => {
            seen.push(`${name} ends with ${connection.state.count}`);
          });
        },
        { state: () => ({ count: 0 }) },
      );
    }
    const other = connectionInfo(2);
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    void rig.pipeline.decide(other, 'opaque', PIECE);
    rig.pipeline.sessionEnded(INFO);
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    expect(seen.filter((line) => String(line).startsWith('one'))).toEqual([
      'one 40000 1',
      'one 40000 2',
      'one 2 1',
      'one ends with 2',
      'one 40000 1',
    ]);
    expect(seen.filter((line) => String(line).startsWith('two'))).toHaveLength(5);
  });

  it('cannot be read outside a tap', async () => {
    const rig = new PipelineRig();
    let kept: { state: unknown } | undefined;
    await rig.plugin('keeps', ({ request }) =>
      request!.tap('keeps', ({ connection }: RequestContext) => void (kept = connection)),
    );
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    expect(() => kept!.state).toThrow('during a tap');
  });
});

describe('figures', () => {
  it('every 64th call of a tap is timed, and plugins add their own', async () => {
    const rig = new PipelineRig();
    await rig.plugin('slow', (hooks) => {
      hooks.request!.tap('slow', () => rig.clock.pass(2));
      hooks.stats!.tap('slow', (stats: { figure(name: string, value: number, unit?: string): void }) =>
        stats.figure('hits', 5, 'requests'),
      );
    });
    for (let n = 0; n < 65; n++) void rig.pipeline.decide(INFO, 'opaque', PIECE);
    const { calls, time, figures } = rig.figures('slow');
    expect(calls).toBe(65);
    expect(time).toMatchObject({ samples: 2, mean: 2_000, max: 2_000, total: 2_000 * 65 });
    expect(figures).toEqual([{ name: 'hits', value: 5, unit: 'requests' }]);
  });

  it('the end is waited for, but not for ever', async () => {
    const rig = new PipelineRig();
    const done: string[] = [];
    await rig.plugin('flushes', ({ shutdown }) => {
      shutdown!.tapPromise('flushes', async () => void done.push('flushed'));
    });
    await rig.plugin('hangs', ({ shutdown }) => shutdown!.tapPromise('hangs', () => new Promise(() => undefined)));
    await rig.plugin('late', ({ shutdown }) => shutdown!.tap('late', () => void done.push('late')));
    const closed = rig.pipeline.close();
    await Promise.resolve().then(() => new Promise(setImmediate));
    rig.clock.pass(1_000);
    await closed;
    expect(done).toEqual(['flushed', 'late']);
    expect(rig.figures('hangs').failures['timed-out']).toBe(1);
  });
});
