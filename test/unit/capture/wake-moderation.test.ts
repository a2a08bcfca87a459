import { beforeEach, describe, expect, it } from 'vitest';
import { WakeModeration } from '../../../src/capture/wake-moderation.ts';

describe('WakeModeration', () => {
  let now = 0;
  let rests: number[] = [];
  /** What the last turn's `rest` has returned. */
  let goesOn = false;
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
    goesOn = moderation.rest(events, longest, batch);
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
    expect(goesOn).toBe(true);
    expect(turn(4, 0.5, 0)).toBe(0);
    expect(goesOn).toBe(false);
  });

  it.each([
    ['nothing came', 4, 0],
    ['so little comes that waiting gathers nothing', 40, 5],
  ])('leaves the next turn to the event loop where %s', (_, period, events) => {
    expect(turn(period, 0.1, events)).toBe(0);
    expect(goesOn).toBe(false);
  });

  it('does so where less comes than the caller can wait for', () => {
    expect(turn(3, 0.1, 2, 1)).toBe(0);
    expect(goesOn).toBe(false);
  });

  it.each([
    ['a batch has gathered meanwhile', 2, 200],
    ['the longest rest is over', 4, 10],
  ])('goes on at once where, in a long turn, %s', (_, took, events) => {
    expect(turn(took, took, events)).toBe(0);
    expect(goesOn).toBe(true);
  });

  it('leaves the event loop alone for no longer when turns follow one another at once', () => {
    moderation.enter();
    for (let n = 0; n < 9; n++) {
      turn(0, 11, 1_000);
      expect(moderation.mayStay).toBe(true);
    }
    turn(0, 11, 1_000);
    expect(moderation.mayStay).toBe(false);
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
