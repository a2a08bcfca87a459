import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseCondition, type ConditionSubject } from '../../../src/plugin/condition.ts';

function request(more: Partial<ConditionSubject> = {}): ConditionSubject {
  const headers = new Map(
    Object.entries({
      'x-a': ['1', 'two'],
      empty: [''],
      cookie: ['sid=abc; theme = dark', 'sid=2;=x;flag'],
    }),
  );
  const query = new Map(Object.entries({ id: ['7'], tag: ['a', 'b'] }));
  return {
    method: 'POST',
    path: '/api/v1/items',
    target: '/api/v1/items?id=7&tag=a&tag=b',
    version: '1.1',
    host: 'Shop.example:8080',
    headers: { getAll: (name) => headers.get(name.toLowerCase()) ?? [] },
    query: { getAll: (key) => query.get(key) ?? [] },
    ...more,
  };
}

describe('a condition', () => {
  it.each([
    `method == 'POST'`,
    `method=="POST"&&path~"^/api"`,
    `method == 'GET' && path == '/' || header['X-A']`,
    `header['x-a'] == 'two'`,
    `header["x-a"] ~ '^t'`,
    `header['empty']`,
    `header['empty'] == ''`,
    `header['x-b'] != 'two'`,
    `! header [ 'X-B' ]`,
    `!!header['X-A']`,
    `query['tag'] == 'b' && query['id'] ~ '^\\d$'`,
    `cookie['sid'] == '2' && cookie['theme'] == 'dark' && !cookie['flag']`,
    `host == 'shop.example' && host == 'shop.example:8080' && host ~ 'example$'`,
    `target ~ '[?]id=' && version == '1.1'`,
    `(method == 'GET' || method == 'POST') && path !~ 'admin'`,
    `method == 'POST' || method == 'GET' && path == '/'`,
    `path ~ '\\/v[0-9]\\/'`,
    `header['x-a'] != "say \\"two\\""`,
  ])('%s: holds', (text) => expect(parseCondition(text)(request())).toBe(true));

  it.each([
    `method == 'post'`,
    `header['x-a'] != 'two'`,
    `header['x-a'] !~ '^t'`,
    `header['x-b'] == ''`,
    `header['x-b'] ~ ''`,
    `!(method == 'POST' && path ~ '^/api')`,
    `host == 'Shop.example'`,
    `header['__proto__'] || query['constructor']`,
  ])('%s: does not', (text) => expect(parseCondition(text)(request())).toBe(false));

  it('can do without a host', () => {
    expect(parseCondition('host')(request({ host: undefined }))).toBe(false);
    expect(parseCondition(`host != 'x'`)(request({ host: undefined }))).toBe(true);
  });

  it.each([
    ['', 'expected one of method, path, target, version, host, header'],
    ['   ', 'at character 4, not the end'],
    [`method = 'GET'`, 'expected &&, || or the end at character 8, not ='],
    [`method == GET`, 'expected a text in quotes at character 11, not GET'],
    [`methd == 'GET'`, 'at character 1, not methd'],
    [`constructor == 'x'`, 'at character 1, not constructor'],
    [`header.x == 'x'`, "expected ['NAME'] at character 7, not ."],
    [`header['x' == 'x'`, 'expected ] at character 12, not =='],
    [`(path ~ 'x'`, 'expected &&, || or ) at character 12, not the end'],
    [`path ~ 'x')`, 'expected &&, || or the end at character 11, not )'],
    [`path ~ 'x`, 'the quote at character 8 is not closed'],
    [`path ~ '['`, "expected a regular expression at character 8, not '['"],
    [`path == 'x' &&`, 'at character 15, not the end'],
    [`path == 'x' & method == 'y'`, 'at character 13, not &'],
    [`path == 'x' path`, 'expected &&, || or the end at character 13, not path'],
    [`😀`, 'at character 1, not 😀'],
  ])('%s: is none, and where', (text, message) => expect(() => parseCondition(text)).toThrow(message));

  it('made of parts is what the parts make', () => {
    const tests = [`method == 'POST'`, `path == '/'`, `header['x-a']`, `query['no']`] as const;
    const values = [true, false, true, false];
    const { tree } = fc.letrec<{ tree: { text: string; value: boolean } }>((tie) => ({
      tree: fc.oneof(
        { depthSize: 'small' },
        fc.nat(3).map((i) => ({ text: tests[i]!, value: values[i]! })),
        tie('tree').map(({ text, value }) => ({ text: `!(${text})`, value: !value })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
          text: `(${a.text}) && (${b.text})`,
          value: a.value && b.value,
        })),
        fc.tuple(tie('tree'), tie('tree')).map(([a, b]) => ({
          text: `${a.text} || ${b.text}`,
          value: a.value || b.value,
        })),
      ),
    }));
    fc.assert(
      fc.property(tree, ({ text, value }) => {
        expect(parseCondition(text)(request()), text).toBe(value);
      }),
    );
  });
});
