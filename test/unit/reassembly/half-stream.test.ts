import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { EVENT_DATA, EVENT_GAP, EVENT_NONE } from '../../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../../src/reassembly/tracker.ts';
import { RECORDING_TRACKER, type TrackerOptions } from '../../../src/reassembly/tracker-options.ts';
import type { Segment } from '../../../src/wire/segment.ts';
import { referenceReassembly, type ReferenceSegment } from '../../support/reference-reassembly.ts';
import { clientSegment, serverSegment } from '../../support/segment-builder.ts';

interface Collected {
  /** Bytes seen, adjacent chunks as one run. */
  readonly runs: { offset: number; bytes: number[] }[];
  readonly gaps: { offset: number; length: number; kind: string }[];
}

/** Everything the client's stream gives for these segments, with the order of chunks and gaps checked on the way. */
function collect(segments: readonly Segment[], options: TrackerOptions = RECORDING_TRACKER): Collected {
  const tracker = new ConnectionTracker(options);
  const runs: Collected['runs'] = [];
  const gaps: Collected['gaps'] = [];
  let offset = 0;
  const drain = () => {
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) {
      if (tracker.half !== 0) continue;
      if (event === EVENT_DATA) {
        const { bytes, offset: from, length, streamOffset } = tracker.chunk;
        expect(streamOffset).toBe(offset);
        expect(length).toBeGreaterThan(0);
        const last = runs[runs.length - 1];
        const run = bytes.subarray(from, from + length);
        if (last !== undefined && last.offset + last.bytes.length === offset) last.bytes.push(...run);
        else runs.push({ offset, bytes: [...run] });
        offset += length;
      } else if (event === EVENT_GAP) {
        expect(tracker.gap.offset).toBe(offset);
        expect(tracker.gap.length).toBeGreaterThan(0);
        gaps.push({ ...tracker.gap });
        offset += tracker.gap.length;
      }
    }
  };
  for (const segment of segments) {
    tracker.handle(segment);
    drain();
    segment.bytes.fill(0xdd);
  }
  tracker.finish();
  drain();
  expect(tracker.heldBytes).toBe(0);
  return { runs, gaps };
}

/** Segments of one stream of `total` bytes: overlapping, repeated, conflicting, missing, in any order. */
function scattered(total: number): fc.Arbitrary<ReferenceSegment[]> {
  const one = fc.record({ at: fc.nat(total - 1), length: fc.integer({ min: 1, max: 40 }), salt: fc.nat(3) });
  return fc.array(one, { maxLength: 60 }).map((all) =>
    all.map(({ at, length, salt }) => ({
      at,
      // Mostly copies agree; a salt of 3 makes one that does not.
      bytes: Uint8Array.from(
        { length: Math.min(length, total - at) },
        (_, i) => ((at + i) * 7 + (salt === 3 ? 1 : 0)) & 255,
      ),
    })),
  );
}

describe('one direction against the dull model', () => {
  it('gives the same bytes and the same gaps, anywhere in sequence space', () => {
    fc.assert(
      fc.property(fc.integer(), scattered(400), (isn, segments) => {
        const tracked = collect([
          clientSegment({ flags: 'S', seq: isn }),
          ...segments.map((s) => clientSegment({ seq: isn + 1 + s.at, ack: 1, data: s.bytes })),
        ]);
        const expected = referenceReassembly(segments);
        expect(tracked.runs).toEqual(expected.runs.map((r) => ({ offset: r.offset, bytes: [...r.bytes] })));
        let end = 0;
        const holes = expected.runs.flatMap((r) => {
          const hole = r.offset > end ? [{ offset: end, length: r.offset - end, kind: 'hole' }] : [];
          end = r.offset + r.bytes.length;
          return hole;
        });
        expect(tracked.gaps).toEqual(holes);
      }),
      { numRuns: 400 },
    );
  });

  it('from the middle, begins with the lowest byte seen', () => {
    fc.assert(
      fc.property(fc.integer(), scattered(300), (base, segments) => {
        const pushed = segments.map((s) => clientSegment({ flags: 'PA', seq: base + s.at, ack: 1, data: s.bytes }));
        const tracked = collect(pushed);
        const { runs } = referenceReassembly(segments);
        const start = runs[0]?.offset ?? 0;
        expect(tracked.runs).toEqual(runs.map((r) => ({ offset: r.offset - start, bytes: [...r.bytes] })));
      }),
      { numRuns: 200 },
    );
  });

  it('never gives a wrong byte however little it may hold', () => {
    fc.assert(
      fc.property(fc.integer(), scattered(400), fc.integer({ min: 0, max: 2_000 }), (isn, segments, cap) => {
        const agreeing = segments.map((s) => ({ at: s.at, bytes: s.bytes.map((_, i) => ((s.at + i) * 7) & 255) }));
        const tracked = collect(
          [
            clientSegment({ flags: 'S', seq: isn }),
            ...agreeing.map((s) => clientSegment({ seq: isn + 1 + s.at, ack: 1, data: s.bytes })),
          ],
          { ...RECORDING_TRACKER, maxHeldPerStream: cap, maxHeldTotal: cap },
        );
        for (const { offset, bytes } of tracked.runs) {
          bytes.forEach((byte, i) => expect(byte).toBe(((offset + i) * 7) & 255));
        }
      }),
      { numRuns: 200 },
    );
  });

  it('lets good checksums beat bad ones, whatever the order', () => {
    const step = fc.record({ at: fc.nat(99), length: fc.integer({ min: 1, max: 30 }), bad: fc.boolean() });
    fc.assert(
      fc.property(fc.integer(), fc.array(step, { maxLength: 40 }), (isn, steps) => {
        const good = new Set<number>();
        const segments = steps.map(({ at, length, bad }) => {
          const data = Uint8Array.from({ length }, (_, i) => (bad ? 255 : at + i));
          if (!bad) data.forEach((_, i) => good.add(at + i));
          return clientSegment({ seq: isn + 1 + at, ack: 1, data, checksum: bad ? 1 : 0 });
        });
        const { runs } = collect([clientSegment({ flags: 'S', seq: isn }), ...segments]);
        const seen = new Map(runs.flatMap((r) => r.bytes.map((byte, i) => [r.offset + i, byte] as const)));
        for (const at of good) expect(seen.get(at)).toBe(at);
        // Unacknowledged bad bytes are used only when the sender had nothing good to show.
        if (good.size > 0) expect([...seen.values()]).not.toContain(255);
      }),
      { numRuns: 300 },
    );
  });
});

function vectors<T>(name: string): T[] {
  const url = new URL(`../../../../shared/captures/vectors/${name}`, import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { vectors: T[] }).vectors;
}

interface RandomVector {
  readonly id: string;
  readonly isn: number;
  readonly syn_seen: boolean;
  readonly steps: readonly { readonly flags: string; readonly seq: number; readonly payload_b64?: string }[];
  readonly expect: { readonly contiguous: number; readonly sha256: string; readonly gaps: [number, number][] };
}

/** Without the SYN a stream is taken to start with the lowest byte seen: only where that is the first, it can equal. */
const randomVectors = vectors<RandomVector>('tcp_random.json').filter(
  (v) => v.syn_seen || v.steps.some((s) => s.payload_b64 !== undefined && ((s.seq - v.isn) | 0) === 1),
);

describe('vectors', () => {
  it.each(randomVectors)('$id', ({ isn, steps, expect: expected }) => {
    const { runs, gaps } = collect(
      steps.map(({ flags, seq, payload_b64 }) =>
        clientSegment({ flags, seq, ack: 1, data: Buffer.from(payload_b64 ?? '', 'base64') }),
      ),
    );
    // What nothing behind it shows to have existed cannot be missed.
    const known = Math.max(
      0,
      ...steps.map((s) => ((s.seq - isn - 1) | 0) + Buffer.from(s.payload_b64 ?? '', 'base64').length),
    );
    const knownGaps = expected.gaps.filter(([offset]) => offset < known);
    const first = runs[0]?.offset === 0 ? Uint8Array.from(runs[0].bytes) : new Uint8Array(0);
    expect(first.length).toBe(expected.contiguous);
    expect(createHash('sha256').update(first).digest('hex')).toBe(expected.sha256);
    expect(gaps.map((g) => [g.offset, g.length])).toEqual(knownGaps);
  });

  interface GopacketVector {
    readonly id: string;
    readonly steps: readonly {
      readonly segment: {
        readonly seq: number;
        readonly SYN: boolean;
        readonly FIN: boolean;
        readonly payload: number[];
      };
      readonly want: readonly { readonly bytes: number[]; readonly skip: number }[];
    }[];
  }

  /** It lets a later copy of held bytes win; here the first one does. */
  const CONFLICTING = 'gopacket:reassembly:TestBufferedOverlapCase6';

  it.each(vectors<GopacketVector>('tcp_gopacket.json'))('$id', ({ id, steps }) => {
    const segments = steps.map(({ segment: s }) =>
      clientSegment({
        flags: `${s.SYN ? 'S' : ''}${s.FIN ? 'F' : ''}${s.SYN ? '' : 'A'}`,
        seq: s.seq,
        ack: 1,
        data: Uint8Array.from(s.payload),
      }),
    );
    const syn = steps.find((s) => s.segment.SYN)?.segment;
    // The data on the SYN counts once it is acknowledged.
    if (syn !== undefined) segments.push(serverSegment({ flags: 'SA', seq: 0, ack: syn.seq + 1 + syn.payload.length }));
    const { runs, gaps } = collect(segments);
    const wanted = steps.flatMap((s) => s.want);
    expect(gaps.map((g) => g.length)).toEqual(wanted.map((w) => w.skip).filter((skip) => skip > 0));
    const expected = wanted.flatMap((w) => w.bytes);
    if (id === CONFLICTING) expected.splice(10, 4, 1, 2, 3, 4);
    expect(runs.flatMap((r) => r.bytes)).toEqual(expected);
  });
});
