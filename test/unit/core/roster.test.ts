import { expect, it } from 'vitest';
import { Roster } from '../../../src/core/roster.ts';

const thing = (name: string) => ({ name, rosterIndex: -1 });

it('holds what was added and not taken out, each once', () => {
  const [a, b, c] = [thing('a'), thing('b'), thing('c')];
  const roster = new Roster<typeof a>();
  for (const each of [a, b, c, a]) roster.add(each);
  expect(roster.size).toBe(3);
  roster.delete(a);
  roster.delete(a);
  expect(new Set(roster.members)).toEqual(new Set([b, c]));
  roster.delete(c);
  roster.add(a);
  roster.delete(b);
  expect(roster.members).toEqual([a]);
  roster.delete(a);
  expect(roster.size).toBe(0);
});
