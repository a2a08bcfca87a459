import { describe, expect, it } from 'vitest';
import { FlowSlice } from '../../../src/replay/flow-slice.ts';
import { Segment } from '../../../src/wire/segment.ts';

function segmentOf(client: number, port: number, reverse = false): Segment {
  const segment = new Segment();
  const [here, there] = reverse ? (['dst', 'src'] as const) : (['src', 'dst'] as const);
  segment[`${here}2`] = segment[`${there}2`] = 0xffff;
  segment[`${here}3`] = client | 0;
  segment[`${here}Port`] = port;
  segment[`${there}3`] = 0x0a4d0101;
  segment[`${there}Port`] = 80;
  return segment;
}

describe('the slices of several processes', () => {
  it.each([
    [2, false],
    [3, false],
    [4, false],
    [7, false],
    [2, true],
    [7, true],
  ])('hold every flow exactly once, both directions, in fair shares (%d, in turn: %s)', (count, inTurn) => {
    const slices = Array.from({ length: count }, (_, i) => new FlowSlice(i, count, inTurn));
    const shares = slices.map(() => 0);
    const flows = 4_000;
    for (let i = 0; i < flows; i++) {
      const [client, port] = [0x0a000000 + Math.floor(i / 200), 1024 + ((i * 2) % 40_000)] as const;
      const owners = slices.filter((slice) => slice.owns(segmentOf(client, port)));
      expect(owners).toHaveLength(1);
      expect(slices.filter((slice) => slice.owns(segmentOf(client, port, true)))).toEqual(owners);
      shares[owners[0]!.index]!++;
    }
    for (const share of shares) expect(Math.abs(share - flows / count)).toBeLessThan(flows / count / 4);
  });

  it.each([2, 3, 8])('in turn, are as even as can be where flows are few (%d)', (count) => {
    const slices = Array.from({ length: count }, (_, i) => new FlowSlice(i, count, true));
    const shares = slices.map(() => 0);
    for (let i = 0; i < 24; i++) {
      for (const slice of slices) if (slice.owns(segmentOf(0x0a000001, 10_000 + i))) shares[slice.index]!++;
      // A flow stays whose it is.
      for (const slice of slices) slice.owns(segmentOf(0x0a000001, 10_000, true));
    }
    expect(shares).toEqual(slices.map(() => 24 / count));
  });

  it('live, do not depend on what was seen before', () => {
    const early = new FlowSlice(0, 2, false);
    const late = new FlowSlice(0, 2, false);
    for (let i = 0; i < 100; i++) early.owns(segmentOf(0x0a000001, 1_024 + i));
    for (let i = 0; i < 100; i++) {
      const segment = segmentOf(0x0a000002, 1_024 + i);
      expect(late.owns(segment)).toBe(early.owns(segment));
    }
  });

  it('one of them counts what belongs to no flow', () => {
    expect([0, 1, 2].map((i) => new FlowSlice(i, 3, true).ownsRest)).toEqual([true, false, false]);
  });
});
