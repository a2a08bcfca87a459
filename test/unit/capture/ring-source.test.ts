import { describe, expect, it } from 'vitest';
import { blockSizeFor, ringMemory } from '../../../src/capture/ring-source.ts';

describe('a ring', () => {
  it.each([
    [65_600, 4_096, 69_632],
    [65_600, 16_384, 81_920],
    [65_600, 65_536, 131_072],
    [96, 4_096, 69_632],
    [262_144, 4_096, 266_240],
  ])('for frames of %d bytes and pages of %d has blocks of %d', (snapLength, page, block) => {
    expect(blockSizeFor(snapLength, page)).toBe(block);
    // A packet of the greatest size, with its Ethernet header and what the kernel puts before it.
    expect(block).toBeGreaterThanOrEqual(Math.max(snapLength, 65_535 + 14) + 48 + 112);
  });

  it('takes three times its buffer at most, with what is put aside', () => {
    expect(ringMemory(8 << 20)).toBe(24 << 20);
    expect(ringMemory()).toBe(60 << 20);
  });
});
