import { describe, expect, it } from 'vitest';
import { TcpcopyError } from '../../../src/core/errors.ts';
import type { Plugin } from '../../../src/pipeline/plugin.ts';
import { ENV, PipelineRig, type AnyHooks } from './rig.ts';

/** The line of the error that comes of plugins tapping like this, at registration or at the start. */
async function refusal(...plugins: ((hooks: AnyHooks) => unknown)[]): Promise<string> {
  const rig = new PipelineRig();
  try {
    for (const [i, apply] of plugins.entries()) await rig.plugin(`p${i + 1}`, (hooks) => void apply(hooks));
    rig.pipeline.start();
  } catch (error) {
    expect(error).toBeInstanceOf(TcpcopyError);
    expect((error as TcpcopyError).code).toBe('E_PLUGIN_HOOK');
    return (error as TcpcopyError).oneLine().replace(/ \[E_PLUGIN_HOOK\]$/, '');
  }
  throw new Error('nothing was thrown');
}

const nothing = () => undefined;
const row = { payload: 'X', moment: 'Now.', nothing: 'Nothing.' };
const provide = (hooks: AnyHooks) =>
  hooks.provide('line', { hooks: { command: { ...row, role: 'request' }, hello: { ...row, role: 'event' } } });

describe('a tap', () => {
  it.each<[string, (hooks: AnyHooks) => unknown, string]>([
    [
      'without a name',
      (h) => h.request!.tap(undefined, nothing),
      'request: taps with undefined; give a name, or { name }',
    ],
    ['with an odd name', (h) => h.request!.tap('a b', nothing), "request: a tap is named 'a b'; use the plugin's name"],
    ['without a function', (h) => h.request!.tap('p1', 5), 'request: taps with a number; give a function'],
    [
      'in no phase',
      (h) => h.request!.tap({ name: 'p1', phase: 'later' }, nothing),
      "request: names the phase 'later'; phases are decode, filter, sample, rewrite, amplify, encode, observe",
    ],
    [
      'at no stage',
      (h) => h.request!.tap({ name: 'p1', stage: NaN }, nothing),
      'request: has a number for stage; a number',
    ],
    [
      'before nobody',
      (h) => h.request!.tap({ name: 'p1', before: 5 }, nothing),
      'request: has a number for before; names of other taps',
    ],
    ['before a stranger', (h) => h.request!.tap({ name: 'p1', before: 'p9' }, nothing), ''],
    [
      'with no deadline',
      (h) => h.request!.tapPromise({ name: 'p1', deadline: 0 }, nothing),
      'request: has a number for deadline; milliseconds, at most 600000',
    ],
    [
      'that waits where nobody does',
      (h) => h.connection!.tapPromise('p1', nothing),
      'connection: takes no promises; use tap',
    ],
    [
      'on no hook',
      (h) => h.requets!.tap('p1', nothing),
      'requets: is no hook; hooks are connection, request, response, exchange, session, stats, shutdown, ' +
        'and those of protocols, as in http.request',
    ],
    [
      'on a protocol nobody provides',
      (h) => h.http!.request!.tap('p1', nothing),
      "http.request: no plugin provides 'http'; add --plugin http",
    ],
  ])('%s', async (_name, apply, text) => {
    const line = await refusal(apply);
    if (text === '') expect(line).toContain("wants to run before 'p9'");
    else expect(line).toBe(`plugin p1: ${text}`);
  });

  it('with a name that is taken, on the hook itself or on one it is run together with', async () => {
    const taken = "the name 'p1' is taken on";
    const hint = "name one of them 'p1:part'";
    const twice = (h: AnyHooks) => {
      h.request!.tap('p1', nothing);
      h.request!.tap('p1', nothing);
    };
    expect(await refusal(twice)).toBe(`plugin p1: ${taken} request; ${hint}`);
    const both = (h: AnyHooks) => {
      h.request!.tap('p1', nothing);
      h.line!.command!.tap('p1', nothing);
    };
    expect(await refusal(both, provide)).toBe(`plugin p1: ${taken} line.command; ${hint}`);
  });

  it('on a hook that its protocol does not have, or in a way it does not allow', async () => {
    expect(await refusal(provide, (h) => h.line!.query!.tap('p2', nothing))).toBe(
      'plugin p2: line.query: is no hook; hooks of line are line.command, line.hello',
    );
    expect(await refusal(provide, (h) => h.line!.hello!.tapPromise('p2', nothing))).toBe(
      'plugin p2: line.hello: takes no promises; use tap',
    );
  });

  it('too late', async () => {
    const rig = new PipelineRig();
    let kept: AnyHooks | undefined;
    await rig.plugin('late', (hooks) => void (kept = hooks));
    rig.pipeline.start();
    expect(() => kept!.request!.tap('late', nothing)).toThrow('taps after the run has begun');
    expect(() => provide(kept!)).toThrow('after the run has begun');
    expect(() => kept!.whenProvided('http', nothing)).toThrow('after the run has begun');
  });
});

describe('a protocol', () => {
  it.each<[string, (hooks: AnyHooks) => unknown, string]>([
    ['named oddly', (h) => h.provide('My Protocol', { hooks: {} }), "names a protocol 'My Protocol'"],
    ['named like a hook', (h) => h.provide('request', { hooks: {} }), "names a protocol 'request'"],
    ['without hooks', (h) => h.provide('line', {}), 'provides a protocol without hooks'],
    [
      'with two requests',
      (h) => h.provide('line', { hooks: { a: { ...row, role: 'request' }, b: { ...row, role: 'request' } } }),
      'has two hooks with the role request',
    ],
  ])('%s', async (_name, apply, text) => expect(await refusal(apply)).toContain(`plugin p1: provide: ${text}`));

  it('of two plugins', async () => {
    expect(await refusal(provide, provide)).toContain("plugin p2: provide: provides 'line', as plugin p1 does");
  });
});

describe('a plugin', () => {
  const good: Plugin = { name: 'good', description: 'Good.', apply: nothing };
  const line = async (plugin: unknown, again = false): Promise<string> => {
    const { pipeline } = new PipelineRig();
    try {
      if (again) await pipeline.register(plugin as Plugin, {}, ENV);
      await pipeline.register(plugin as Plugin, {}, ENV);
    } catch (error) {
      return (error as TcpcopyError).oneLine();
    }
    return '';
  };

  it.each([
    [{ name: 'Good One' }, "its name is 'Good One'"],
    [{ name: 5 }, 'its name is a number'],
    [{ description: '' }, "'good' has no description"],
    [{ apply: 'x' }, "'good' has no apply function"],
    [{ phase: 'later' }, "names the phase 'later'"],
    [{ state: {} }, 'has an object for state; state is a function'],
    [{ protocol: [1] }, 'has a list for protocol'],
  ])('%j is refused', async (wrong, text) => expect(await line({ ...good, ...wrong })).toContain(text));

  it('is given once', async () => {
    expect(await line(good)).toBe('');
    expect(await line(good, true)).toContain('plugin good: is given twice');
  });

  it('that fails while it is set up is named', async () => {
    const apply = () => Promise.reject(new Error('no database'));
    expect(await line({ ...good, apply })).toBe('plugin good: could not be set up: no database [E_PLUGIN]');
  });
});
