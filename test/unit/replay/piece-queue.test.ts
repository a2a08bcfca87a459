import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteBudget, PieceQueue } from '../../../src/replay/piece-queue.ts';

const LIMIT = 1_000;

function filled(...texts: string[]): { budget: ByteBudget; queue: PieceQueue } {
  const budget = new ByteBudget(10_000);
  const queue = new PieceQueue(budget, LIMIT);
  for (const text of texts) push(queue, text);
  return { budget, queue };
}

function push(queue: PieceQueue, text: string): void {
  const bytes = new TextEncoder().encode(`<<${text}>>`);
  queue.push(bytes, 2, text.length);
}

/** Drains up to `most` bytes; `room` says how many the taker has place for. */
function drain(queue: PieceQueue, most = Infinity, room = Infinity): string {
  let text = '';
  let left = room;
  const gone = queue.drain(most, {
    take(bytes, offset, length) {
      const accepted = Math.min(length, left);
      left -= accepted;
      text += new TextDecoder().decode(bytes.subarray(offset, offset + accepted));
      return accepted;
    },
  });
  expect(gone).toBe(text.length);
  return text;
}

describe('a piece queue', () => {
  it('gives back what went in, in order, and copies it', () => {
    const { budget, queue } = filled();
    const bytes = new TextEncoder().encode('hello');
    queue.push(bytes, 1, 3);
    bytes.fill(0);
    push(queue, 'p!');
    expect([queue.length, budget.used]).toEqual([5, 5]);
    expect(drain(queue)).toBe('ellp!');
    expect([queue.length, budget.used]).toEqual([0, 0]);
  });

  it('stops where the taker stops, and goes on there', () => {
    const { queue } = filled('abc', 'def');
    expect(drain(queue, Infinity, 4)).toBe('abcd');
    expect(drain(queue, Infinity, 0)).toBe('');
    expect(drain(queue)).toBe('ef');
  });

  it('offers no more than asked for', () => {
    const { queue } = filled('abc', 'def');
    expect(drain(queue, 2)).toBe('ab');
    expect(drain(queue, 2)).toBe('cd');
    expect(drain(queue, 100)).toBe('ef');
  });

  it('forgets from the front', () => {
    const { budget, queue } = filled('abc', 'def');
    queue.discard(4);
    expect([queue.length, budget.used]).toEqual([2, 2]);
    expect(drain(queue)).toBe('ef');
  });

  it('forgets from the back, pieces and parts of them', () => {
    const { budget, queue } = filled('abc', 'def', 'gh');
    queue.discardTail(4);
    expect([queue.length, budget.used]).toEqual([4, 4]);
    push(queue, 'X');
    expect(drain(queue)).toBe('abcdX');
  });

  it('forgets from the back of a piece already begun', () => {
    const { queue } = filled('abcdef');
    drain(queue, 2);
    queue.discardTail(3);
    push(queue, 'X');
    expect(drain(queue)).toBe('cX');
  });

  it('forgets all of a piece already begun', () => {
    const { budget, queue } = filled('abcdef');
    drain(queue, 2);
    queue.discardTail(4);
    expect([queue.length, budget.used]).toEqual([0, 0]);
    push(queue, 'X');
    expect(drain(queue)).toBe('X');
  });
});

describe('the limits of a piece queue', () => {
  it('are its own, and the budget it shares with others', () => {
    const budget = new ByteBudget(1_500);
    const one = new PieceQueue(budget, LIMIT);
    const other = new PieceQueue(budget, LIMIT);
    expect(one.refuses(LIMIT)).toBeUndefined();
    expect(one.refuses(LIMIT + 1)).toBe('queue-cap');
    one.push(new Uint8Array(LIMIT), 0, LIMIT);
    expect(one.refuses(1)).toBe('queue-cap');
    expect(other.refuses(500)).toBeUndefined();
    expect(other.refuses(501)).toBe('memory-cap');
    one.discard(1);
    expect(other.refuses(501)).toBeUndefined();
  });

  it('count pieces too, since a piece costs more than its bytes', () => {
    const queue = new PieceQueue(new ByteBudget(1 << 30), 1 << 20);
    let pieces = 0;
    for (; queue.refuses(1) === undefined; pieces++) push(queue, 'x');
    expect(queue.refuses(1)).toBe('queue-cap');
    expect(pieces).toBe(16_384);
    queue.discard(1);
    expect(queue.refuses(1)).toBeUndefined();
  });

  it('is the budget alone where reading waits for a crowded queue', () => {
    const queue = new PieceQueue(new ByteBudget(20_000, false), LIMIT);
    for (let i = 0; i < 20_000; i++) {
      expect(queue.refuses(1)).toBeUndefined();
      push(queue, 'x');
    }
    expect(queue.crowded).toBe(true);
    expect(queue.refuses(1)).toBe('memory-cap');
  });

  it('are announced well before they are reached', () => {
    const { queue } = filled();
    queue.push(new Uint8Array(250), 0, 250);
    expect(queue.crowded).toBe(false);
    push(queue, 'x');
    expect(queue.crowded).toBe(true);
    queue.discard(1);
    expect(queue.crowded).toBe(false);

    const many = new PieceQueue(new ByteBudget(1 << 30), 1 << 30);
    for (let i = 0; i < 4_097; i++) push(many, 'x');
    expect(many.crowded).toBe(true);
  });
});

describe('memory', () => {
  it('of pieces that are gone is free, even when the queue never runs empty', () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const piece = 256 << 10;
    const queue = new PieceQueue(new ByteBudget(Infinity), Infinity);
    const bytes = new Uint8Array(piece);
    queue.push(bytes, 0, piece);
    collect();
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 1_000; i++) {
      queue.push(bytes, 0, piece);
      queue.discard(piece);
    }
    collect();
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(300 * piece);
  });
});

const operations = fc.array(
  fc.oneof(
    fc.record({ do: fc.constant('push' as const), n: fc.integer({ min: 1, max: 40 }) }),
    fc.record({ do: fc.constant('drain' as const), n: fc.nat(60), room: fc.nat(60) }),
    fc.record({ do: fc.constant('discard' as const), n: fc.nat(60) }),
    fc.record({ do: fc.constant('tail' as const), n: fc.nat(60) }),
  ),
  { maxLength: 200 },
);

describe('against a string', () => {
  it('holds the same bytes after every operation', () => {
    fc.assert(
      fc.property(operations, (script) => {
        const { budget, queue } = filled();
        let model = '';
        let next = 0;
        for (const operation of script) {
          const n = operation.do === 'push' ? operation.n : Math.min(operation.n, model.length);
          if (operation.do === 'push') {
            const text = Array.from({ length: n }, () => String.fromCharCode(33 + (next++ % 90))).join('');
            push(queue, text);
            model += text;
          } else if (operation.do === 'drain') {
            const expected = model.slice(0, Math.min(n, operation.room));
            expect(drain(queue, n, operation.room)).toBe(expected);
            model = model.slice(expected.length);
          } else if (operation.do === 'discard') {
            queue.discard(n);
            model = model.slice(n);
          } else {
            queue.discardTail(n);
            model = model.slice(0, model.length - n);
          }
          expect([queue.length, budget.used]).toEqual([model.length, model.length]);
        }
        expect(drain(queue)).toBe(model);
        expect([queue.length, budget.used]).toEqual([0, 0]);
      }),
      { numRuns: 500 },
    );
  });
});
