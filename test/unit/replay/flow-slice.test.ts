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
  it.each([2, 3, 4, 7])('hold every flow exactly once, both directions, in fair shares (%d)', (count) => {
    const slices = Array.from({ length: count }, (_, i) => new FlowSlice(i, count));
    const shares = slices.map(() => 0);
    const flows = 4_000;
    for (let i = 0; i < flows; i++) {
      const [client, port] = [0x0a000000 + Math.floor(i / 200), 1024 + ((i * 2) % 40_000)] as const;
      const owners = slices.filter((slice) => slice.owns(segmentOf(client, port)));
      expect(owners).toHaveLength(1);
      expect(owners[0]!.owns(segmentOf(client, port, true))).toBe(true);
      shares[owners[0]!.index]!++;
    }
    for (const share of shares) expect(Math.abs(share - flows / count)).toBeLessThan(flows / count / 4);
  });

  it('one of them counts what belongs to no flow', () => {
    expect([0, 1, 2].map((i) => new FlowSlice(i, 3).ownsRest)).toEqual([true, false, false]);
  });
});
