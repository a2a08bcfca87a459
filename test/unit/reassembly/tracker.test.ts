import { describe, expect, it } from 'vitest';
import { millis, seconds } from '../../../src/core/time.ts';
import { LIVE_TRACKER, RECORDING_TRACKER, type TrackerOptions } from '../../../src/reassembly/tracker-options.ts';
import { CHECKSUM_BAD, CHECKSUM_UNVERIFIED } from '../../../src/wire/segment.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { TrackerTranscript } from '../../support/tracker-transcript.ts';

const OPENED = '#0 opened syn 192.0.2.1:40000 > 198.51.100.1:80';

function live(options: Partial<TrackerOptions> = {}): TrackerTranscript {
  return new TrackerTranscript({ ...LIVE_TRACKER, ...options });
}

function recording(options: Partial<TrackerOptions> = {}): TrackerTranscript {
  return new TrackerTranscript({ ...RECORDING_TRACKER, ...options });
}

/** After a handshake with client ISN 100 and server ISN 500. */
function established(t: TrackerTranscript): TrackerTranscript {
  expect(t.handle(c({ flags: 'S', seq: 100 }))).toEqual([OPENED]);
  expect(t.handle(s({ flags: 'SA', seq: 500, ack: 101 }))).toEqual([]);
  expect(t.handle(c({ seq: 101, ack: 501 }))).toEqual([]);
  return t;
}

describe('a batch of segments', () => {
  it('gives the same events whether or not they were expected, also of a connection that ends and one that follows it', () => {
    const segments = () => [
      c({ flags: 'S', seq: 100 }),
      s({ flags: 'SA', seq: 500, ack: 101 }),
      c({ seq: 101, ack: 501, data: 'one' }),
      c({ flags: 'FA', seq: 104, ack: 501 }),
      s({ flags: 'FA', seq: 501, ack: 105 }),
      c({ flags: 'S', seq: 9_000, at: 5 }),
      c({ seq: 9_001, ack: 1, data: 'two', at: 6 }),
      c({ seq: 7, data: 'x', at: 6 }, { clientPort: 7 }),
    ];
    const one = live();
    const single = segments().flatMap((segment) => one.handle(segment));
    expect(single).toContain('c2s 0 two');
    const other = live();
    expect(other.handleAll(segments())).toEqual(single);
  });
});

describe('a connection in order', () => {
  it('opens, talks both ways, closes', () => {
    const t = established(live());
    expect(t.handle(c({ flags: 'PA', seq: 101, ack: 501, data: 'GET ' }))).toEqual(['c2s 0 GET ']);
    expect(t.tracker.chunk).toMatchObject({ push: true, peerAck: 501, streamOffset: 0 });
    expect(t.handle(c({ seq: 105, ack: 501, data: '/' }))).toEqual(['c2s 4 /']);
    expect(t.handle(s({ seq: 501, ack: 106, data: '200' }))).toEqual(['s2c 0 200']);
    expect(t.handle(c({ seq: 106, ack: 504 }))).toEqual([]);
    expect(t.tracker.connection).toMatchObject({ clientAck: 504, serverAck: 106 });
    expect(t.handle(c({ flags: 'FA', seq: 106, ack: 504, data: 'bye' }))).toEqual(['c2s 5 bye', 'c2s fin']);
    expect(t.handle(s({ seq: 504, ack: 110, data: 'late' }))).toEqual(['s2c 3 late']);
    expect(t.handle(s({ flags: 'FA', seq: 508, ack: 110 }))).toEqual(['s2c fin', '#0 closed fin']);
    expect(t.handle(c({ seq: 110, ack: 509 }))).toEqual([]);
    expect(t.tracker.openConnections).toBe(0);
    expect(t.tracker.counters.get('segments-after-close')).toBe(1);
  });

  it('tells how far the client has seen the server, also by bare acknowledgements', () => {
    const t = established(live({ oneWay: true }));
    t.handle(c({ seq: 101, ack: 501, data: 'a' }));
    t.handle(c({ seq: 102, ack: 900 }));
    expect(t.tracker.connection?.clientAck).toBe(900);
    t.handle(c({ seq: 102, ack: 900, data: 'b' }));
    expect(t.tracker.chunk.peerAck).toBe(900);
    expect(t.handle(s({ seq: 501, ack: 103, data: 'x' }))).toEqual([]);
    expect(t.tracker.counters.get('segments-of-unseen-half')).toBe(2);
  });

  it('keeps going past 4 GiB', () => {
    const t = new TrackerTranscript(LIVE_TRACKER);
    t.handle(c({ flags: 'S', seq: 0xffff_fff0 }));
    const data = new Uint8Array(1 << 16);
    let seq = 0xffff_fff1;
    let last: string[] = [];
    for (let i = 0; i < 65_600; i++, seq = (seq + data.length) >>> 0) {
      const segment = c({ seq, ack: 1 });
      segment.bytes = data;
      segment.payloadOffset = 0;
      segment.payloadLength = data.length;
      t.tracker.handle(segment);
      t.tracker.poll();
      if (i % 30_000 === 29_999) {
        // Something out of the ordinary now and then: a retransmission of what came before.
        expect(t.handle(c({ seq: (seq - 5) >>> 0, ack: 1, data: 'again' }))).toEqual([]);
      }
    }
    last = t.handle(c({ seq, ack: 1, data: 'end' }));
    expect(last).toEqual([`c2s ${65_600 * 65_536} end`]);
    expect(t.finish()).toEqual(['#0 closed input-ended']);
    expect(t.tracker.counters.get('gaps')).toBe(0);
  });
});

describe('out of order', () => {
  it('holds what is ahead until the hole is filled', () => {
    const t = established(live());
    expect(t.handle(c({ seq: 107, ack: 501, data: 'ghi' }))).toEqual([]);
    expect(t.handle(c({ seq: 104, ack: 501, data: 'def' }))).toEqual([]);
    expect(t.tracker.heldBytes).toBeGreaterThan(0);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc' }))).toEqual(['c2s 0 abc', 'c2s 3 def', 'c2s 6 ghi']);
    expect(t.tracker.heldBytes).toBe(0);
  });

  it('lets the first copy of a byte win', () => {
    const t = established(live());
    t.handle(c({ seq: 101, ack: 501, data: 'ab' }));
    expect(t.handle(c({ seq: 101, ack: 501, data: 'XXc' }))).toEqual(['c2s 2 c']);
    t.handle(c({ seq: 106, ack: 501, data: 'f' }));
    expect(t.handle(c({ seq: 104, ack: 501, data: 'deXg' }))).toEqual(['c2s 3 de', 'c2s 5 f', 'c2s 6 g']);
    expect(t.tracker.counters.get('bytes-duplicate')).toBe(3);
  });

  it('takes a keep-alive probe and its garbage byte for nothing', () => {
    const t = established(live());
    t.handle(c({ seq: 101, ack: 501, data: 'ab' }));
    expect(t.handle(c({ seq: 102, ack: 501, data: '\0' }))).toEqual([]);
    expect(t.handle(c({ seq: 102, ack: 501 }))).toEqual([]);
    expect(t.handle(c({ seq: 103, ack: 501, data: 'c' }))).toEqual(['c2s 2 c']);
  });

  it('takes a zero-window probe for the data byte that it is', () => {
    const t = established(live());
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }))).toEqual(['c2s 0 a']);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc' }))).toEqual(['c2s 1 bc']);
  });

  it('waits with FIN until everything before it is there, and ignores what lies behind it', () => {
    const t = established(live());
    expect(t.handle(c({ flags: 'FA', seq: 104, ack: 501 }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abcXX' }))).toEqual(['c2s 0 abc', 'c2s fin']);
    expect(t.tracker.counters.get('bytes-after-fin')).toBe(2);
  });

  it('ignores a segment from nowhere near the window', () => {
    const t = established(live());
    expect(t.handle(c({ seq: 101 + 2 ** 30 + 5, ack: 501, data: 'x' }))).toEqual([]);
    expect(t.handle(c({ seq: 101 - 2 ** 25, ack: 501, data: 'x' }))).toEqual([]);
    expect(t.tracker.counters.get('segments-out-of-window')).toBe(2);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }))).toEqual(['c2s 0 a']);
  });
});

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

describe('checksums', () => {
  it('believes the good copy of a segment', () => {
    const t = established(live());
    expect(t.handle(c({ seq: 101, ack: 501, data: 'aXc', checksum: CHECKSUM_BAD }))).toEqual([]);
    expect(t.handle(c({ seq: 104, ack: 501, data: 'def' }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc' }))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    expect(t.handle(s({ seq: 501, ack: 107 }))).toEqual([]);
  });

  it('uses bad bytes where the peer acknowledged them and nothing good came', () => {
    const t = established(live());
    t.handle(s({ seq: 501, ack: 101, data: 'offloaded', checksum: CHECKSUM_BAD }));
    expect(t.handle(s({ seq: 510, ack: 101, data: 'good' }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 514 }))).toEqual(['s2c 0 offloaded', 's2c 9 good']);
    expect(t.tracker.counters.get('bytes-bad-checksum-used')).toBe(9);
  });

  it('uses only the part that was acknowledged', () => {
    const t = established(live());
    t.handle(s({ seq: 501, ack: 101, data: 'abcdef', checksum: CHECKSUM_BAD }));
    expect(t.handle(c({ seq: 101, ack: 504 }))).toEqual(['s2c 0 abc']);
  });

  it('never uses corrupted bytes that nobody acknowledged', () => {
    const t = established(recording());
    t.handle(c({ seq: 101, ack: 501, data: 'fine' }));
    t.handle(c({ seq: 105, ack: 501, data: 'BAD', checksum: CHECKSUM_BAD }));
    expect(t.finish()).toEqual(['#0 closed input-ended']);
  });

  it('takes ports for damaged, too, where wrong checksums are rare', () => {
    const t = live({ midstream: 'any' });
    const data = { seq: 1, ack: 501, data: 'x' } as const;
    const damaged = { ...data, checksum: CHECKSUM_BAD };
    expect(t.handle(c(damaged, { clientPort: 20_000 }))).not.toEqual([]);
    for (let clientPort = 1; clientPort <= 100; clientPort++) t.handle(c(data, { clientPort }));
    expect(t.handle(c(damaged, { clientPort: 20_001 }))).toEqual([]);
    expect(t.tracker.counters.get('segments-without-connection')).toBe(1);
  });

  it('uses them at the end when a side never had a good checksum', () => {
    const t = established(recording());
    t.handle(s({ seq: 501, ack: 101, data: 'all offloaded', checksum: CHECKSUM_BAD }));
    expect(t.finish()).toEqual(['s2c 0 all offloaded', '#0 closed input-ended']);
  });

  it('takes what could not be verified as good', () => {
    const t = established(live());
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a', checksum: CHECKSUM_UNVERIFIED }))).toEqual(['c2s 0 a']);
  });

  it('does not believe the header of a corrupted segment', () => {
    const t = established(live());
    t.handle(c({ seq: 101, ack: 501, data: 'a' }));
    expect(t.handle(c({ flags: 'RA', seq: 102, ack: 501, checksum: CHECKSUM_BAD }))).toEqual([]);
    expect(t.handle(c({ flags: 'S', seq: 9_000, checksum: CHECKSUM_BAD }))).toEqual([]);
    expect(t.handle(c({ flags: 'FA', seq: 102, ack: 501, checksum: CHECKSUM_BAD }))).toEqual([]);
    expect(t.handle(c({ seq: 102, ack: 501, data: 'b' }))).toEqual(['c2s 1 b']);
  });

  it('believes a FIN with a bad checksum once it is acknowledged', () => {
    const t = established(live());
    t.handle(s({ seq: 501, ack: 101, data: 'a' }));
    t.handle(s({ flags: 'FA', seq: 502, ack: 101, data: 'bc', checksum: CHECKSUM_BAD }));
    expect(t.handle(c({ seq: 101, ack: 505 }))).toEqual(['s2c 1 bc', 's2c fin']);
  });
});

describe('how connections begin', () => {
  it('takes no retransmitted SYN for a new one', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 100 }));
    expect(t.handle(c({ flags: 'S', seq: 100 }))).toEqual([]);
    expect(t.handle(s({ flags: 'SA', seq: 500, ack: 101 }))).toEqual([]);
    expect(t.handle(c({ flags: 'S', seq: 100 }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }))).toEqual(['c2s 0 a']);
  });

  it('takes a SYN with another ISN for one when the client goes on behind it, and closes the old connection first', () => {
    const t = established(live());
    t.handle(c({ seq: 105, ack: 501, data: 'e' }));
    expect(t.handle(c({ flags: 'S', seq: 7_000 }))).toEqual([]);
    expect(t.handle(c({ seq: 7_001, ack: 1 }))).toEqual([
      'c2s 0 hole 4',
      'c2s 4 e',
      '#0 closed replaced',
      '#1 opened syn 192.0.2.1:40000 > 198.51.100.1:80',
    ]);
    expect(t.handle(c({ seq: 7_001, ack: 1, data: 'new' }))).toEqual(['c2s 0 new']);
    expect(t.tracker.openConnections).toBe(1);
  });

  it('or when the server takes it', () => {
    const t = established(live());
    t.handle(c({ flags: 'S', seq: 7_000 }));
    expect(t.handle(s({ flags: 'SA', seq: 9_000, ack: 7_001 }))).toEqual([
      '#0 closed replaced',
      '#1 opened syn 192.0.2.1:40000 > 198.51.100.1:80',
    ]);
    expect(t.handle(c({ seq: 7_001, ack: 9_001, data: 'a' }))).toEqual(['c2s 0 a']);
    expect(t.handle(s({ seq: 9_001, ack: 7_002, data: 'b' }))).toEqual(['s2c 0 b']);
  });

  it.each([
    ['both ways', false],
    ['in one direction', true],
  ])('a SYN that nothing continues changes nothing: %s', (_, oneWay) => {
    const t = established(live({ oneWay }));
    expect(t.handle(c({ flags: 'S', seq: 2 ** 31 }))).toEqual([]);
    expect(t.handle(s({ seq: 501, ack: 101 }))).toEqual([]);
    expect(t.handle(c({ seq: 101, ack: 501, data: 'abc' }))).toEqual(['c2s 0 abc']);
    expect(t.handle(c({ seq: 104, ack: 501, data: 'defg' }))).toEqual(['c2s 3 defg']);
    expect(t.handle(c({ flags: 'S', seq: 103 }))).toEqual([]);
    // Nearer to where the stream stands than to the SYN.
    expect(t.handle(c({ seq: 112, ack: 501, data: 'mn' }))).toEqual([]);
    expect(t.handle(c({ seq: 108, ack: 501, data: 'hijk' }))).toEqual(['c2s 7 hijk', 'c2s 11 mn']);
    expect(t.tracker.counters.get('connections')).toBe(1);
  });

  it('a SYN that its client takes back is a connection that was reset', () => {
    const t = established(live());
    t.handle(c({ flags: 'S', seq: 7_000 }));
    expect(t.handle(c({ flags: 'R', seq: 7_001 }))).toEqual([
      '#0 closed replaced',
      '#1 opened syn 192.0.2.1:40000 > 198.51.100.1:80',
      '#1 reset',
    ]);
  });

  it('a SYN begins another connection at once when the client has ended the one before', () => {
    const t = established(live());
    t.handle(c({ flags: 'FA', seq: 101, ack: 501 }));
    expect(t.handle(c({ flags: 'S', seq: 7_000 }))).toEqual([
      '#0 closed replaced',
      '#1 opened syn 192.0.2.1:40000 > 198.51.100.1:80',
    ]);
  });

  it('reopens closed endpoints', () => {
    const t = established(live());
    t.handle(c({ flags: 'FA', seq: 101, ack: 501 }));
    expect(t.handle(s({ flags: 'FA', seq: 501, ack: 102 }))).toEqual(['s2c fin', '#0 closed fin']);
    expect(t.handle(c({ flags: 'S', seq: 5_000 }))).toEqual(['#1 opened syn 192.0.2.1:40000 > 198.51.100.1:80']);
  });

  it('follows the SYN-ACK that the client continues', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 100 }));
    t.handle(s({ flags: 'SA', seq: 500, ack: 101 }));
    t.handle(s({ flags: 'SA', seq: 9_000, ack: 101 }));
    t.handle(c({ seq: 101, ack: 9_001 }));
    expect(t.handle(s({ flags: 'SA', seq: 500, ack: 101 }))).toEqual([]);
    expect(t.handle(s({ seq: 9_001, ack: 101, data: 'hi' }))).toEqual(['s2c 0 hi']);
  });

  it('understands a simultaneous open', () => {
    const t = live();
    expect(t.handle(c({ flags: 'S', seq: 100 }))).toEqual([OPENED]);
    expect(t.handle(s({ flags: 'S', seq: 500 }))).toEqual([]);
    t.handle(c({ flags: 'SA', seq: 100, ack: 501 }));
    t.handle(s({ flags: 'SA', seq: 500, ack: 101 }));
    expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }))).toEqual(['c2s 0 a']);
    expect(t.handle(s({ seq: 501, ack: 102, data: 'b' }))).toEqual(['s2c 0 b']);
  });

  it('understands a split handshake', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 1_000 }));
    t.handle(s({ flags: 'S', seq: 3_000 }));
    t.handle(c({ flags: 'SA', seq: 1_000, ack: 3_001 }));
    t.handle(s({ seq: 3_001, ack: 1_001 }));
    expect(t.handle(c({ seq: 1_001, ack: 3_001, data: 'abcd' }))).toEqual(['c2s 0 abcd']);
  });

  it('uses data on a SYN only when the server accepted it', () => {
    const accepted = live();
    accepted.handle(c({ flags: 'S', seq: 100, data: 'early' }));
    expect(accepted.handle(s({ flags: 'SA', seq: 500, ack: 106 }))).toEqual(['c2s 0 early']);
    const ignored = live();
    ignored.handle(c({ flags: 'S', seq: 100, data: 'early' }));
    expect(ignored.handle(s({ flags: 'SA', seq: 500, ack: 101 }))).toEqual([]);
    expect(ignored.handle(c({ seq: 101, ack: 501, data: 'again' }))).toEqual(['c2s 0 again']);
  });

  it('tells in one direction by how the client goes on', () => {
    const accepted = live({ oneWay: true });
    accepted.handle(c({ flags: 'S', seq: 100, data: 'early' }));
    expect(accepted.handle(c({ seq: 106, ack: 501, data: '!' }))).toEqual(['c2s 0 early', 'c2s 5 !']);
    const ignored = live({ oneWay: true });
    ignored.handle(c({ flags: 'S', seq: 100, data: 'early' }));
    expect(ignored.handle(c({ seq: 101, ack: 501, data: 'Early!' }))).toEqual(['c2s 0 Early!']);
  });

  it('picks up from the middle at the first data, unless told not to', () => {
    const t = live();
    expect(t.handle(c({ seq: 1_000, ack: 50 }))).toEqual([]);
    expect(t.handle(c({ seq: 1_000, ack: 50, data: 'ab' }))).toEqual([
      '#0 opened midstream 192.0.2.1:40000 > 198.51.100.1:80',
      'c2s 0 ab',
    ]);
    expect(t.handle(c({ seq: 1_002, ack: 50, data: 'c' }))).toEqual(['c2s 2 c']);
    const off = live({ midstream: 'off' });
    expect(off.handle(c({ seq: 1_000, ack: 50, data: 'abc' }))).toEqual([]);
    expect(off.tracker.counters.get('segments-without-connection')).toBe(1);
  });

  it.each([
    { byte: '\0', pause: 0, expected: ['c2s 0 bc'] },
    { byte: 'a', pause: 2_000, expected: ['c2s 0 bc'] },
    { byte: 'a', pause: 10, expected: ['c2s 0 a', 'c2s 1 bc'] },
  ])('tells a keep-alive probe that comes first from data: $byte, then $pause ms', ({ byte, pause, expected }) => {
    for (const options of [LIVE_TRACKER, RECORDING_TRACKER]) {
      const t = new TrackerTranscript(options);
      t.handle(c({ seq: 1_000, ack: 50, data: byte }));
      const lines = [...t.handle(c({ seq: 1_001, ack: 50, data: 'bc', at: pause })), ...t.finish()];
      expect(lines.filter((line) => line.startsWith('c2s'))).toEqual(expected);
    }
  });

  it('delivers a lone first byte that nothing follows', () => {
    const t = live();
    t.handle(c({ seq: 1_000, ack: 50, data: 'a' }));
    expect(t.advance(600)).toEqual(['c2s 0 a']);
  });

  it('finds the client by port when unsure, or as told', () => {
    expect(recording().handle(s({ seq: 1, ack: 1, data: 'x' }))).toEqual([
      '#0 opened midstream 192.0.2.1:40000 > 198.51.100.1:80',
    ]);
    expect(recording({ clientOf: () => 'source' }).handle(s({ seq: 1, ack: 1, data: 'x' }))).toEqual([
      '#0 opened midstream 198.51.100.1:80 > 192.0.2.1:40000',
    ]);
  });

  it('in a recording, learns the start from a SYN that comes late, and who is the client', () => {
    const t = recording();
    const ends = { clientPort: 80, serverPort: 40_000 };
    t.handle(c({ seq: 104, ack: 501, data: 'def' }, ends));
    t.handle(c({ seq: 101, ack: 501, data: 'abc' }, ends));
    expect(t.handle(c({ flags: 'S', seq: 100 }, ends))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    expect(t.tracker.connection).toMatchObject({ openedBy: 'syn', client: { port: 80 } });
  });

  it('keeps connections of different encapsulation apart', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 100 }, { encapsulation: 1 }));
    expect(t.handle(c({ flags: 'S', seq: 200 }, { encapsulation: 2 }))).toHaveLength(1);
    expect(t.handle(c({ seq: 101, data: 'a' }, { encapsulation: 1 }))).toEqual(['c2s 0 a']);
    expect(t.tracker.openConnections).toBe(2);
  });
});

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
