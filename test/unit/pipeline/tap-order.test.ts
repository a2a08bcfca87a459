import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PHASES, type Phase } from '../../../src/pipeline/phases.ts';
import { orderTaps, type OrderedTap } from '../../../src/pipeline/tap-order.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';

const tap = (name: string, order: number, more: Partial<OrderedTap> = {}): OrderedTap => ({
  name,
  phase: 'rewrite',
  stage: 0,
  before: [],
  order,
  ...more,
});
const names = (taps: readonly OrderedTap[]) => taps.map(({ name }) => name).join(' ');

/** The dull reading of `before`: whether `tap` wants to run before itself, through whomever. */
function inCycle(tap: OrderedTap, taps: readonly OrderedTap[]): boolean {
  let reached = new Set(tap.before);
  for (let size = -1; size !== reached.size;) {
    size = reached.size;
    reached = new Set([...reached, ...taps.filter(({ name }) => reached.has(name)).flatMap(({ before }) => before)]);
  }
  return reached.has(tap.name);
}

/** By phase, stage, and as given: the order without any `before`. */
function asGiven(taps: readonly OrderedTap[]): OrderedTap[] {
  return taps.toSorted(
    (a, b) => PHASES.indexOf(a.phase) - PHASES.indexOf(b.phase) || a.stage - b.stage || a.order - b.order,
  );
}

describe('the order of taps', () => {
  it('is by phase, stage, and as given', () => {
    const taps = [
      tap('observes', 0, { phase: 'observe' }),
      tap('late', 1, { stage: 5 }),
      tap('first', 2),
      tap('second', 3),
      tap('early', 4, { stage: -1 }),
      tap('filters', 5, { phase: 'filter', stage: 99 }),
    ];
    expect(names(orderTaps('request', taps))).toBe('filters early first second late observes');
  });

  it("'before' moves up a tap and nothing else", () => {
    const taps = [tap('x', 0), tap('a', 1), tap('c', 2, { before: ['x'] }), tap('d', 3, { before: ['c'] })];
    expect(names(orderTaps('request', taps))).toBe('d c x a');
    const already = [tap('a', 0, { before: ['z'] }), tap('b', 1), tap('z', 2, { phase: 'observe' })];
    expect(names(orderTaps('request', already))).toBe('a b z');
  });

  it('keeps every before, and moves up only who has one', () => {
    const random = fc.array(
      fc.record({
        phase: fc.constantFrom<Phase>('filter', 'rewrite'),
        stage: fc.integer({ min: -1, max: 1 }),
        before: fc.uniqueArray(fc.nat(7), { maxLength: 2 }),
      }),
      { minLength: 1, maxLength: 8 },
    );
    let ordered = 0;
    fc.assert(
      fc.property(random, (rows) => {
        const taps = rows.map(({ phase, stage, before }, i) =>
          tap(`t${i}`, i, {
            phase,
            stage,
            // Others that are there, of the same phase: all else is refused, which other tests show.
            before: before.filter((n) => n !== i && rows[n]?.phase === phase).map((n) => `t${n}`),
          }),
        );
        if (taps.some((each) => inCycle(each, taps))) {
          expect(() => orderTaps('request', taps)).toThrow(/cannot be ordered/);
          return;
        }
        ordered++;
        const result = orderTaps('request', taps);
        const given = asGiven(taps);
        expect(names(asGiven(result))).toBe(names(given));
        const place = (name: string): number => result.findIndex((each) => each.name === name);
        for (const [at, { before, phase }] of result.entries()) {
          for (const name of before) expect(at).toBeLessThan(place(name));
          if (at > 0) expect(PHASES.indexOf(result[at - 1]!.phase)).toBeLessThanOrEqual(PHASES.indexOf(phase));
        }
        const plain = (list: readonly OrderedTap[]): string => names(list.filter(({ before }) => before.length === 0));
        expect(plain(result)).toBe(plain(given));
        // Who was moved up stands directly before somebody it named, but for others that must come before them too.
        for (const [at, { name, before }] of result.entries()) {
          const passed = given.slice(
            0,
            given.findIndex((each) => each.name === name),
          );
          const overtaken = passed.filter((other) => place(other.name) > at);
          if (overtaken.length === 0) continue;
          const between = result.slice(at + 1, Math.min(...before.map(place)));
          expect(between.filter((other) => other.before.length === 0)).toEqual([]);
        }
      }),
      { numRuns: 2_000 },
    );
    expect(ordered).toBeGreaterThan(500);
  });

  it.each([
    [
      [tap('a', 0), tap('b', 1, { before: ['c'] })],
      "plugin tap b: wants to run before 'c', which does not tap request; others on it: a [E_PLUGIN_HOOK]",
    ],
    [
      [tap('a', 0, { before: ['a'] })],
      "plugin tap a: wants to run before 'a', which does not tap request; no other plugin taps it [E_PLUGIN_HOOK]",
    ],
    [
      [tap('a', 0, { phase: 'filter' }), tap('b', 1, { before: ['a'] })],
      "plugin tap b: wants to run before 'a' on request, but rewrite comes after filter; " +
        "give it the phase filter, or leave 'before' out [E_PLUGIN_HOOK]",
    ],
    [
      [tap('a', 0, { before: ['b'] }), tap('b', 1, { before: ['a'] })],
      "plugin tap a: the taps of request cannot be ordered: a before b before a; take one 'before' away [E_PLUGIN_HOOK]",
    ],
  ])('what cannot be kept is refused', (taps, line) => {
    let message = '';
    try {
      orderTaps('request', taps);
    } catch (error) {
      message = (error as TcpcopyError).oneLine();
    }
    expect(message).toBe(line);
  });
});
