import { describe, expect, it } from 'vitest';
import { RingBlocks } from '../../../src/capture/ring-blocks.ts';
import type { Direction } from '../../../src/capture/ring-frames.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { BLOCK, FakeKernel, USER, type FakeFrame } from '../../support/fake-ring.ts';

const setup = ({ cooked = false, direction = 'both' as Direction, capacity = 8 } = {}) => {
  const kernel = new FakeKernel();
  return { kernel, blocks: new RingBlocks(kernel.buffer, BLOCK, cooked, direction), batch: new FrameBatch(capacity) };
};
const frames = (n: number): FakeFrame[] => Array.from({ length: n }, (_, i) => ({ bytes: [i, i, i] }));
const firstBytes = (b: FrameBatch) => Array.from({ length: b.count }, (_, i) => b.bytes[b.offset[i]!]);

describe('RingBlocks', () => {
  it('reads frames with their lengths, time, flags and tag', () => {
    const { kernel, blocks, batch } = setup();
    kernel.fill([
      { bytes: [1, 2, 3], length: 1_500, status: 8 },
      { bytes: [4], status: 16 | 128, vlan: 0xe005, packetType: 4 },
    ]);
    expect(blocks.walk(batch)).toBe(true);
    expect(batch.count).toBe(2);
    expect([...batch.captured.subarray(0, 2)]).toEqual([3, 1]);
    expect([...batch.length.subarray(0, 2)]).toEqual([1_500, 1]);
    expect([...batch.flags.subarray(0, 2)]).toEqual([1, 2 | 4]);
    expect([...batch.vlanTci.subarray(0, 2)]).toEqual([0x10000, 0xe005]);
    expect([...batch.time.subarray(0, 2)]).toEqual([1_700_000_000_123_456.5, 1_700_000_000_123_456.5]);
    expect(firstBytes(batch)).toEqual([1, 4]);
  });

  it('gives a block back only when the batch after it is asked for', () => {
    const { kernel, blocks, batch } = setup();
    kernel.fill(frames(2));
    kernel.fill(frames(1));
    expect(blocks.walk(batch)).toBe(true);
    expect([kernel.status(0), kernel.status(1)]).toEqual([USER, USER]);
    expect(blocks.walk(batch)).toBe(true);
    expect([kernel.status(0), kernel.status(1)]).toEqual([0, USER]);
    expect(blocks.walk(batch)).toBe(false);
    expect(kernel.status(1)).toBe(0);
  });

  it('walks a block of more frames than a batch holds in turns, and goes round', () => {
    const { kernel, blocks, batch } = setup();
    for (let round = 0; round < 7; round++) {
      kernel.fill(frames(20));
      const seen: (number | undefined)[] = [];
      while (blocks.walk(batch)) {
        expect(batch.count).toBeLessThanOrEqual(8);
        seen.push(...firstBytes(batch));
      }
      expect(seen).toEqual(Array.from({ length: 20 }, (_, i) => i));
    }
  });

  it('is drained when neither a finished nor a begun block has frames', () => {
    const { kernel, blocks, batch } = setup();
    expect(blocks.drained()).toBe(true);
    kernel.fill(frames(1), false);
    expect(blocks.drained()).toBe(false);
    expect(blocks.walk(batch)).toBe(false);
    kernel.release();
    expect(blocks.drained()).toBe(false);
    expect(blocks.walk(batch)).toBe(true);
    expect(blocks.drained()).toBe(false);
    expect(blocks.walk(batch)).toBe(false);
    expect(blocks.drained()).toBe(true);
  });

  it('is half full when a block half way round waits to be walked', () => {
    const { kernel, blocks, batch } = setup();
    kernel.fill(frames(1));
    expect(blocks.halfFull).toBe(false);
    kernel.fill(frames(1));
    expect(blocks.halfFull).toBe(true);
    blocks.walk(batch);
    blocks.walk(batch);
    expect(blocks.halfFull).toBe(false);
    kernel.fill(frames(1));
    kernel.fill(frames(1));
    expect(blocks.halfFull).toBe(true);
  });

  it.each([
    ['in', [1, 3]],
    ['out', [2, 4]],
    ['both', [1, 2, 3]],
  ] as const)('delivers direction %s, and each loopback frame once', (direction, expected) => {
    const { kernel, blocks, batch } = setup({ direction });
    kernel.fill([
      { bytes: [1] },
      { bytes: [2], packetType: 4 },
      { bytes: [3], hatype: 772 },
      { bytes: [4], hatype: 772, packetType: 4 },
    ]);
    blocks.walk(batch);
    expect(firstBytes(batch)).toEqual(expected);
  });

  it('yields an empty batch for a block without wanted frames, and gives it back', () => {
    const { kernel, blocks, batch } = setup({ direction: 'out' });
    kernel.fill(frames(3));
    expect(blocks.walk(batch)).toBe(true);
    expect(batch.count).toBe(0);
    expect(blocks.walk(batch)).toBe(false);
    expect(kernel.status(0)).toBe(0);
  });

  it('calls cooked IP raw, and puts a cooked header before anything else', () => {
    const { kernel, blocks, batch } = setup({ cooked: true });
    kernel.fill([
      { bytes: [0x45, 0] },
      { bytes: [0x60, 0], protocol: 0x86dd },
      { bytes: [0xaa, 0xbb], protocol: 0x0806, packetType: 4, hatype: 0xfffe },
      // QinQ: the outer tag was stripped, the inner one is in the frame, the EtherType is the innermost.
      { bytes: [0x00, 0x06, 0x08, 0x00, 0x45], protocol: 0x0800, status: 16, vlan: 5 },
      { bytes: [0x45, 0x00, 0x08, 0x00, 0x45], protocol: 0x0800, status: 16, vlan: 5, length: 0x800 },
    ]);
    blocks.walk(batch);
    expect([...batch.linkType.subarray(0, 5)]).toEqual([101, 101, 113, 113, 101]);
    const at = (i: number) => [...batch.bytes.subarray(batch.offset[i], batch.offset[i]! + batch.captured[i]!)];
    expect(at(1)).toEqual([0x60, 0]);
    expect(at(2)).toEqual([0, 4, 0xff, 0xfe, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 8, 6, 0xaa, 0xbb]);
    expect(at(3).slice(14)).toEqual([0x81, 0x00, 0x00, 0x06, 0x08, 0x00, 0x45]);
  });
});
