import { describe, expect, it } from 'vitest';
import { CHECKSUM_BAD, CHECKSUM_UNVERIFIED } from '../../../src/wire/segment.ts';
import { clientSegment as c, serverSegment as s } from '../../support/segment-builder.ts';
import { live, recording, established } from './tracker-rig.ts';

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
