import { describe, expect, it } from 'vitest';
import { pageSizeIn } from '../../../src/capture/page-size.ts';

const auxv = (...words: readonly number[]): Uint8Array => new Uint8Array(BigUint64Array.from(words, BigInt).buffer);

describe('pageSizeIn', () => {
  it.each([4_096, 16_384, 65_536])('finds %d', (size) => {
    expect(pageSizeIn(auxv(33, 0x7fff_0000, 6, size, 17, 100, 0, 0))).toBe(size);
  });

  it.each([
    ['is none', auxv(33, 1, 17, 100, 0, 0)],
    ['comes after the end', auxv(0, 0, 6, 4_096)],
    ['is no page size', auxv(6, 100, 0, 0)],
    ['has words of 32 bits', new Uint8Array(Uint32Array.of(33, 1, 6, 4_096, 0, 0).buffer)],
    ['is cut off', auxv(6, 4_096).subarray(0, 11)],
  ])('takes the largest there may be where there %s', (_, bytes) => {
    expect(pageSizeIn(bytes)).toBe(65_536);
  });
});
