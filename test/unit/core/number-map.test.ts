import fc from 'fast-check';
import { expect, it } from 'vitest';
import { NumberMap } from '../../../src/core/number-map.ts';

interface Thing {
  readonly n: number;
}

it('does what a Map does, whatever comes and goes', () => {
  const key = fc.oneof(
    fc.nat(40),
    fc.nat(200).map((n) => n * 65_536 + 80),
    fc.maxSafeInteger(),
  );
  const step = fc.record({ key, what: fc.constantFrom('set', 'set', 'delete', 'get') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400 }), (steps) => {
      const map = new NumberMap<Thing>();
      const model = new Map<number, Thing>();
      steps.forEach(({ key: k, what }, n) => {
        if (what === 'set') {
          map.set(k, { n });
          model.set(k, { n });
        } else if (what === 'delete') {
          expect(map.delete(k)).toBe(model.delete(k));
        }
        expect(map.get(k)).toEqual(model.get(k));
        expect(map.size).toBe(model.size);
      });
      for (const [k, thing] of model) expect(map.get(k)).toEqual(thing);
      const order = (a: Thing, b: Thing) => a.n - b.n;
      expect(map.values().sort(order)).toEqual([...model.values()].sort(order));
    }),
  );
});

it('grows, and finds all that it holds', () => {
  const map = new NumberMap<Thing>();
  for (let n = 0; n < 10_000; n++) map.set(n * 65_536 + 1_024, { n });
  for (let n = 0; n < 10_000; n += 2) map.delete(n * 65_536 + 1_024);
  expect(map.size).toBe(5_000);
  for (let n = 0; n < 10_000; n++) expect(map.get(n * 65_536 + 1_024)?.n).toBe(n % 2 === 0 ? undefined : n);
});
