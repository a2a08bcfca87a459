import { expect, it } from 'vitest';
import { compact } from '../../../src/core/compact.ts';

const numbers = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

it.each([
  { head: 63, length: 64, why: 'too few are done with' },
  { head: 64, length: 129, why: 'more would be moved than are done with' },
])('keeps the places while $why', ({ head, length }) => {
  const items = numbers(length);
  expect(compact(items, head)).toBe(head);
  expect(items).toEqual(numbers(length));
});

it('gives them up when they are the half', () => {
  const items = numbers(128);
  expect(compact(items, 64)).toBe(0);
  expect(items).toEqual(numbers(128).slice(64));
});
