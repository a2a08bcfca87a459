import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seqAdd, seqNum } from '../../../src/core/seq-num.ts';
import { Assembler } from '../../../src/reassembly/assembler.ts';

const roomy = { maxBytes: 1 << 20, maxPieces: 1_000 };
const bytesOf = (text: string) => new TextEncoder().encode(text);

function insert(store: Assembler<string>, seq: number, text: string, note?: string): number {
  return store.insert(seqNum(seq), bytesOf(`<${text}>`), 1, text.length, note);
}

/** Everything that continues the stream at `next`, as text. */
function take(store: Assembler<string>, next: number): string {
  let out = '';
  let at = seqNum(next);
  for (let piece = store.takeReady(at); piece !== undefined; piece = store.takeReady(at)) {
    out += piece.bytes
      ? new TextDecoder().decode(piece.bytes.subarray(piece.offset, piece.offset + piece.length))
      : '.'.repeat(piece.length);
    at = seqAdd(at, piece.length);
  }
  return out;
}

describe('Assembler', () => {
  it('hands out what continues the stream, in order, and nothing else', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 10, 'cd');
    insert(store, 8, 'ab');
    insert(store, 20, 'zz');
    expect(take(store, 5)).toBe('');
    expect(take(store, 8)).toBe('abcd');
    expect(store.heldBytes).toBe(2);
    expect(store.firstSeq).toBe(20);
    expect(store.endSeq).toBe(22);
  });

  it('keeps the first copy of each byte', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 10, 'BB');
    expect(insert(store, 8, 'xxxxxx')).toBe(4);
    expect(insert(store, 8, 'yyyyyy')).toBe(0);
    expect(take(store, 8)).toBe('xxBBxx');
  });

  it('copies: the source may be overwritten afterwards, also when it is a Buffer', () => {
    const store = new Assembler<string>(roomy);
    const source = Buffer.from('hello');
    store.insert(seqNum(1), source, 0, 5);
    source.fill(0);
    expect(take(store, 1)).toBe('hello');
  });

  it('goes over the wrap of sequence space', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 0, 'cd');
    insert(store, 0xffff_fffe, 'ab');
    expect(store.ranges().map((r) => [r.start >>> 0, r.end >>> 0])).toEqual([[0xffff_fffe, 2]]);
    expect(take(store, 0xffff_fffe)).toBe('abcd');
  });

  it('trims what the stream has passed', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 10, 'abcdef', 'n');
    const piece = store.takeReady(seqNum(13));
    expect(piece).toMatchObject({ seq: 13, length: 3, offset: 3, note: 'n' });
    expect(store.isEmpty).toBe(true);
    expect(store.heldBytes).toBe(0);
  });

  it('forgets from a point on', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 10, 'abcd');
    insert(store, 20, 'efgh');
    store.discardFrom(seqNum(12));
    expect(store.heldBytes).toBe(2);
    store.discardFrom(seqNum(5));
    expect(store.isEmpty).toBe(true);
  });

  it('remembers lengths without bytes, as one piece while they adjoin', () => {
    const store = new Assembler<string>({ maxBytes: 1 << 20, maxPieces: 2 });
    for (let seq = 100; seq < 200; seq += 10) store.insert(seqNum(seq), undefined, 0, 10);
    expect(store.pieceCount).toBe(1);
    expect(store.takeReady(seqNum(100))).toMatchObject({ length: 100, bytes: undefined });
  });

  it('names the newest range first for SACK', () => {
    const store = new Assembler<string>(roomy);
    insert(store, 10, 'aa');
    insert(store, 30, 'cc');
    insert(store, 20, 'bb');
    insert(store, 22, 'bb');
    expect(store.sackBlocks(2)).toEqual([
      { start: 20, end: 24 },
      { start: 10, end: 12 },
    ]);
  });

  it('refuses and counts what exceeds its caps', () => {
    const store = new Assembler<string>({ maxBytes: 4, maxPieces: 2 });
    expect(store.fits(4)).toBe(true);
    expect(insert(store, 10, 'abcdef')).toBe(4);
    expect(store.refusedBytes).toBe(2);
    expect(store.fits(1)).toBe(false);
    expect(take(store, 10)).toBe('abcd');
    insert(store, 20, 'a');
    insert(store, 22, 'b');
    expect(insert(store, 24, 'c')).toBe(0);
    expect(store.refusedBytes).toBe(3);
  });

  it('equals a map of bytes on random input, at any place in sequence space', () => {
    const step = fc.record({ at: fc.nat(60), length: fc.integer({ min: 1, max: 12 }), take: fc.nat(9) });
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 40 }), (base, steps) => {
        const store = new Assembler<string>(roomy);
        const model = new Map<number, number>();
        let next = 0;
        let serial = 1;
        for (const { at, length, take: every } of steps) {
          const bytes = Uint8Array.from({ length }, () => serial++ & 255);
          let fresh = 0;
          for (let i = 0; i < length; i++) {
            if (!model.has(at + i) && at + i >= next) {
              model.set(at + i, bytes[i]!);
              fresh++;
            }
          }
          store.discardBefore(seqNum(base + next));
          const from = Math.max(at, next);
          const stored =
            from < at + length ? store.insert(seqNum(base + from), bytes, from - at, at + length - from) : 0;
          expect(stored).toBe(fresh);
          if (every > 0) continue;
          for (;;) {
            const piece = store.takeReady(seqNum(base + next));
            if (piece === undefined) break;
            for (let i = 0; i < piece.length; i++) expect(piece.bytes![piece.offset + i]).toBe(model.get(next + i));
            next += piece.length;
          }
          expect(model.has(next)).toBe(false);
          expect(store.heldBytes).toBe([...model.keys()].filter((k) => k >= next).length);
        }
      }),
      { numRuns: 500 },
    );
  });
});
