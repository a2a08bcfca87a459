import { describe, expect, it } from 'vitest';
import { millis } from '../../../src/core/time.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { live, recording, established } from './tracker-rig.ts';

describe('gaps', () => {
  it('declares a hole after the patience, and goes on behind it', () => {
    const t = established(live({ gapPatience: millis(500) }));
    t.handle(c({ seq: 104, ack: 501, data: 'def', at: 10 }));
    t.handle(c({ seq: 109, ack: 501, data: 'i', at: 400 }));
    t.handle(s({ seq: 501, ack: 101, data: 'x', at: 401 }));
    t.handle(c({ seq: 110, ack: 502, at: 402 }));
    expect(t.advance(505)).toEqual([]);
    expect(t.advance(520)).toEqual(['c2s 0 hole 3', 'c2s 3 def']);
    expect(t.advance(890)).toEqual([]);
    expect(t.advance(930)).toEqual(['c2s 6 hole 2', 'c2s 8 i']);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc', at: 931 }))).toEqual([]);
  });

  it('gives a sender time to try again, as long as the peer has not answered', () => {
    const t = established(live());
    t.handle(c({ seq: 104, ack: 501, data: 'def', at: 10 }));
    expect(t.advance(14_900)).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc', at: 14_950 }))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    t.handle(c({ seq: 110, ack: 501, data: 'j', at: 15_000 }));
    expect(t.advance(29_900)).toEqual([]);
    expect(t.advance(30_050)).toEqual(['c2s 6 hole 3', 'c2s 9 j']);
  });

  it('is quicker about a hole that the peer has acknowledged', () => {
    const t = established(live({ ackedGapPatience: millis(50) }));
    t.handle(c({ seq: 104, ack: 501, data: 'def', at: 10 }));
    t.handle(s({ seq: 501, ack: 107, at: 20 }));
    expect(t.advance(59)).toEqual([]);
    expect(t.advance(80)).toEqual(['c2s 0 hole 3', 'c2s 3 def']);
  });

  it('sees by acknowledgement alone that a request was lost', () => {
    const t = established(live());
    t.handle(s({ seq: 501, ack: 111, data: 'answer', at: 10 }));
    expect(t.advance(100)).toEqual(['c2s 0 tail 10']);
    expect(t.handle(c({ seq: 111, ack: 507, data: 'next', at: 110 }))).toEqual(['c2s 10 next']);
  });

  it('sees in one direction alone, by the sender moving on', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 121, ack: 600, at: 10 }));
    t.handle(c({ seq: 121, ack: 700, at: 20 }));
    expect(t.advance(400)).toEqual([]);
    expect(t.advance(700)).toEqual(['c2s 0 tail 20']);
    expect(t.handle(c({ seq: 121, ack: 700, data: 'on', at: 710 }))).toEqual(['c2s 20 on']);
  });

  it('waits for a request that was lost together with the acknowledgement of the response before it', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 101, ack: 501, data: 'one', at: 0 }));
    // The server answers up to 600. What acknowledges that gets lost, and so does the request behind it, 104 to 107, with the
    // same acknowledgement. The server sends its response again; the client's repeated acknowledgement is the first to come.
    t.handle(c({ seq: 107, ack: 600, at: 200 }));
    expect(t.advance(1_590)).toEqual([]);
    expect(t.handle(c({ seq: 104, ack: 600, data: 'two', at: 1_600 }))).toEqual(['c2s 3 two']);
    expect(t.advance(9_000)).toEqual([]);
  });

  it('gives a sender that has sent again more time for the next hole, and one of which frames were missed no more than before', () => {
    const resent = established(live({ oneWay: true }));
    resent.handle(c({ seq: 104, ack: 501, data: 'def', at: 10 }));
    resent.handle(c({ seq: 110, ack: 501, data: 'jkl', at: 10 }));
    expect(resent.handle(c({ seq: 101, ack: 501, data: 'abc', at: 10_000 }))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    expect(resent.advance(69_900)).toEqual([]);
    expect(resent.advance(70_100)).toEqual(['c2s 6 hole 3', 'c2s 9 jkl']);

    const missed = established(live({ oneWay: true }));
    missed.handle(c({ seq: 104, ack: 501, data: 'def', at: 10 }));
    missed.handle(c({ seq: 110, ack: 501, data: 'jkl', at: 20 }));
    expect(missed.handle(c({ seq: 101, ack: 501, data: 'abc', at: 30 }))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    missed.handle(c({ seq: 117, ack: 501, data: 'q', at: 40 }));
    expect(missed.advance(15_015)).toEqual([]);
    expect(missed.advance(15_030)).toEqual(['c2s 6 hole 3', 'c2s 9 jkl']);
    expect(missed.advance(15_050)).toEqual(['c2s 12 hole 4', 'c2s 16 q']);
  });

  it('goes on soon behind a request that only the capture lost: the answer to the next one tells', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 101, ack: 501, data: 'one', at: 0 }));
    // The request from 104 to 107 reaches the server alone; this acknowledges its response, up to 700.
    t.handle(c({ seq: 107, ack: 700, at: 110 }));
    t.handle(c({ seq: 107, ack: 700, data: 'three', at: 200 }));
    expect(t.advance(650)).toEqual([]);
    t.handle(c({ seq: 112, ack: 800, at: 660 }));
    expect(t.advance(670)).toEqual(['c2s 3 hole 3', 'c2s 6 three']);
  });

  it('goes on at once behind a request that only the capture lost, where the server is seen to acknowledge it', () => {
    const t = established(live());
    t.handle(c({ seq: 101, ack: 501, data: 'one', at: 0 }));
    t.handle(s({ seq: 501, ack: 104, data: '1', at: 10 }));
    t.handle(s({ seq: 502, ack: 107, data: '2', at: 110 }));
    t.handle(c({ seq: 107, ack: 503, data: 'three', at: 111 }));
    expect(t.advance(150)).toEqual([]);
    expect(t.advance(170)).toEqual(['c2s 3 hole 3', 'c2s 6 three']);
  });

  it('takes no repeated acknowledgement for an answer', () => {
    const t = established(live());
    t.handle(s({ seq: 501, ack: 101, data: 'x', at: 5 }));
    t.handle(c({ seq: 101, ack: 502, at: 6 }));
    // The server sends again what it has had no acknowledgement of; the client's request is lost for now.
    t.handle(c({ seq: 104, ack: 502, at: 10 }));
    expect(t.advance(6_900)).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 502, data: 'abc', at: 6_950 }))).toEqual(['c2s 0 abc']);
  });

  it('takes a number that nothing lies behind for a FIN that was not seen, and no lost byte', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 101, ack: 501, data: 'one' }));
    t.handle(c({ seq: 105, ack: 600, at: 10 }));
    t.handle(c({ seq: 105, ack: 601, at: 20 }));
    expect(t.advance(60_000)).toEqual([]);
    expect(t.finish()).toEqual(['#0 closed input-ended']);
    expect(t.tracker.counters.get('gaps')).toBe(0);
  });

  it('takes it for a byte when the sender goes on', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 102, ack: 600, at: 10 }));
    t.handle(c({ seq: 102, ack: 600, data: 'on', at: 1_000 }));
    t.handle(c({ seq: 104, ack: 601, at: 1_010 }));
    expect(t.advance(1_600)).toEqual(['c2s 0 hole 1', 'c2s 1 on']);
  });

  it('tells of what the sender had sent when the connection ends before the patience does', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 121, ack: 600, at: 10 }));
    expect(t.finish()).toEqual(['c2s 0 tail 20', '#0 closed input-ended']);
  });

  it('waits for ever in a recording, and declares the rest at its end', () => {
    const t = established(recording());
    t.handle(c({ seq: 104, ack: 501, data: 'def' }));
    t.handle(s({ seq: 501, ack: 120 }));
    expect(t.advance(1e9)).toEqual([]);
    expect(t.finish()).toEqual(['c2s 0 hole 3', 'c2s 3 def', 'c2s 6 tail 13', '#0 closed input-ended']);
  });

  it('gives up holes without bytes behind them too, when room is wanted for other streams', () => {
    const t = recording({ maxHeldTotal: 1_000 });
    const lagging = { clientPort: 40_001 };
    t.handle(c({ flags: 'S', seq: 100 }, lagging));
    expect(t.handle(c({ seq: 105, ack: 1 }, lagging))).toEqual([]);
    t.handle(c({ flags: 'S', seq: 100 }));
    const lines = t.handle(c({ seq: 111, ack: 1, data: 'x'.repeat(1_000) }));
    expect(lines).toEqual(['c2s 0 tail 4', 'c2s 0 hole 10', `c2s 10 ${'x'.repeat(1_000)}`]);
  });

  it('uses the part of a cut segment that is there', () => {
    const t = established(recording());
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc', missing: 5 }))).toEqual(['c2s 0 abc']);
    expect(t.handle(c({ seq: 109, ack: 501, data: 'i', missing: 2 }))).toEqual([]);
    expect(t.finish()).toEqual(['c2s 3 hole 5', 'c2s 8 i', 'c2s 9 hole 2', '#0 closed input-ended']);
  });

  it('gives up the oldest hole when one stream holds too much', () => {
    const t = established(recording({ maxHeldPerStream: 1_000 }));
    expect(t.handle(c({ seq: 111, ack: 501, data: 'x'.repeat(700) }))).toEqual([]);
    const lines = t.handle(c({ seq: 911, ack: 501, data: 'y'.repeat(10) }));
    expect(lines[0]).toBe('c2s 0 hole 10');
    expect(lines).toHaveLength(2);
    expect(t.tracker.counters.get('gaps-forced-by-stream-cap')).toBe(1);
  });

  it('gives up the longest standing hole when all streams together hold too much', () => {
    const t = recording({ maxHeldTotal: 2_000 });
    const first = { clientPort: 40_001 };
    const second = { clientPort: 40_002 };
    for (const ends of [first, second]) {
      t.handle(c({ flags: 'S', seq: 100 }, ends));
      t.handle(c({ seq: 101, ack: 1, data: 'a' }, ends));
    }
    t.handle(c({ seq: 110, ack: 1, data: 'x'.repeat(900) }, first));
    const lines = t.handle(c({ seq: 110, ack: 1, data: 'y'.repeat(900) }, second));
    expect(lines).toEqual(['c2s 1 hole 8', `c2s 9 ${'x'.repeat(900)}`]);
    expect(t.tracker.connection?.client.port).toBe(40_001);
    expect(t.tracker.heldBytes).toBeLessThan(2_000);
    expect(t.tracker.counters.get('gaps-forced-by-total-cap')).toBe(1);
  });
});
