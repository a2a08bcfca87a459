import fc from 'fast-check';
import { expect, it } from 'vitest';
import { LruMap } from '../../../src/pipeline/lru-map.ts';

it('keeps what was used last, as a list that is searched from end to end would', () => {
  const step = fc.record({ op: fc.constantFrom('get', 'set', 'delete', 'peek'), key: fc.nat(5), value: fc.nat(99) });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), fc.array(step, { maxLength: 60 }), (capacity, steps) => {
      const evicted: number[] = [];
      const map = new LruMap<number, number>(capacity, (key) => evicted.push(key));
      let list: [number, number][] = [];
      const gone: number[] = [];
      for (const { op, key, value } of steps) {
        const found = list.find(([k]) => k === key);
        if (op === 'peek') expect(map.peek(key)).toBe(found?.[1]);
        if (op === 'delete') expect(map.delete(key)).toBe(found !== undefined);
        if (op === 'get') expect(map.get(key)).toBe(found?.[1]);
        if (op === 'set') map.set(key, value);
        if (op !== 'peek') list = list.filter(([k]) => k !== key);
        if (op === 'set') list.push([key, value]);
        if (op === 'get' && found) list.push(found);
        if (list.length > capacity) gone.push(list.shift()![0]);
        expect([...map]).toEqual(list);
        expect(map.size).toBe(list.length);
      }
      expect(evicted).toEqual(gone);
      expect(map.evicted).toBe(gone.length);
    }),
  );
});

it('keeps undefined like any other value', () => {
  const map = new LruMap<string, undefined>(2).set('a', undefined).set('b', undefined);
  map.get('a');
  map.set('c', undefined);
  expect([...map].map(([key]) => key)).toEqual(['a', 'c']);
  expect(map.has('b')).toBe(false);
  map.clear();
  expect(map.size).toBe(0);
});

it('has room for one at least', () => {
  for (const capacity of [0, -1, 1.5, NaN]) expect(() => new LruMap(capacity)).toThrow(RangeError);
});
