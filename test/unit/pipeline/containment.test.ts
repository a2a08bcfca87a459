import { describe, expect, it } from 'vitest';
import type { PerCopy, RequestContext } from '../../../src/pipeline/hooks.ts';
import type { Plan } from '../../../src/pipeline/contexts.ts';
import type { ErrorPolicy } from '../../../src/pipeline/error-policy.ts';
import { connectionInfo, pieceOf, PipelineRig, throwIt } from './rig.ts';

const INFO = connectionInfo();
const PIECE = pieceOf('password=hunter2');

/** A pipeline with a plugin that fails on requests as told, and one behind it that sees what gets through. */
async function failing(policy: ErrorPolicy, fail: (context: RequestContext) => unknown, failClosed = false) {
  const rig = new PipelineRig({ policy });
  await rig.plugin('culprit', ({ request }) => request!.tap('culprit', fail), { failClosed });
  let seen = 0;
  await rig.plugin('behind', ({ request }) => request!.tap('behind', () => void seen++));
  return {
    rig,
    send: () => rig.pipeline.decide(INFO, 'opaque', PIECE) as Plan,
    get seen() {
      return seen;
    },
  };
}

describe('a plugin that throws', () => {
  it('pass: the message goes on as it was, and the others still see it', async () => {
    const run = await failing({ kind: 'pass' }, (context) => {
      context.delay(5);
      context.replace(new Uint8Array(1));
      throwIt();
    });
    expect(run.send()).toMatchObject({ dropped: undefined, delayed: 0, replacement: undefined });
    expect(run.seen).toBe(1);
  });

  it('is named with the place, once, and what it says stays out of the log', async () => {
    const { rig, send } = await failing({ kind: 'pass' }, throwIt);
    for (let n = 0; n < 3; n++) send();
    expect(rig.figures('culprit').failures).toEqual({ threw: 3, nonsense: 0, 'timed-out': 0 });
    expect(rig.errors).toHaveLength(1);
    expect(rig.errors[0]).toMatch(/^plugin culprit failed on request: SyntaxError at .*rig\.ts:\d+:\d+; /);
    expect(rig.errors[0]).not.toContain('hunter2');
    expect(rig.debug).toEqual([expect.stringMatching(/^plugin culprit: at .*rig\.ts:\d+:\d+/)]);
    expect(rig.debug[0]).not.toContain('hunter2');
  });

  it('what it throws outside its taps is its failure too', async () => {
    const rig = new PipelineRig({});
    await rig.plugin('one', () => undefined, {}, '/srv/one.js');
    const stray = (file: string, text = 'hunter2') => {
      const error = new RangeError(text);
      error.stack = `RangeError: ${text}\n    at Timeout.x (${file}:3:4)\n    at node:internal/timers:1:1`;
      return error;
    };
    expect(rig.pipeline.stray(stray('/srv/one.js'), false)).toBe(true);
    expect(rig.figures('one').failures.threw).toBe(1);
    expect(rig.errors).toEqual([
      'plugin one failed on something outside its taps: RangeError at /srv/one.js:3:4; ' +
        'further ones like it are only counted',
    ]);
    // Not its own, and not of a promise.
    expect(rig.pipeline.stray(stray('/srv/ours.js', 'at /srv/one.js'), false)).toBe(false);
    // A promise tells less of where it came from; with one plugin there is no doubt, with two there is.
    expect(rig.pipeline.stray(new TypeError('fetch failed'), true)).toBe(true);
    await rig.plugin('two', () => undefined, {}, '/srv/two.js');
    expect(rig.pipeline.stray(new TypeError('fetch failed'), true)).toBe(false);
    expect(rig.pipeline.stray('two', true)).toBe(false);
    expect(rig.figures('one').failures.threw).toBe(2);
  });

  it('drop and drop-connection: the plugins behind it are not asked', async () => {
    const drop = await failing({ kind: 'drop' }, throwIt);
    const cause = { cause: 'plugin-error', reason: 'failed', plugin: 'culprit' };
    expect(drop.send().dropped).toEqual({ ...cause, connection: false });
    expect(drop.seen).toBe(0);
    const whole = await failing({ kind: 'drop-connection' }, throwIt);
    expect(whole.send().dropped).toEqual({ ...cause, connection: true });
  });

  it('disable-after: it is not called any more', async () => {
    let calls = 0;
    const run = await failing({ kind: 'disable-after', failures: 2 }, () => {
      calls++;
      throwIt();
    });
    for (let n = 0; n < 4; n++) expect(run.send().dropped).toBeUndefined();
    expect([calls, run.seen]).toEqual([2, 4]);
    expect(run.rig.figures('culprit').disabled).toBe(true);
    expect(run.rig.errors.at(-1)).toBe('plugin culprit has failed 2 times: it is not called any more');
  });

  it('abort: the run is told, once, and the message is not sent', async () => {
    const run = await failing({ kind: 'abort' }, throwIt);
    expect([run.send().dropped?.cause, run.send().dropped?.cause]).toEqual(['plugin-error', 'plugin-error']);
    expect(run.rig.aborted).toHaveLength(1);
    expect(run.rig.aborted[0]).toMatch(/^plugin culprit failed on request: SyntaxError at .* \[E_PLUGIN_FAILED\]$/);
  });

  it('fails closed where it says so, even when it is disabled', async () => {
    const pass = await failing({ kind: 'pass' }, throwIt, true);
    expect(pass.send().dropped).toMatchObject({ cause: 'plugin-error', connection: false });
    const disabled = await failing({ kind: 'disable-after', failures: 1 }, throwIt, true);
    expect([disabled.send().dropped?.cause, disabled.send().dropped?.cause]).toEqual(['plugin-error', 'plugin-error']);
    expect(disabled.rig.figures('culprit').calls).toBe(1);
    expect(disabled.seen).toBe(0);
    const stronger = await failing({ kind: 'drop-connection' }, throwIt, true);
    expect(stronger.send().dropped?.connection).toBe(true);
  });

  it('keeps its verdict when it had dropped the message before', async () => {
    const run = await failing({ kind: 'pass' }, (context) => {
      context.drop('unwanted');
      throwIt();
    });
    expect(run.send().dropped).toMatchObject({ reason: 'unwanted', cause: 'filtered' });
  });

  it('on a connection, a response or a session is contained likewise', async () => {
    const rig = new PipelineRig({ policy: { kind: 'drop' } });
    await rig.plugin('culprit', (hooks) => {
      for (const hook of ['connection', 'response', 'exchange', 'session', 'stats'])
        hooks[hook]!.tap('culprit', throwIt);
    });
    const seen: string[] = [];
    await rig.plugin('behind', (hooks) => {
      for (const hook of ['connection', 'response', 'exchange', 'session']) {
        hooks[hook]!.tap('behind', () => void seen.push(hook));
      }
    });
    expect(rig.pipeline.admit(INFO)!.dropped!.cause).toBe('plugin-error');
    rig.pipeline.response(INFO, 'opaque', 'target', {});
    const nothing = { target: 1, targetTime: undefined, online: undefined, onlineTime: undefined };
    rig.pipeline.exchange(INFO, 'opaque', { request: 1, ...nothing });
    rig.pipeline.sessionEnded(INFO);
    expect(seen).toEqual(['session']);
    expect(rig.figures('culprit').failures.threw).toBe(5);
  });

  it('loses its changes to a message that can take them back', async () => {
    const message = {
      text: 'GET',
      checkpoint: () => message.text,
      revert: (to: unknown) => void (message.text = String(to)),
    };
    const rig = new PipelineRig();
    await rig.plugin('good', ({ request }) => request!.tap('good', () => void (message.text += ' /')));
    await rig.plugin('bad', ({ request }) =>
      request!.tap('bad', () => {
        message.text = 'half';
        throwIt();
      }),
    );
    void rig.pipeline.decide(INFO, 'opaque', PIECE, message);
    expect(message.text).toBe('GET /');
  });

  it.each([
    [
      'a string',
      () => {
        const text: unknown = 'hunter2';
        throw text;
      },
      'it threw something that is no error',
    ],
    [
      'an error with a name of its own making',
      () => {
        throw Object.assign(new Error('x'), { name: 'hunter2 hunter2' });
      },
      'Error at',
    ],
  ])('%s', async (_name, fail, text) => {
    const { rig, send } = await failing({ kind: 'pass' }, fail);
    send();
    expect(rig.errors[0]).toContain(text);
    expect(rig.errors[0]).not.toContain('hunter2');
  });
});

describe('a plugin that talks nonsense', () => {
  it.each<[string, (context: RequestContext) => unknown, string]>([
    ['a number', () => 5, "it returned a number; a tap returns nothing, or { drop: 'reason' }"],
    ['null', () => null, 'it returned null'],
    ['true', () => true, 'it returned a boolean'],
    ['a drop without reason', () => ({ drop: true }), 'it returned an object'],
    ['a promise', async () => Promise.reject(new Error('later')), 'it returned a promise; asynchronous taps'],
    ['an empty reason', (context) => context.drop(''), 'a reason to drop is a text'],
    ['a reason of 100 MB', (context) => context.drop('x'.repeat(1e8)), 'a reason to drop is a text'],
    ['a delay of NaN', (context) => context.delay(NaN), 'a delay is a number of milliseconds'],
    ['half a copy', (context) => context.copies(0.5), 'a number of copies is a whole number'],
    [
      'copies that differ by a number',
      (context) => context.copies(2, 3 as unknown as PerCopy),
      'how copies differ is told by a function',
    ],
    ['no bytes', (context) => context.replace(new Uint8Array(0)), 'a replacement is a Uint8Array'],
    ['a text for bytes', (context) => context.replace('x' as unknown as Uint8Array), 'a replacement is a Uint8Array'],
  ])('%s', async (_name, fail, text) => {
    const run = await failing({ kind: 'pass' }, fail);
    expect(run.send()).toMatchObject({ dropped: undefined, delayed: 0, copyCount: undefined, replacement: undefined });
    expect(run.seen).toBe(1);
    expect(run.rig.errors).toHaveLength(1);
    expect(run.rig.errors[0]).toContain(`plugin culprit failed on request: ${text}`);
    expect(run.rig.figures('culprit').failures.nonsense).toBe(1);
  });

  it('on a hook that only observes', async () => {
    const rig = new PipelineRig();
    await rig.plugin('culprit', ({ session }) => session!.tap('culprit', () => ({ drop: 'too late' })));
    rig.pipeline.sessionEnded(INFO);
    expect(rig.errors[0]).toContain('it returned an object; a tap returns nothing');
  });
});

describe('what a protocol says a message does', () => {
  async function asking(effect: unknown) {
    const rig = new PipelineRig({ policy: { kind: 'drop' } });
    const seen: string[] = [];
    await rig.plugin('line', (hooks) => {
      const row = { payload: 'Line', moment: 'Each.', nothing: 'Nothing.' };
      hooks.provide('line', { hooks: { command: { ...row, role: 'request' } }, effect });
    });
    await rig.plugin('asks', ({ request }) =>
      request!.tap('asks', (context: RequestContext) => {
        seen.push(context.effect);
        context.replace(new Uint8Array(1));
        seen.push(context.effect);
      }),
    );
    void rig.pipeline.decide(INFO, 'line', PIECE, 'PUT');
    void rig.pipeline.decide(INFO, 'line', PIECE);
    void rig.pipeline.decide(INFO, 'opaque', PIECE);
    return { rig, seen };
  }

  it('is asked of messages that it has read, as they stand', async () => {
    const { seen, rig } = await asking((message: string) => (message === 'PUT' ? 'write' : 'read'));
    expect(seen).toEqual(['write', ...Array.from({ length: 5 }, () => 'unknown')]);
    expect(rig.errors).toEqual([]);
  });

  it.each([
    ['throws', throwIt, 'SyntaxError at'],
    ['talks nonsense', () => 'perhaps', "it returned 'perhaps'; effects are read, write, unknown"],
  ])('is unknown where the protocol %s, which is named for it', async (_name, effect, text) => {
    const { seen, rig } = await asking(effect);
    expect(seen[0]).toBe('unknown');
    expect(rig.errors[0]).toContain(`plugin line failed on line.effect: ${text}`);
    expect(rig.figures('line').failures).toMatchObject(text.startsWith('it') ? { nonsense: 1 } : { threw: 1 });
    expect(rig.figures('asks').failures).toEqual({ threw: 0, nonsense: 0, 'timed-out': 0 });
  });

  it('is said by a function, or not at all', async () => {
    await expect(asking('write')).rejects.toThrow("has 'write' for effect");
  });
});
