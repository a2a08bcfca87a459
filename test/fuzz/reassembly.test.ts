// Invariant: whatever segments come, every stream is handed out gapless by offset, events keep their order, memory stays
// at its cap, and nothing that was opened is left without a last event.
import { describe, expect, it } from 'vitest';
import { instant, millis, seconds } from '../../src/core/time.ts';
import {
  EVENT_CLOSED,
  EVENT_DATA,
  EVENT_GAP,
  EVENT_HALF_CLOSED,
  EVENT_NONE,
  EVENT_OPENED,
  EVENT_REJECTED,
  EVENT_RESET,
} from '../../src/reassembly/delivery.ts';
import { ConnectionTracker } from '../../src/reassembly/tracker.ts';
import { LIVE_TRACKER, RECORDING_TRACKER, type TrackerOptions } from '../../src/reassembly/tracker-options.ts';
import { seededRandom } from '../support/damage.ts';
import { fuzzSeeds } from '../support/fuzzing.ts';
import { clientSegment, serverSegment } from '../support/segment-builder.ts';

const RUNS = 60;
const SEGMENTS = 400;
const CAP = 20_000;
const FLAGS = ['A', 'A', 'A', 'PA', 'PA', 'S', 'SA', 'FA', 'RA', 'R', 'F', '', 'SF', 'SFRPAU'];

interface StreamState {
  readonly offsets: [number, number];
  readonly ended: [boolean, boolean];
}

class Checker {
  readonly tracker: ConnectionTracker<StreamState>;
  readonly #open = new Set<number>();

  constructor(options: TrackerOptions) {
    this.tracker = new ConnectionTracker(options);
  }

  drain(): void {
    const { tracker } = this;
    for (let event = tracker.poll(); event !== EVENT_NONE; event = tracker.poll()) {
      if (event === EVENT_REJECTED) continue;
      const connection = tracker.connection!;
      if (event === EVENT_OPENED) {
        expect(connection.user).toBeUndefined();
        connection.user = { offsets: [0, 0], ended: [false, false] };
        this.#open.add(connection.index);
        continue;
      }
      expect(this.#open.has(connection.index)).toBe(true);
      const state = connection.user!;
      const { half, chunk, gap } = tracker;
      if (event === EVENT_CLOSED || event === EVENT_RESET) this.#open.delete(connection.index);
      else expect(state.ended[half]).toBe(false);
      if (event === EVENT_DATA) {
        expect(chunk.streamOffset).toBe(state.offsets[half]);
        expect(chunk.length).toBeGreaterThan(0);
        expect(chunk.offset + chunk.length).toBeLessThanOrEqual(chunk.bytes.length);
        // The payload of every segment is made of this byte; whatever lies around it is not.
        expect(chunk.bytes.subarray(chunk.offset, chunk.offset + chunk.length).every((b) => b === 0x61)).toBe(true);
        state.offsets[half] += chunk.length;
      } else if (event === EVENT_GAP) {
        expect(gap.offset).toBe(state.offsets[half]);
        expect(gap.length).toBeGreaterThan(0);
        state.offsets[half] += gap.length;
      } else if (event === EVENT_HALF_CLOSED) state.ended[half] = true;
    }
    // One segment may be held beyond the cap of its stream, and suspect bytes have a quarter of it to themselves.
    expect(tracker.heldBytes).toBeLessThan(CAP * 2 * 2 * 1.5 * tracker.openConnections + 1);
    expect(tracker.openConnections).toBe(this.#open.size);
  }
}

const modes: Record<string, Partial<TrackerOptions>> = {
  live: { ...LIVE_TRACKER, gapPatience: millis(20), ackedGapPatience: millis(5), idleTimeout: seconds(3) },
  'one way': { ...LIVE_TRACKER, oneWay: true, midstream: 'any', gapPatience: millis(20) },
  recording: RECORDING_TRACKER,
  crowded: { ...RECORDING_TRACKER, maxConnections: 2 },
  'no pick-up': { ...LIVE_TRACKER, midstream: 'off', maxConnections: 3 },
};

describe('reassembly under arbitrary segments', () => {
  it.each(Object.entries(modes))('%s', (_, mode) => {
    for (const seed of fuzzSeeds(RUNS)) {
      const random = seededRandom(seed);
      const below = (n: number) => Math.floor(random() * n);
      const checker = new Checker({ ...LIVE_TRACKER, ...mode, maxHeldPerStream: CAP, maxHeldTotal: 4 * CAP });
      const base = [below(2 ** 32), below(2 ** 32)] as const;
      // Mostly near one another, sometimes anywhere.
      const number = (near: number) => (random() < 0.03 ? below(2 ** 32) : (near + below(3_000) - 100) >>> 0);
      let now = 0;
      for (let i = 0; i < SEGMENTS; i++) {
        now += random() < 0.01 ? below(5_000) : random() * 3;
        const fromClient = random() < 0.6;
        const segment = (fromClient ? clientSegment : serverSegment)(
          {
            flags: FLAGS[below(FLAGS.length)]!,
            seq: number(base[fromClient ? 0 : 1]),
            ack: number(base[fromClient ? 1 : 0]),
            data: random() < 0.6 ? 'a'.repeat(below(400)) : '',
            missing: random() < 0.05 ? below(200) : 0,
            checksum: random() < 0.15 ? 1 + below(2) : 0,
            at: random() < 0.05 ? now - below(1_000) : now,
          },
          { clientPort: 40_000 + below(4) },
        );
        checker.tracker.handle(segment);
        checker.drain();
        segment.bytes.fill(0xdd);
        if (random() < 0.2) {
          checker.tracker.advance(instant(now * 1_000));
          checker.drain();
        }
      }
      checker.tracker.finish();
      checker.drain();
      expect(checker.tracker.openConnections).toBe(0);
      expect(checker.tracker.heldBytes).toBe(0);
    }
  });
});
