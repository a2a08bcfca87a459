import { describe, expect, it } from 'vitest';
import { seconds } from '../../../src/core/time.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { live, recording, established } from './tracker-rig.ts';

describe('resets', () => {
  it('ends the connection, with what it still knows', () => {
    const t = established(live());
    t.handle(c({ seq: 105, ack: 501, data: 'e' }));
    expect(t.handle(s({ flags: 'RA', seq: 501, ack: 101 }))).toEqual(['c2s 0 hole 4', 'c2s 4 e', '#0 reset']);
  });

  it('takes a refusal that acknowledges the SYN, and no other', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 100 }));
    expect(t.handle(s({ flags: 'RA', seq: 0, ack: 100 }))).toEqual([]);
    expect(t.handle(s({ flags: 'RA', seq: 0, ack: 101 }))).toEqual(['#0 reset']);
  });

  it('ignores one out of window (RFC 5961)', () => {
    const t = established(live());
    expect(t.handle(c({ flags: 'R', seq: 101 - 5_000_000 }))).toEqual([]);
    expect(t.handle(c({ flags: 'R', seq: 101 + 5_000_000 }))).toEqual([]);
    expect(t.tracker.counters.get('resets-ignored')).toBe(2);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }))).toEqual(['c2s 0 a']);
  });

  it('does not take its payload for data', () => {
    const t = established(live());
    expect(t.handle(c({ flags: 'R', seq: 101, data: 'reason' }))).toEqual(['#0 reset']);
  });

  it('in a recording, still takes what was on its way', () => {
    const t = established(recording());
    expect(t.handle(s({ flags: 'R', seq: 501 }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'late' }))).toEqual(['c2s 0 late']);
    expect(t.finish()).toEqual(['#0 reset']);
  });

  it('with patience, still takes what was on its way and ends when nothing more comes', () => {
    const patient = { gapPatience: seconds(3), ackedGapPatience: seconds(3), resetPatience: seconds(3) };
    const t = established(recording(patient));
    expect(t.handle(s({ flags: 'R', seq: 501, at: 1_000 }))).toEqual([]);
    expect(t.advance(2_000)).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'late', at: 3_000 }))).toEqual(['c2s 0 late']);
    expect(t.advance(5_000)).toEqual([]);
    expect(t.advance(6_100)).toEqual(['#0 reset']);
    expect(t.handle(c({ seq: 105, ack: 501, data: 'too late', at: 6_200 }))).toEqual([]);
  });

  it("with patience, ends at once with a client's reset right behind its last byte, and not with one further on", () => {
    const patient = { gapPatience: seconds(3), ackedGapPatience: seconds(3), resetPatience: seconds(3) };
    const whole = established(recording(patient));
    whole.handle(c({ seq: 101, ack: 501, data: 'ab' }));
    expect(whole.handle(c({ flags: 'R', seq: 103 }))).toEqual(['#0 reset']);
    const shuffled = established(recording(patient));
    expect(shuffled.handle(c({ flags: 'R', seq: 103 }))).toEqual([]);
    expect(shuffled.handle(c({ seq: 101, ack: 501, data: 'ab' }))).toEqual(['c2s 0 ab']);
    expect(shuffled.finish()).toEqual(['#0 reset']);
  });
});

describe('caps and time', () => {
  it('closes what is idle, in order of last activity', () => {
    const t = live({ idleTimeout: seconds(60), midstream: 'data' });
    for (const [clientPort, at] of [
      [1_001, 0],
      [1_002, 1_000],
      [1_001, 30_000],
    ] as const) {
      t.handle(c({ flags: 'S', seq: 100, at }, { clientPort }));
    }
    expect(t.advance(61_500)).toEqual(['#1 closed idle']);
    expect(t.advance(91_500)).toEqual(['#0 closed idle']);
    expect(t.tracker.counters.get('connections-idle')).toBe(2);
  });

  it('turns away new connections when full', () => {
    const t = live({ maxConnections: 2 });
    for (const clientPort of [1_001, 1_002]) t.handle(c({ flags: 'S', seq: 100 }, { clientPort }));
    expect(t.handle(c({ flags: 'S', seq: 100 }, { clientPort: 1_003 }))).toEqual(['rejected']);
    expect(t.tracker.counters.get('connections-rejected')).toBe(1);
    expect(t.handle(c({ seq: 101, data: 'a' }, { clientPort: 1_002 }))).toEqual(['c2s 0 a']);
  });

  it('forgets a closed connection first to make room', () => {
    const t = live({ maxConnections: 1 });
    t.handle(c({ flags: 'S', seq: 100 }));
    t.handle(s({ flags: 'RA', seq: 0, ack: 101 }));
    expect(t.handle(c({ flags: 'S', seq: 100 }, { clientPort: 1_003 }))).toHaveLength(1);
  });

  it('or, when told so, closes the one that was quiet longest', () => {
    const t = live({ maxConnections: 2, atCapacity: 'evict' });
    t.handle(c({ flags: 'S', seq: 100 }, { clientPort: 1_001 }));
    t.handle(c({ flags: 'S', seq: 100 }, { clientPort: 1_002 }));
    t.handle(c({ seq: 101, data: 'a', at: 5_000 }, { clientPort: 1_001 }));
    expect(t.handle(c({ flags: 'S', seq: 100, at: 6_000 }, { clientPort: 1_003 }))).toEqual([
      '#1 closed evicted',
      '#2 opened syn 192.0.2.1:1003 > 198.51.100.1:80',
    ]);
  });

  it('in one direction, is closed when the client is', () => {
    const t = live({ oneWay: true });
    t.handle(c({ flags: 'S', seq: 100 }));
    expect(t.handle(c({ flags: 'FA', seq: 101, ack: 7 }))).toEqual(['c2s fin', '#0 closed fin']);
    expect(t.handle(c({ seq: 102, ack: 9 }))).toEqual([]);
    expect(t.tracker.counters.get('segments-after-close')).toBe(1);
  });

  it('takes endpoints that were quiet, and data from nowhere near, for a connection whose start was missed', () => {
    const t = established(live());
    t.handle(c({ seq: 101, ack: 501, data: 'a', at: 10 }));
    expect(t.handle(c({ seq: 2 ** 31, ack: 9, data: 'bcd', at: 5_000 }))).toEqual([
      '#0 closed replaced',
      '#1 opened midstream 192.0.2.1:40000 > 198.51.100.1:80',
      'c2s 0 bcd',
    ]);
  });
});
