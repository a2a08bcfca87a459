import fc from 'fast-check';
import { expect, it } from 'vitest';
import { PacketBatch } from '../../../src/core/packet-batch.ts';

it('refuses room beyond its packets or its bytes', () => {
  const batch = new PacketBatch(2, 16);
  expect(batch.reserve(17)).toBe(-1);
  expect(batch.reserve(16)).toBe(0);
  batch.commit(5);
  expect(batch.reserve(8)).toBe(8);
  expect(batch.reserve(9)).toBe(-1);
  batch.commit(1);
  expect(batch.reserve(1)).toBe(-1);
  batch.clear();
  expect(batch.reserve(16)).toBe(0);
});

it('keeps packets whole, aligned and apart, whatever their lengths', () => {
  const length = fc.integer({ min: 1, max: 70 });
  fc.assert(
    fc.property(fc.array(length, { maxLength: 40 }), (lengths) => {
      const batch = new PacketBatch(16, 512);
      const kept: number[] = [];
      lengths.forEach((size, i) => {
        const at = batch.reserve(size);
        if (at < 0) return;
        expect(at + size).toBeLessThanOrEqual(512);
        batch.bytes.fill(i + 1, at, at + size);
        batch.commit(size);
        kept.push(i);
      });
      expect(batch.count).toBe(kept.length);
      kept.forEach((i, k) => {
        const offset = batch.offset[k]!;
        expect(offset % 4).toBe(0);
        expect(batch.length[k]).toBe(lengths[i]);
        expect([...batch.bytes.subarray(offset, offset + lengths[i]!)]).toEqual(Array(lengths[i]).fill(i + 1));
      });
    }),
  );
});
