import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { messageDiff } from '../../../src/report/message-diff.ts';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const diff = (before: string, after: string) => messageDiff(bytes(before), bytes(after));
const request = (fields: readonly string[], body = '') => ['GET / HTTP/1.1', ...fields, '', body].join('\r\n');

it('a field that changed, one that is gone, one that is new', () => {
  expect(diff(request(['Host: a', 'X: 1', 'Cookie: c']), request(['Host: b', 'X: 1', 'Y: 2']))).toEqual([
    '- Host: a',
    '+ Host: b',
    '- Cookie: c',
    '+ Y: 2',
  ]);
});

it('a body by its length and beginning', () => {
  expect(diff(request(['Host: a'], 'x=1'), request(['Host: a'], '\x1b[2Jé'))).toEqual([
    '- (3 bytes) x=1',
    '+ (5 bytes) \\x1b[2J\\xe9',
  ]);
  expect(diff(request(['Host: a'], 'x=1'), request(['Host: a']))).toEqual(['- (3 bytes) x=1', '+ (no body)']);
});

describe('in any case', () => {
  const line = fc.constantFrom('a', 'b', 'c', 'd: \x07', '');
  it('what is told turns one into the other, and is nothing where they are equal', () => {
    const lines = fc.array(
      line.filter((text) => text !== '' && text.length === 1),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(lines, lines, (before, after) => {
        const told = diff(before.join('\n'), after.join('\n'));
        const removed = told.filter((text) => text.startsWith('- ')).map((text) => text.slice(2));
        const added = told.filter((text) => text.startsWith('+ ')).map((text) => text.slice(2));
        const rest = before.toSorted().join();
        expect([...after, ...removed].toSorted().join()).toBe([...before, ...added].toSorted().join());
        if (told.length === 0) expect(after.toSorted().join()).toBe(rest);
        expect(told.length === 0).toBe(before.join() === after.join());
      }),
    );
  });

  it('nothing reaches the terminal that it might obey, and no line is endless', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), fc.uint8Array({ maxLength: 600 }), (before, after) => {
        for (const text of messageDiff(before, after)) {
          expect(text).toMatch(/^[-+] [\x20-\x7e…]*$/);
          expect(text.length).toBeLessThan(600);
        }
      }),
    );
  });
});
