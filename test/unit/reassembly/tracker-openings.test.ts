import { describe, expect, it } from 'vitest';
import { LIVE_TRACKER, RECORDING_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { TrackerTranscript } from '../../support/tracker-transcript.ts';
import { OPENED, live, recording, established } from './tracker-rig.ts';

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

  it.each([
    { what: 'a known service', clientPort: 5_999, serverPort: 6_379 },
    { what: 'a system port', clientPort: 1_024, serverPort: 1_023 },
    { what: 'a system port against a known service', clientPort: 3_306, serverPort: 22 },
    { what: 'nothing known: the lower', clientPort: 40_000, serverPort: 33_000 },
    { what: 'the source, where both are alike', clientPort: 7, serverPort: 7 },
  ])('takes for the server, by its port: $what', ({ clientPort, serverPort }) => {
    const opened = `#0 opened midstream 192.0.2.1:${clientPort} > 198.51.100.1:${serverPort}`;
    expect(recording().handle(c({ seq: 1, ack: 1, data: 'x' }, { clientPort, serverPort }))).toEqual([opened]);
    if (clientPort === serverPort) return;
    expect(recording().handle(s({ seq: 1, ack: 1, data: 'x' }, { clientPort, serverPort }))).toEqual([opened]);
  });

  it.each(['S', 'SA'])('knows a server by its port once a %s was seen of it', (flags) => {
    const t = recording();
    const opening = flags === 'S' ? c : s;
    t.handle(opening({ flags, seq: 100, ack: 1 }, { clientPort: 9_000, serverPort: 40_000 }));
    const [line] = t.handle(s({ seq: 1, ack: 1, data: 'x' }, { clientPort: 1_000, serverPort: 40_000 }));
    expect(line).toContain('opened midstream 192.0.2.1:1000 > 198.51.100.1:40000');
  });

  it('in a recording, learns the start from a SYN that comes late, and who is the client', () => {
    const t = recording();
    const ends = { clientPort: 80, serverPort: 40_000 };
    t.handle(c({ seq: 104, ack: 501, data: 'def' }, ends));
    t.handle(c({ seq: 101, ack: 501, data: 'abc' }, ends));
    expect(t.handle(c({ flags: 'S', seq: 100 }, ends))).toEqual(['c2s 0 abc', 'c2s 3 def']);
    expect(t.tracker.connection).toMatchObject({ openedBy: 'syn', client: { port: 80 } });
  });

  describe('of which the same is seen through two VLANs', () => {
    it('takes each byte once', () => {
      const t = recording();
      for (const encapsulation of [1, 2]) t.handle(c({ flags: 'S', seq: 100 }, { encapsulation }));
      for (const encapsulation of [1, 2]) t.handle(s({ flags: 'SA', seq: 500, ack: 101 }, { encapsulation }));
      const a = c({ seq: 101, ack: 501, data: 'a' }, { encapsulation: 2 });
      expect(t.handle(a)).toEqual(['c2s 0 a']);
      expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }, { encapsulation: 1 }))).toEqual([]);
      // The next connection of either is one too.
      t.handle(c({ flags: 'S', seq: 7 }, { clientPort: 40001, encapsulation: 2 }));
      expect(t.handle(c({ seq: 8, data: 'b' }, { clientPort: 40001, encapsulation: 1 }))).toEqual(['c2s 0 b']);
    });

    it('puts the directions together when each has one', () => {
      const t = recording();
      t.handle(c({ flags: 'S', seq: 100 }, { encapsulation: 1 }));
      t.handle(s({ flags: 'SA', seq: 500, ack: 101 }, { encapsulation: 2 }));
      expect(t.handle(c({ seq: 101, ack: 501, data: 'a' }, { encapsulation: 1 }))).toEqual(['c2s 0 a']);
      expect(t.handle(s({ seq: 501, ack: 102, data: 'b' }, { encapsulation: 2 }))).toEqual(['s2c 0 b']);
    });

    it('is told by both numbers where no SYN was seen', () => {
      const t = live();
      t.handle(c({ seq: 101, ack: 501, data: 'one' }, { encapsulation: 1 }));
      expect(t.handle(c({ seq: 104, ack: 501, data: 'two' }, { encapsulation: 2 }))).toEqual(['c2s 3 two']);
    });

    it('is another connection when one number is far off', () => {
      const t = live();
      t.handle(c({ seq: 101, ack: 501, data: 'one' }, { encapsulation: 1 }));
      expect(t.handle(c({ seq: 104, ack: 900_501, data: 'two' }, { encapsulation: 2 }))).toHaveLength(2);
      expect(t.tracker.openConnections).toBe(2);
    });
  });

  it('keeps connections of different encapsulation apart', () => {
    const t = live();
    t.handle(c({ flags: 'S', seq: 100 }, { encapsulation: 1 }));
    expect(t.handle(c({ flags: 'S', seq: 200 }, { encapsulation: 2 }))).toHaveLength(1);
    expect(t.handle(c({ seq: 101, data: 'a' }, { encapsulation: 1 }))).toEqual(['c2s 0 a']);
    expect(t.tracker.openConnections).toBe(2);
  });
});
