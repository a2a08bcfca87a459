import { describe, expect, it } from 'vitest';
import { instant, seconds } from '../../../src/core/time.ts';
import { RunningClock } from '../../../src/control/running-clock.ts';

describe('RunningClock', () => {
  it('follows the clock it is given while ticks are regular', () => {
    const clock = new RunningClock(instant(7e6), seconds(2));
    expect(clock.tick(instant(8e6))).toBe(1e6);
    expect(clock.tick(instant(9.5e6))).toBe(2.5e6);
    expect(clock.time).toBe(2.5e6);
  });

  it('counts a long absence as one step', () => {
    const clock = new RunningClock(instant(0), seconds(2));
    expect(clock.tick(instant(60e6))).toBe(2e6);
    expect(clock.tick(instant(61e6))).toBe(3e6);
  });
});
