import { beforeEach, describe, expect, it } from 'vitest';
import { WakeModeration } from '../../../src/capture/wake-moderation.ts';

describe('WakeModeration', () => {
  let now = 0;
  let rests: number[] = [];
  let moderation: WakeModeration;

  beforeEach(() => {
    now = 0;
    rests = [];
    const wait = (milliseconds: number) => {
      rests.push(milliseconds);
      now += milliseconds;
    };
    moderation = new WakeModeration(wait, () => now);
    moderation.begin();
  });

  /** A turn that begins after `period` ms, takes `took` and handles `events`; how long it rests, 0: not at all. */
  function turn(period: number, took: number, events: number, longest?: number, batch?: number): number {
    now += period;
    moderation.begin();
    now += took;
    const before = rests.length;
    const rested = moderation.rest(events, longest, batch);
    expect(rested).toBe(rests.length > before);
    return rests[before] ?? 0;
  }

  it('rests until a batch has gathered at the rate seen, counted from the beginning of the turn', () => {
    // Ten events in a millisecond: 32 of them take 3.2 ms.
    expect(turn(1, 0.5, 10)).toBeCloseTo(2.7);
  });

  it('rests for 4 ms at most, or for as long as the caller can afford', () => {
    expect(turn(4, 0.5, 5)).toBeCloseTo(3.5);
    expect(turn(4, 0.5, 20, 1)).toBeCloseTo(0.5);
    expect(turn(4, 0.5, 20, 12)).toBeCloseTo(9.9);
    expect(turn(4, 0.5, 20, 12, 128)).toBeCloseTo(11.5);
  });

  it('rests once more when nothing came in one rest between others', () => {
    expect(turn(4, 0.5, 5)).toBeCloseTo(3.5);
    expect(turn(4, 0.5, 0)).toBeCloseTo(3.5);
    expect(turn(4, 0.5, 0)).toBe(0);
  });

  it('does not rest after nothing, where so little comes that waiting gathers nothing, and under load', () => {
    expect(turn(4, 0.1, 0)).toBe(0);
    expect(turn(40, 0.1, 5)).toBe(0);
    expect(turn(3, 0.1, 2, 1)).toBe(0);
    expect(turn(2, 2, 200)).toBe(0);
  });

  it('lets turns follow one another for 100 ms without the event loop', () => {
    moderation.enter();
    const stays: boolean[] = [];
    for (let n = 0; n < 6; n++) {
      turn(10, 0.5, 2, 16);
      stays.push(moderation.mayStay);
    }
    // From the beginning of the first turn.
    expect(stays).toEqual([true, true, true, true, false, false]);
    moderation.enter();
    expect(moderation.mayStay).toBe(true);
  });
});
