import { describe, expect, it } from 'vitest';
import { instant } from '../../../src/core/time.ts';
import { DuplicateFilter } from '../../../src/intercept/duplicate-filter.ts';
import { segment, type SegmentFields } from '../control/samples.ts';

const IN = 0;
const OUT = 1;

function run(...steps: [ms: number, path: number, fields?: SegmentFields][]): boolean[] {
  const filter = new DuplicateFilter();
  return steps.map(([ms, path, fields]) => {
    const s = segment({ seq: 100, ack: 7, ...fields });
    s.time = instant(1e15 + ms * 1000);
    return filter.isCopy(s, path);
  });
}

describe('DuplicateFilter', () => {
  it('drops the copy of a forwarded packet', () => {
    expect(run([0, IN], [0.02, OUT], [0.03, OUT + 1])).toEqual([false, true, true]);
  });

  it('drops copies whichever order they come in', () => {
    expect(run([0, IN], [0.1, IN], [0.2, OUT], [0.3, OUT])).toEqual([false, false, true, true]);
    expect(run([0, IN], [0.1, OUT], [0.2, IN], [0.3, OUT])).toEqual([false, true, false, true]);
  });

  it('passes duplicate ACKs of the server', () => {
    expect(run([0, OUT], [0.1, OUT], [0.2, OUT])).toEqual([false, false, false]);
  });

  it('passes a retransmission that comes another way', () => {
    expect(run([0, IN], [200, OUT])).toEqual([false, false]);
  });

  it.each<[string, SegmentFields]>([
    ['seq', { seq: 101 }],
    ['ack', { ack: 8 }],
    ['window', { window: 5 }],
    ['flags', { flags: 0x11 }],
    ['length', { payload: new Uint8Array(1) }],
    ['port', { dstPort: 2001 }],
    ['client', { dst: '10.0.0.8' }],
  ])('passes a segment that differs in %s', (_, fields) => {
    expect(run([0, IN], [0.01, OUT, fields])).toEqual([false, false]);
  });
});
