import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { instant, seconds } from '../../../src/core/time.ts';
import { leasePlace, LeaseTable, NO_HOLDER } from '../../../src/control/lease-table.ts';
import { BLOCK_PORTS, BLOCKS } from '../../../src/control/protocol.ts';

const at = (s: number) => instant(s * 1e6);

describe('LeaseTable', () => {
  it('grants whole blocks, never ports below 1024, and finds the owner of each port', () => {
    const table = new LeaseTable({ silence: seconds(30) });
    const blocks = table.grant(3, 100, 0);
    expect(blocks).toHaveLength(63);
    expect(table.free).toBe(0);
    for (let port = 0; port < 65_536; port++) expect(table.ownerOfPort(port)).toBe(port < 1024 ? NO_HOLDER : 3);
    expect(table.grant(4, 1, 0)).toEqual([]);
  });

  it('respects the first port', () => {
    const table = new LeaseTable({ silence: seconds(30), firstPort: 40_000 });
    const blocks = table.grant(0, 64, 7);
    expect(Math.min(...blocks) * BLOCK_PORTS).toBe(40_960);
    expect(blocks).toHaveLength(table.capacity);
    expect(table.ownerOfPort(40_000)).toBe(NO_HOLDER);
  });

  it('counts what is held already', () => {
    const table = new LeaseTable({ silence: seconds(30) });
    expect(table.grant(0, 4, 0)).toHaveLength(4);
    expect(table.grant(0, 6, 0)).toHaveLength(2);
    expect(table.grant(0, 6, 0)).toHaveLength(0);
    expect(table.grant(0, 1, 0)).toHaveLength(0);
    expect(table.blocksOf(0)).toHaveLength(6);
  });

  it('begins at the place of the holder, so that a restart seldom mixes instances up', () => {
    const first = new LeaseTable({ silence: seconds(30) });
    const a = first.grant(0, 4, 10);
    const b = first.grant(1, 4, 40);
    const restarted = new LeaseTable({ silence: seconds(30) });
    restarted.grant(0, 4, 40);
    expect(restarted.reclaim(1, a)).toEqual(a);
    expect(restarted.blocksOf(0)).toEqual(b);
  });

  it('grants the block that has been free the longest when none is unused', () => {
    const table = new LeaseTable({ silence: seconds(30), firstPort: 61 * 1024 });
    expect([0, 1, 2].flatMap((holder) => table.grant(holder, 1, 0))).toEqual([61, 62, 63]);
    table.release(1);
    table.release(0);
    table.release(2);
    expect(table.grant(3, 2, 0)).toEqual([62, 61]);
  });

  it('keeps the lease of a vanished holder for the silence, and no longer', () => {
    const table = new LeaseTable({ silence: seconds(30) });
    const blocks = table.grant(0, 2, 0);
    table.vanish(0, at(100));
    expect(table.expire(at(129.9))).toEqual([]);
    expect(table.ownerOfPort(blocks[0]! * 1024)).toBe(0);
    expect(table.expire(at(130))).toEqual([0]);
    expect(table.blocksOf(0)).toEqual([]);
  });

  it('forgets the silence of a holder that is back', () => {
    const table = new LeaseTable({ silence: seconds(30) });
    const blocks = table.grant(0, 2, 0);
    table.vanish(0, at(100));
    table.appear(0);
    expect(table.expire(at(1000))).toEqual([]);
    expect(table.reclaim(0, blocks)).toEqual(blocks);
  });

  it('gives back on reclaim what is free or its own, not what others have', () => {
    const table = new LeaseTable({ silence: seconds(30) });
    const mine = table.grant(0, 3, 0);
    table.release(0);
    table.reclaim(1, [mine[1]!]);
    expect(table.reclaim(0, [...mine, 0])).toEqual([mine[0], mine[2]]);
    expect(table.ownerOfPort(0)).toBe(NO_HOLDER);
  });

  it('agrees with a plain model on any sequence of operations', () => {
    const holder = fc.integer({ min: 0, max: 4 });
    const blocks = fc.array(fc.integer({ min: 0, max: 63 }), { maxLength: 6 });
    const step = fc.oneof(
      fc.record({ op: fc.constant('grant' as const), holder, total: fc.integer({ min: 0, max: 20 }) }),
      fc.record({ op: fc.constant('reclaim' as const), holder, blocks }),
      fc.record({ op: fc.constant('release' as const), holder }),
      fc.record({ op: fc.constant('vanish' as const), holder }),
      fc.record({ op: fc.constant('appear' as const), holder }),
      fc.record({ op: fc.constant('wait' as const), seconds: fc.integer({ min: 1, max: 20 }) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const table = new LeaseTable({ silence: seconds(30) });
        const owner = new Map<number, number>();
        const gone = new Map<number, number>();
        let now = 0;
        for (const s of steps) {
          if (s.op === 'grant') {
            const had = [...owner.values()].filter((h) => h === s.holder).length;
            const added = table.grant(s.holder, s.total, s.holder * 11);
            expect(added).toHaveLength(Math.max(0, Math.min(s.total - had, 63 - owner.size)));
            for (const block of added) {
              expect(owner.has(block)).toBe(false);
              expect(block).toBeGreaterThan(0);
              owner.set(block, s.holder);
            }
          } else if (s.op === 'reclaim') {
            table.reclaim(s.holder, s.blocks);
            for (const block of s.blocks) if (block > 0 && !owner.has(block)) owner.set(block, s.holder);
          } else if (s.op === 'release') {
            table.release(s.holder);
            gone.delete(s.holder);
            for (const [block, who] of owner) if (who === s.holder) owner.delete(block);
          } else if (s.op === 'vanish') {
            table.vanish(s.holder, at(now));
            gone.set(s.holder, now + 30);
          } else if (s.op === 'appear') {
            table.appear(s.holder);
            gone.delete(s.holder);
          } else {
            now += s.seconds;
            const expired = [...gone].filter(([, when]) => when <= now).map(([h]) => h);
            expect(table.expire(at(now)).sort()).toEqual(expired.sort());
            for (const h of expired) {
              gone.delete(h);
              for (const [block, who] of owner) if (who === h) owner.delete(block);
            }
          }
          expect(table.free).toBe(63 - owner.size);
          for (let block = 0; block < BLOCKS; block++) {
            expect(table.ownerOfPort(block * 1024 + 1023)).toBe(owner.get(block) ?? NO_HOLDER);
          }
        }
      }),
      { numRuns: 200 },
    );
  });
});

describe('leasePlace', () => {
  it('is the same for one id and differs between ids', () => {
    const ids = Array.from({ length: 50 }, (_, i) => Uint8Array.of(i, 0, 0, 0, 0, 0, 0, i));
    expect(leasePlace(ids[3]!)).toBe(leasePlace(ids[3]!.slice()));
    expect(new Set(ids.map(leasePlace)).size).toBe(50);
  });
});
