import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { ACTIVE, AHEAD, CLOSED, FlowTable } from '../../../src/reassembly/flow-table.ts';
import { clientSegment, serverSegment, type Ends } from '../../support/segment-builder.ts';

const at = (seconds: number) => instant(seconds * 1_000_000);
const there = (ends: Ends) => clientSegment({ seq: 0 }, ends);
const back = (ends: Ends) => serverSegment({ seq: 0 }, ends);

describe('FlowTable', () => {
  it('finds a flow from both directions, and says from which', () => {
    const table = new FlowTable({ maxFlows: 10 });
    const entry = table.insert(there({}), at(0));
    expect(table.find(there({}))).toBe(entry * 2);
    expect(table.find(back({}))).toBe(entry * 2 + 1);
    table.remove(entry);
    expect(table.find(there({}))).toBe(-1);
  });

  it.each<Ends>([
    { clientPort: 40_001 },
    { serverPort: 81 },
    { client: '192.0.2.2' },
    { server: '198.51.100.2' },
    { encapsulation: 7 },
    { client: '2001:db8::c000:201', server: '2001:db8::1' },
    { client: '198.51.100.1', clientPort: 40_000, server: '192.0.2.1', serverPort: 80 },
  ])('tells %j from the flow it resembles', (ends) => {
    const table = new FlowTable({ maxFlows: 10 });
    table.insert(there({}), at(0));
    expect(table.find(there(ends))).toBe(-1);
    expect(table.find(back(ends))).toBe(-1);
  });

  it('finds the same after it has looked ahead', () => {
    const table = new FlowTable({ maxFlows: 1_000 });
    const known = Array.from({ length: 700 }, (_, i) => there({ clientPort: i }));
    const entries = known.map((segment) => table.insert(segment, at(0)));
    for (let first = 0; first + AHEAD <= 1_000; first += AHEAD) {
      const segments = Array.from({ length: AHEAD }, (_, i) => back({ clientPort: first + i }));
      table.expect(segments, AHEAD);
      const found = segments.map((segment, i) => table.findExpected(segment, i));
      expect(found).toEqual(segments.map((_, i) => (first + i < 700 ? entries[first + i]! * 2 + 1 : -1)));
    }
  });

  it('finds what was expected although flows came and went since', () => {
    const table = new FlowTable({ maxFlows: 4_000, seed: 1 });
    const flow = (clientPort: number) => there({ clientPort });
    const opened = (from: number, to: number) => {
      for (let port = from; port < to; port++) table.insert(flow(port), at(0));
    };
    opened(0, 900);
    const expected = Array.from({ length: AHEAD }, (_, i) => flow(i * 16));
    table.expect(expected, AHEAD);
    for (let port = 0; port < 900; port += 3) table.remove(table.find(flow(port)) >> 1);
    for (const grown of [950, 1_000, 3_000]) {
      opened(grown - 50, grown);
      expect(expected.map((segment, i) => table.findExpected(segment, i))).toEqual(
        expected.map((segment) => table.find(segment)),
      );
      expect(expected.filter((segment) => table.find(segment) >= 0).length).toBeGreaterThan(30);
    }
  });

  it('grows to its cap and no further', () => {
    const table = new FlowTable({ maxFlows: 3_000 });
    for (let i = 0; i < 3_000; i++) expect(table.insert(there({ clientPort: i }), at(0))).toBeGreaterThanOrEqual(0);
    expect(table.insert(there({ clientPort: 3_000 }), at(0))).toBe(-1);
    expect(table.size).toBe(3_000);
    for (let i = 0; i < 3_000; i++) expect(table.find(back({ clientPort: i })) & 1).toBe(1);
  });

  it('keeps each list in order of last touch, to its granularity', () => {
    const table = new FlowTable({ maxFlows: 10, granularity: 1_000_000 });
    const [a, b, c] = [1, 2, 3].map((clientPort) => table.insert(there({ clientPort }), at(0))) as [
      number,
      number,
      number,
    ];
    table.touch(a, at(0.5));
    expect(table.oldest(ACTIVE)).toBe(a);
    table.touch(a, at(2));
    expect(table.oldest(ACTIVE)).toBe(b);
    table.retire(b, at(3));
    expect([table.oldest(ACTIVE), table.oldest(CLOSED)]).toEqual([c, b]);
    table.touch(b, at(9));
    expect(table.touchedAt(b)).toBe(at(3));
    table.remove(c);
    table.remove(b);
    expect([table.oldest(ACTIVE), table.oldest(CLOSED)]).toEqual([a, -1]);
  });

  it('stays equal to a map through insertions and removals that collide', () => {
    const operation = fc.record({ port: fc.integer({ min: 1, max: 60 }), remove: fc.boolean() });
    fc.assert(
      fc.property(fc.integer(), fc.array(operation, { maxLength: 200 }), (seed, operations) => {
        const table = new FlowTable({ maxFlows: 40, seed });
        const model = new Map<number, number>();
        for (const { port, remove } of operations) {
          const segment = there({ clientPort: port });
          const known = model.get(port);
          expect(table.find(segment)).toBe(known === undefined ? -1 : known * 2);
          if (remove && known !== undefined) {
            table.remove(known);
            model.delete(port);
          } else if (!remove && known === undefined) {
            const entry = table.insert(segment, at(0));
            expect(entry === -1).toBe(model.size === 40);
            if (entry >= 0) model.set(port, entry);
          }
          expect(table.size).toBe(model.size);
        }
        for (const [port, entry] of model) expect(table.find(back({ clientPort: port }))).toBe(entry * 2 + 1);
      }),
      { numRuns: 200 },
    );
  });
});
