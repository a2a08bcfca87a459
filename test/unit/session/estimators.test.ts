import { describe, expect, it } from 'vitest';
import { seqNum } from '../../../src/core/seq-num.ts';
import { instant, millis, NEVER, seconds } from '../../../src/core/time.ts';
import { Congestion } from '../../../src/session/congestion.ts';
import { RttEstimator } from '../../../src/session/rtt-estimator.ts';
import { SackScoreboard } from '../../../src/session/sack-scoreboard.ts';
import { Timers } from '../../../src/session/timers.ts';

describe('RTT estimator (RFC 6298)', () => {
  const estimator = () => new RttEstimator({ initialRto: seconds(1), minRto: millis(200), maxRto: seconds(5) });

  it('begins with the initial timeout, then smoothed + 4 × variation', () => {
    const rtt = estimator();
    expect(rtt.rto).toBe(1_000_000);
    rtt.sample(100_000);
    expect([rtt.smoothed, rtt.variation, rtt.rto]).toEqual([100_000, 50_000, 300_000]);
    rtt.sample(180_000);
    expect([rtt.smoothed, rtt.variation, rtt.rto]).toEqual([110_000, 57_500, 340_000]);
  });

  it('keeps within its bounds, and follows a rise', () => {
    const rtt = estimator();
    for (let i = 0; i < 50; i++) rtt.sample(50);
    expect(rtt.rto).toBe(200_000);
    for (let i = 0; i < 50; i++) rtt.sample(2_000_000);
    expect(rtt.rto).toBeGreaterThan(2_000_000);
    expect(rtt.rto).toBeLessThanOrEqual(5_000_000);
  });

  it('doubles with each timeout and comes down step by step', () => {
    const rtt = estimator();
    for (const expected of [2, 4, 5, 5]) {
      rtt.timedOut();
      expect(rtt.rto).toBe(expected * 1e6);
    }
    for (let i = 0; i < 2; i++) rtt.progressed();
    expect(rtt.rto).toBe(4e6);
    for (let i = 0; i < 9; i++) rtt.progressed();
    expect(rtt.rto).toBe(1e6);
    for (let i = 0; i < 1_000; i++) rtt.timedOut();
    expect(rtt.rto).toBe(5e6);
  });

  it('ignores samples that cannot be', () => {
    const rtt = estimator();
    rtt.sample(-1);
    rtt.sample(3e9);
    expect(rtt.smoothed).toBe(0);
    rtt.sample(0.3);
    expect(rtt.smoothed).toBe(1);
  });
});

describe('congestion window (RFC 5681)', () => {
  it('doubles in slow start, then adds a segment a round trip', () => {
    const c = new Congestion(1_000, { initialWindowSegments: 10, sendBufferPerSession: 100_000 });
    c.acknowledged(10_000, true);
    expect(c.window).toBe(20_000);
    c.lost(20_000);
    expect([c.window, c.threshold]).toEqual([10_000, 10_000]);
    for (let i = 0; i < 9; i++) c.acknowledged(1_000, true);
    expect(c.window).toBe(10_000);
    c.acknowledged(1_000, true);
    expect(c.window).toBe(11_000);
  });

  it('falls to one segment on a timeout, and halves the threshold once', () => {
    const c = new Congestion(1_000, { initialWindowSegments: 10, sendBufferPerSession: 100_000 });
    c.timedOut(8_000, false);
    c.timedOut(1_000, true);
    expect([c.window, c.threshold]).toEqual([1_000, 4_000]);
    c.timedOut(1_000, false);
    expect(c.threshold).toBe(2_000);
  });

  it('does not grow when it was not the limit, nor beyond the most that is ever in flight', () => {
    const c = new Congestion(1_000, { initialWindowSegments: 10, sendBufferPerSession: 15_000 });
    c.acknowledged(10_000, false);
    expect(c.window).toBe(10_000);
    for (let i = 0; i < 9; i++) c.acknowledged(10_000, true);
    expect(c.window).toBeLessThan(30_000);
  });
});

describe('SACK scoreboard', () => {
  it('knows holes and held bytes across a wrap', () => {
    const s = (n: number) => seqNum(0xffff_ff00 + n);
    const board = new SackScoreboard();
    expect(board.add(s(200), s(300))).toBe(true);
    expect(board.add(s(400), s(500))).toBe(true);
    expect(board.add(s(210), s(290))).toBe(false);
    expect(board.add(s(300), s(320))).toBe(true);
    expect(board.bytes).toBe(220);
    expect([board.first(s(0)), board.highest(s(0))]).toEqual([s(200), s(500)]);
    expect(board.skipHeld(s(200))).toBe(s(320));
    expect(board.skipHeld(s(330))).toBe(s(330));
    expect(board.holeEnd(s(320), s(600))).toBe(s(400));
    expect(board.holeEnd(s(500), s(600))).toBe(s(600));
    expect(board.holeEnd(s(100), s(150))).toBe(s(150));
    expect(board.bytesWithin(s(250), s(450))).toBe(120);
    board.discardBefore(s(450));
    expect([board.bytes, board.first(s(0))]).toEqual([50, s(450)]);
  });
});

describe('timers', () => {
  it('wake at the earliest, move earlier at once and later only when asked', () => {
    const timers = new Timers();
    expect(timers.wake).toBe(NEVER);
    timers.setRetransmit(instant(0), millis(200));
    timers.setDelayedAck(instant(0), millis(40));
    expect(timers.wake).toBe(40_000);
    timers.delayedAck = NEVER;
    timers.setRetransmit(instant(50_000), millis(200));
    expect(timers.wake).toBe(40_000);
    timers.rewake();
    expect(timers.wake).toBe(250_000);
    timers.setLinger(instant(0), millis(1));
    timers.setPersist(instant(0), millis(2));
    expect(timers.wake).toBe(1_000);
    timers.clear();
    expect(timers.wake).toBe(NEVER);
  });
});
