import { expect, it } from 'vitest';
import { Counters } from '../../../src/core/counters.ts';

it('counts by index, reads by name, shows what is not zero', () => {
  const counters = new Counters(['a', 'b', 'c'] as const);
  counters.add(1);
  counters.add(2, 5);
  counters.add(2, 2 ** 40);
  expect(counters.get('a')).toBe(0);
  expect(counters.get('b')).toBe(1);
  expect(counters.get('c')).toBe(5 + 2 ** 40);
  expect(JSON.parse(JSON.stringify(counters))).toEqual({ b: 1, c: 5 + 2 ** 40 });
});
