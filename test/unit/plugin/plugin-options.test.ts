import { describe, expect, it } from 'vitest';
import { readPluginOptions } from '../../../src/config/plugin-options.ts';
import { describeOptions, optionsSchema, schemaNode } from '../../../src/config/plugin-schema.ts';
import { parsePlugin } from '../../../src/config/plugin-spec.ts';
import { option, z } from '../../../src/plugin/index.ts';
import { lineOf } from '../config/options-fixture.ts';

const SHAPE = {
  host: z.string().min(2).describe('Where to.'),
  tries: z.number().int().min(1).max(9).default(3),
  ratio: z.number().optional(),
  loud: z.boolean().default(false),
  share: option.percent().prefault('100%'),
  wait: option.duration().optional(),
  limit: option.size().optional(),
  rate: option.rate().optional(),
  drop: z.array(z.string()).default([]),
  ports: z.array(z.number()).optional(),
  mode: z.enum(['mask', 'drop']).default('mask'),
  either: z.union([z.literal('auto'), z.number()]).optional(),
  set: z.record(z.string(), z.string()).optional(),
  retry: z.object({ times: z.number(), loud: z.boolean().optional() }).optional(),
  code: z.string().regex(/^\d+$/, 'must be digits').optional(),
  password: z.string().max(5).optional(),
  pin: option.secret().optional(),
};
const PLUGIN = { name: 'x', options: z.object(SHAPE), shorthand: 'host' };
const DEFAULTS = { tries: 3, loud: false, share: 100, drop: [], mode: 'mask' };

const read = (text: string, plugin: { name: string; options?: unknown; shorthand?: string } = PLUGIN) =>
  readPluginOptions(plugin, parsePlugin(text));

describe('options from the command line', () => {
  it.each<[string, object]>([
    ['x=ab', {}],
    ['x=ab,tries=5', { tries: 5 }],
    ['x=ab,ratio=.5', { ratio: 0.5 }],
    ['x=ab,loud', { loud: true }],
    ['x=ab,loud=no', { loud: false }],
    ['x=ab,loud=YES', { loud: true }],
    ['x=ab,share=2.5%', { share: 2.5 }],
    ['x=ab,share=0', { share: 0 }],
    ['x=ab,wait=2s', { wait: 2_000 }],
    ['x=ab,wait=30', { wait: 30 }],
    ['x=ab,limit=2k', { limit: 2_048 }],
    ['x=ab,rate=30/m', { rate: 0.5 }],
    ['x=ab,drop=a', { drop: ['a'] }],
    ['x=ab,drop="a, b",drop=c', { drop: ['a', 'b', 'c'] }],
    ['x=ab,drop=a,b,loud,c', { drop: ['a', 'b', 'c'], loud: true }],
    ['x=ab,ports=80,81', { ports: [80, 81] }],
    ['x=ab,mode=drop', { mode: 'drop' }],
    ['x=ab,either=auto', { either: 'auto' }],
    ['x=ab,either=5', { either: 5 }],
    ['x=ab,set.X-A=1,set.X-B=2', { set: { 'X-A': '1', 'X-B': '2' } }],
    ['x=ab,retry.times=2,retry.loud=on', { retry: { times: 2, loud: true } }],
    ['x=ab,retry=\'{"times":4}\'', { retry: { times: 4 } }],
    ['x=12', { host: '12' }],
  ])('%s', (text, expected) => expect(read(text)).toEqual({ host: 'ab', ...DEFAULTS, ...expected }));

  it.each([
    ['x', 'host: is required; text: Where to'],
    ['x=a', 'host=a: Too small: expected string to have >=2 characters; see tcpcopy plugins x'],
    ['x=ab,tries=many', 'tries=many: must be a whole number from 1 to 9; see tcpcopy plugins x'],
    ['x=ab,tries=10', 'tries=10: must be a whole number from 1 to 9; see tcpcopy plugins x'],
    ['x=ab,loud=maybe', 'loud=maybe: must be yes or no; see tcpcopy plugins x'],
    ['x=ab,share=120%', 'share=120%: must be a percentage from 0 to 100; see tcpcopy plugins x'],
    ['x=ab,wait=soon', 'wait=soon: must be a time from 0 to 365d; see tcpcopy plugins x'],
    ['x=ab,mode=drip', 'mode=drip: must be mask | drop; see tcpcopy plugins x'],
    ['x=ab,either=never', 'either=never: must be auto, or a number; see tcpcopy plugins x'],
    ['x=ab,code=x', 'code=x: must be digits; see tcpcopy plugins x'],
    ['x=ab,tries', 'tries: needs a value; write tries=VALUE, a whole number from 1 to 9'],
    ['x=ab,tries=1,tries=2', 'tries: is given twice; leave one of them out'],
    ['x=ab,host=cd', 'host: is given twice; leave one of them out'],
    ['x=ab,set.A=1,set.A=2', 'set.A: is given twice; leave one of them out'],
  ])('%s is refused', (text, line) => expect(lineOf(() => read(text))).toBe(`--plugin x: ${line} [E_PLUGIN_OPTION]`));

  it('what is unknown is answered with the nearest name', () => {
    const plain = { name: 'x', options: z.object({ host: z.string(), tries: z.number().optional() }) };
    expect(lineOf(() => read('x,hots=1', plain))).toBe(
      '--plugin x: there is no option hots; did you mean host? [E_PLUGIN_OPTION]',
    );
    expect(lineOf(() => read('x,colour', plain))).toContain('there is no option colour; options are host, tries');
    expect(lineOf(() => read('x,tries.a=1', plain))).toContain('there is no option tries.a');
    expect(lineOf(() => read('x=5', plain))).toContain('takes no value of its own; write x,KEY=VALUE');
    expect(lineOf(() => read('x,a=1', { name: 'x' }))).toContain('there is no option a; x has no options');
  });

  it('secrets are not repeated', () => {
    expect(lineOf(() => read('x=ab,password=hunter2'))).toContain('password=***: Too big');
    expect(lineOf(() => read('x=ab,pin=a,hunter2'))).toContain('there is no option of this name');
  });

  it('a catch-all takes what is not named', () => {
    const loose = { name: 'x', options: z.object({ a: z.number() }).catchall(z.string()) };
    expect(read('x,a=1,b=2', loose)).toEqual({ a: 1, b: '2' });
  });
});

describe('options from a file', () => {
  const from = (options: Record<string, unknown>) =>
    readPluginOptions(PLUGIN, { options, where: 'file: plugins[0] x' });

  it('have types of their own', () => {
    expect(from({ host: 'ab', tries: 4, share: '10%', wait: 5, drop: ['a,b'], set: { 'a.b': 'c' } })).toEqual({
      ...DEFAULTS,
      host: 'ab',
      tries: 4,
      share: 10,
      wait: 5,
      drop: ['a,b'],
      set: { 'a.b': 'c' },
    });
  });

  it.each<[Record<string, unknown>, string]>([
    [{ host: 'ab', tries: '4' }, 'tries=4: must be a whole number from 1 to 9; see tcpcopy plugins x'],
    [{ host: 'ab', tires: 4 }, 'there is no option of this name; did you mean tries?'],
    [
      { host: 'ab', drop: ['a', 5] },
      'drop.1=5: Invalid input: expected string, received number; see tcpcopy plugins x',
    ],
  ])('%j is refused', (options, line) => {
    expect(lineOf(() => from(options))).toBe(`file: plugins[0] x: ${line} [E_PLUGIN_OPTION]`);
  });
});

describe('a schema', () => {
  it('describes its options', () => {
    const node = schemaNode(optionsSchema(PLUGIN.options, 'x'), 'x');
    const rows = describeOptions(node).map(({ key, type, required, default: d }) => [key, type, required, d]);
    expect(rows).toEqual([
      ['host', 'text', true, undefined],
      ['tries', 'a whole number from 1 to 9', false, '3'],
      ['ratio', 'a number', false, undefined],
      ['loud', 'yes or no', false, 'false'],
      ['share', 'a percentage (10%)', false, '100%'],
      ['wait', 'a time (500ms, 10s, 5m)', false, undefined],
      ['limit', 'a size (512k, 64M)', false, undefined],
      ['rate', 'a rate (500/s, 30/m)', false, undefined],
      ['drop', 'a list of text', false, undefined],
      ['ports', 'a list of a number', false, undefined],
      ['mode', 'mask | drop', false, 'mask'],
      ['either', 'auto, or a number', false, undefined],
      ['set', 'set.NAME=text', false, undefined],
      ['retry', 'an object', false, undefined],
      ['code', 'text', false, undefined],
      ['password', 'text', false, undefined],
      ['pin', 'text, never printed', false, undefined],
    ]);
    expect(describeOptions(node)[0]!.description).toBe('Where to.');
  });

  it.each<[unknown, string | undefined, string]>([
    [{ host: 'string' }, undefined, 'its options are no zod 4 schema'],
    [z.string(), undefined, 'its options are no object'],
    [z.object({ a: z.string() }), 'b', "its shorthand 'b' is none of its options"],
    [z.object({ a: z.string().refine(() => Promise.resolve(true)) }), 'a', 'its options cannot be checked'],
  ])('that cannot be used is refused', (options, shorthand, message) => {
    const plugin = { name: 'x', options, ...(shorthand === undefined ? {} : { shorthand }) };
    expect(lineOf(() => read('x,a=1', plugin))).toContain(message);
  });
});
