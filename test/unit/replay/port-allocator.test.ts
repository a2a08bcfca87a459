import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PortAllocator } from '../../../src/replay/port-allocator.ts';

describe('PortAllocator', () => {
  it('hands out every leased port of an address once, then none', () => {
    const ports = new PortAllocator();
    expect(ports.acquire(0)).toBe(-1);
    ports.addPorts(5 * 1024, 2048);
    const seen = new Set<number>();
    for (let i = 0; i < 2048; i++) seen.add(ports.acquire(0));
    expect(seen.size).toBe(2048);
    expect(Math.min(...seen)).toBe(5120);
    expect(Math.max(...seen)).toBe(7167);
    expect(ports.acquire(0)).toBe(-1);
    expect(ports.acquire(1)).toBe(5120);
    expect(ports.inUse).toBe(2049);
  });

  it('uses fresh ports before released ones, and those in the order of their release', () => {
    const ports = new PortAllocator();
    ports.addPorts(1024, 1024);
    const first = [ports.acquire(0), ports.acquire(0), ports.acquire(0)];
    ports.release(0, first[1]!);
    ports.release(0, first[0]!);
    for (let i = 3; i < 1024; i++) expect(ports.acquire(0)).toBe(1024 + i);
    expect(ports.acquire(0)).toBe(first[1]);
    expect(ports.acquire(0)).toBe(first[0]);
    expect(ports.acquire(0)).toBe(-1);
    ports.release(0, first[2]!);
    ports.addPorts(2048, 1024);
    expect(ports.acquire(0)).toBe(2048);
  });

  it('ignores what is not in use', () => {
    const ports = new PortAllocator();
    ports.addPorts(1024, 1024);
    const port = ports.acquire(0);
    ports.release(0, port + 1);
    ports.release(9, port);
    ports.release(0, 60_000);
    ports.release(0, port);
    ports.release(0, port);
    expect(ports.inUse).toBe(0);
    const all = Array.from({ length: 1025 }, () => ports.acquire(0));
    expect(new Set(all).size).toBe(1025);
    expect(all.at(-1)).toBe(-1);
  });

  it('hands out no port of a lost block, and none twice when the block comes back', () => {
    const ports = new PortAllocator();
    ports.addPorts(1024, 2048);
    const held = Array.from({ length: 1500 }, () => ports.acquire(0));
    ports.release(0, held[0]!);
    ports.removePorts(1024, 1024);
    const after = Array.from({ length: 600 }, () => ports.acquire(0)).filter((port) => port >= 0);
    expect(after).toHaveLength(2048 - 1500);
    expect(after.every((port) => port >= 2048)).toBe(true);
    ports.addPorts(1024, 1024);
    expect(ports.acquire(0)).toBe(1024);
    expect(ports.acquire(0)).toBe(-1);
    ports.release(0, held[7]!);
    expect(ports.acquire(0)).toBe(held[7]);
  });

  it('forgets addresses that stay idle, and no others', () => {
    const ports = new PortAllocator();
    ports.addPorts(1024, 1024);
    const busy = ports.acquire(0);
    ports.release(1, ports.acquire(1));
    ports.sweep();
    expect(ports.addresses).toBe(2);
    ports.sweep();
    expect(ports.addresses).toBe(1);
    ports.release(0, busy);
    ports.sweep();
    expect(ports.addresses).toBe(1);
    ports.sweep();
    expect(ports.addresses).toBe(0);
    expect(ports.acquire(0)).toBe(1024);
  });

  it('needs little for a hundred thousand addresses', () => {
    const ports = new PortAllocator();
    ports.addPorts(1024, 8192);
    for (let i = 0; i < 100_000; i++) expect(ports.acquire(i)).toBe(1024);
    for (let i = 0; i < 100_000; i++) ports.release(i, 1024);
    ports.sweep();
    ports.sweep();
    expect(ports.addresses).toBe(0);
    expect(ports.inUse).toBe(0);
  });

  it('agrees with a plain model: nothing handed out twice, the longest free first', () => {
    const block = fc.integer({ min: 1, max: 3 });
    const address = fc.integer({ min: 0, max: 1 });
    const step = fc.oneof(
      { weight: 5, arbitrary: fc.record({ op: fc.constant('acquire' as const), address, count: fc.constantFrom(1, 3, 700) }) },
      { weight: 5, arbitrary: fc.record({ op: fc.constant('release' as const), address, pick: fc.nat(), count: fc.constantFrom(1, 500) }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('add' as const), block }) },
      { weight: 1, arbitrary: fc.record({ op: fc.constant('remove' as const), block }) },
    ); // prettier-ignore
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const ports = new PortAllocator();
        // The model: per address the free ports in the order in which they may go, and those in use.
        const leased = new Set<number>();
        const models = [0, 1].map(() => ({ fresh: [] as number[], released: [] as number[], used: new Set<number>() }));
        for (const s of steps) {
          if (s.op === 'add' && !leased.has(s.block)) {
            ports.addPorts(s.block * 1024, 1024);
            leased.add(s.block);
            const all = Array.from({ length: 1024 }, (_, i) => s.block * 1024 + i);
            for (const m of models) m.fresh.push(...all);
          } else if (s.op === 'remove') {
            ports.removePorts(s.block * 1024, 1024);
            leased.delete(s.block);
            for (const m of models) {
              m.fresh = m.fresh.filter((p) => p >>> 10 !== s.block);
              m.released = m.released.filter((p) => p >>> 10 !== s.block);
            }
          } else if (s.op === 'acquire') {
            const m = models[s.address]!;
            for (let i = 0; i < s.count; i++) {
              let next = m.fresh.shift();
              while (next !== undefined && m.used.has(next)) next = m.fresh.shift();
              next ??= m.released.shift() ?? -1;
              if (ports.acquire(s.address) !== next) throw new Error(`expected ${next}`);
              if (next >= 0) m.used.add(next);
            }
          } else if (s.op === 'release') {
            const m = models[s.address]!;
            for (let i = 0; i < s.count && m.used.size > 0; i++) {
              const port = [...m.used][s.pick % m.used.size]!;
              ports.release(s.address, port);
              m.used.delete(port);
              // A port of a block that came back while it was in use may still be ahead as fresh.
              if (leased.has(port >>> 10) && !m.fresh.includes(port)) m.released.push(port);
            }
          }
        }
        expect(ports.inUse).toBe(models[0]!.used.size + models[1]!.used.size);
        expect(ports.leasedPorts).toBe(leased.size * 1024);
      }),
      { numRuns: 60 },
    );
  });
});
