import { describe, expect, it } from 'vitest';
import { Anteroom } from '../../../src/intercept/anteroom.ts';

describe('an anteroom', () => {
  it('has room for so many', () => {
    const room = new Anteroom<string>(2);
    expect([room.enter('a', '1'), room.enter('b', '2')]).toEqual([undefined, undefined]);
    expect(room.leave('a')).toBe(true);
    expect(room.leave('a')).toBe(false);
    expect(room.enter('c', '3')).toBeUndefined();
    expect([...room]).toEqual(['b', 'c']);
  });

  it('gives up the oldest of the address that has the most', () => {
    const room = new Anteroom<string>(4);
    for (const [guest, address] of ['a1', 'b1', 'b2', 'c1'].map((name) => [name, name[0]!] as const)) {
      expect(room.enter(guest, address)).toBeUndefined();
    }
    expect(room.enter('d1', 'd')).toBe('b1');
    expect(room.leave('b1')).toBe(false);
    // Now all have one: who came first.
    expect(room.enter('e1', 'e')).toBe('a1');
    expect(room.enter('e2', 'e')).toBe('e1');
    expect(room.size).toBe(4);
  });

  it('lets one in from elsewhere, however fast others come', () => {
    const room = new Anteroom<number>(8);
    for (let i = 0; i < 100; i++) room.enter(i, 'flood');
    expect(room.enter(1_000, 'tcpcopy')).toBe(92);
    for (let i = 100; i < 200; i++) expect(room.enter(i, 'flood')).not.toBe(1_000);
    expect(room.leave(1_000)).toBe(true);
  });
});
