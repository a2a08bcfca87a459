import { describe, expect, it } from 'vitest';
import { LIVE_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { TrackerTranscript } from '../../support/tracker-transcript.ts';
import { live, established } from './tracker-rig.ts';

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
