import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { nearestName } from '../../../src/config/plugin-names.ts';
import { parsePlugin, type PluginSetting } from '../../../src/config/plugin-spec.ts';
import { parsePluginErrorPolicy } from '../../../src/config/plugin-error-policy.ts';
import { lineOf } from '../config/options-fixture.ts';

const settings = (text: string) =>
  (parsePlugin(text).options as readonly PluginSetting[]).map(({ key, value }) => [key, value]);

describe('--plugin', () => {
  it.each<[string, string, (string | undefined)[][]]>([
    ['sample', 'sample', []],
    ['sample=10%', 'sample', [[undefined, '10%']]],
    ['./my plugin.ts', './my plugin.ts', []],
    ['@acme/tcpcopy-plugin-x=1', '@acme/tcpcopy-plugin-x', [[undefined, '1']]],
    ['"./odd=name.ts",a=1', './odd=name.ts', [['a', '1']]],
    [
      'amplify=3,unique=header:X-Id',
      'amplify',
      [
        [undefined, '3'],
        ['unique', 'header:X-Id'],
      ],
    ],
    ['x,path=/a=b?c', 'x', [['path', '/a=b?c']]],
    [
      'x,json,level=2',
      'x',
      [
        ['json', undefined],
        ['level', '2'],
      ],
    ],
    ['x=a\\,b\\\\c\\d', 'x', [[undefined, 'a,b\\c\\d']]],
    [
      'x=\'a,b="c"\\\',y=1',
      'x',
      [
        [undefined, 'a,b="c"\\'],
        ['y', '1'],
      ],
    ],
    ['x="a,\\"b\\\\"', 'x', [[undefined, 'a,"b\\']]],
    ["x=it's", 'x', [[undefined, "it's"]]],
    ['x=', 'x', [[undefined, '']]],
    ['x,key=', 'x', [['key', '']]],
  ])('%s', (text, name, options) => {
    expect(parsePlugin(text)).toMatchObject({ plugin: name, where: `--plugin ${name}`, directory: undefined });
    expect(settings(text)).toEqual(options);
  });

  it.each([
    ['', "--plugin (empty): names no plugin; as in '--plugin sample=10%' [E_OPTION]"],
    ['=5', "--plugin =5: names no plugin; as in '--plugin sample=10%' [E_OPTION]"],
    ['x,', '--plugin x,: has an empty option; write NAME,KEY=VALUE,KEY=VALUE [E_OPTION]'],
    ['x,=5', '--plugin x,=5: has an empty option; write NAME,KEY=VALUE,KEY=VALUE [E_OPTION]'],
    [
      'x="a',
      '--plugin: a quote is not closed at character 5; quote a whole value, and quote once more for the shell [E_OPTION]',
    ],
    [
      'x="a"b',
      '--plugin: something follows a closing quote at character 6; quote a whole value, and quote once more for the shell [E_OPTION]',
    ],
  ])('%s is refused', (text, line) => expect(lineOf(() => parsePlugin(text))).toBe(line));

  it('any value can be given, in double quotes', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (one, two) => {
        const quoted = (value: string) => `"${value.replace(/["\\]/g, '\\$&')}"`;
        expect(settings(`x=${quoted(one)},k=${quoted(two)}`)).toEqual([
          [undefined, one],
          ['k', two],
        ]);
      }),
    );
  });
});

describe('--on-plugin-error', () => {
  it('knows five policies', () => {
    for (const kind of ['pass', 'drop', 'drop-connection', 'abort'])
      expect(parsePluginErrorPolicy(kind)).toEqual({ kind });
    expect(parsePluginErrorPolicy('disable-after=12')).toEqual({ kind: 'disable-after', failures: 12 });
    for (const wrong of ['', 'ignore', 'disable-after', 'disable-after=0', 'disable-after=x', 'pass=1']) {
      expect(lineOf(() => parsePluginErrorPolicy(wrong))).toContain(
        'must be pass, drop, drop-connection, disable-after=N',
      );
    }
  });
});

describe('did you mean', () => {
  it('the nearest name, when it is near', () => {
    const names = ['http-host-rewrite', 'http-filter', 'sample', 'amplify'];
    expect(nearestName('smaple', names)).toBe('sample');
    expect(nearestName('http-fliter', names)).toBe('http-filter');
    expect(nearestName('Sample', names)).toBe('sample');
    expect(nearestName('record', names)).toBeUndefined();
    expect(nearestName('x', [])).toBeUndefined();
  });
});
