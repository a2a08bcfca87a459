import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SendBuffer, SendBufferPool } from '../../../src/session/send-buffer.ts';

/** The dull model: an array of bytes, and where its first byte lies in its first block. */
class Model {
  bytes: number[] = [];
  headOffset = 0;

  blocks(size: number): number {
    return this.bytes.length === 0 ? 0 : Math.ceil((this.headOffset + this.bytes.length) / size);
  }

  discard(count: number, size: number): void {
    this.bytes.splice(0, count);
    this.headOffset = this.bytes.length === 0 ? 0 : (this.headOffset + count) % size;
  }
}

const QUEUES = 3;
const operation = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('append' as const), queue: fc.nat(QUEUES - 1), n: fc.nat(700) }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ op: fc.constant('discard' as const), queue: fc.nat(QUEUES - 1), n: fc.nat(600) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ op: fc.constant('read' as const), queue: fc.nat(QUEUES - 1), n: fc.nat(2_000) }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ op: fc.constant('clear' as const), queue: fc.nat(QUEUES - 1), n: fc.constant(0) }),
  },
);

describe('send buffer', () => {
  it('behaves like an array of bytes, whatever the order of appends, reads and acknowledgements', () => {
    fc.assert(
      fc.property(
        fc.array(operation, { maxLength: 120 }),
        fc.constantFrom(64, 256),
        fc.integer({ min: 1, max: 20 }),
        (ops, size, limit) => {
          const pool = new SendBufferPool({ limit: limit * size + 5, blockSize: size });
          const queues = Array.from({ length: QUEUES }, () => new SendBuffer(pool));
          const models = Array.from({ length: QUEUES }, () => new Model());
          let refused = 0;
          let next = 0;
          for (const { op, queue: i, n } of ops) {
            const queue = queues[i]!;
            const model = models[i]!;
            if (op === 'append') {
              const used = models.reduce((sum, m) => sum + m.blocks(size), 0);
              const inTail =
                model.bytes.length === 0 ? 0 : model.blocks(size) * size - model.headOffset - model.bytes.length;
              const room = Math.min(n, inTail + (limit - used) * size);
              const bytes = Array.from({ length: n }, () => (next = (next * 5 + 3) & 255));
              expect(queue.append(Uint8Array.from([1, 2, ...bytes, 3]), 2, n)).toBe(room);
              model.bytes.push(...bytes.slice(0, room));
              refused += n - room;
            } else if (op === 'discard') {
              const count = Math.min(n, model.bytes.length);
              queue.discard(count);
              model.discard(count, size);
            } else if (op === 'read') {
              const start = model.bytes.length === 0 ? 0 : n % model.bytes.length;
              const length = Math.min(model.bytes.length - start, (n * 7) % 900);
              const target = new Uint8Array(length + 9).fill(0xcc);
              if (length > 0) queue.copyTo(start, length, target, new DataView(target.buffer), 5);
              expect([...target]).toEqual([
                204,
                204,
                204,
                204,
                204,
                ...model.bytes.slice(start, start + length),
                204,
                204,
                204,
                204,
              ]);
            } else {
              queue.clear();
              model.discard(model.bytes.length, size);
            }
            expect(queue.length).toBe(model.bytes.length);
            expect(pool.usedBlocks).toBe(models.reduce((sum, m) => sum + m.blocks(size), 0));
          }
          expect(pool.refusedBytes).toBe(refused);
          expect(pool.allocatedBytes).toBeLessThanOrEqual(limit * size);
        },
      ),
      { numRuns: 400 },
    );
  });

  it('grows as needed, by a mebibyte, up to its cap', () => {
    const pool = new SendBufferPool({ limit: 2_500_000 });
    expect(pool.allocatedBytes).toBe(0);
    const queue = new SendBuffer(pool);
    const bytes = new Uint8Array(1 << 20).fill(7);
    expect(queue.append(bytes, 0, 1)).toBe(1);
    expect(pool.allocatedBytes).toBe(1 << 20);
    expect(queue.append(bytes, 0, 1 << 20)).toBe(1 << 20);
    expect(pool.allocatedBytes).toBe(2 << 20);
    queue.append(bytes, 0, 1 << 20);
    expect(queue.append(bytes, 0, 1 << 20)).toBeLessThan(1 << 20);
    expect(pool.allocatedBytes).toBe(Math.floor(2_500_000 / 2_048) * 2_048);
    expect(queue.length).toBe(pool.allocatedBytes);
    expect(pool.peakBlocks).toBe(pool.blockLimit);
    queue.clear();
    expect(pool.usedBlocks).toBe(0);
  });

  it('refuses a block size it cannot compute with', () => {
    for (const blockSize of [0, 32, 1_000, 131_072]) {
      expect(() => new SendBufferPool({ limit: 1 << 20, blockSize })).toThrow(/power of two/);
    }
  });
});
