import { describe, expect, it } from 'vitest';
import { FrameTimes, WallClock } from '../../../src/capture/wall-clock.ts';
import { instant } from '../../../src/core/time.ts';

const SECOND = 1e6;
const HOUR = 3_600 * SECOND;
const BEGIN = 1_700_000_000 * SECOND;

/** A machine on which time passes, and somebody sets the system's clock. */
class Machine {
  passed = 0;
  set = 0;
  readonly wall = new WallClock(
    () => this.unix,
    () => this.loop,
  );
  get unix() {
    return instant(BEGIN + this.passed + this.set);
  }
  get loop() {
    return instant(BEGIN + this.passed);
  }
}

describe.each([HOUR, -HOUR])('the system clock is set by %d µs', (step) => {
  it('frames go on in the time that passes', () => {
    const machine = new Machine();
    const times = new FrameTimes(machine.wall);
    for (let n = 0; n < 10; n++) {
      machine.passed += SECOND;
      if (n === 5) machine.set += step;
      const stamp = machine.unix;
      machine.passed += 2_000;
      times.look();
      expect(times.place(stamp)).toBe(machine.loop - 2_000);
    }
  });

  it('a frame that was stamped before and is read after it stays near its neighbours', () => {
    const machine = new Machine();
    const times = new FrameTimes(machine.wall);
    times.look();
    const before = times.place(machine.unix);
    machine.passed += SECOND;
    const old = machine.unix;
    machine.set += step;
    machine.passed += SECOND;
    times.look();
    const placed = times.place(old);
    expect(placed).toBeGreaterThanOrEqual(before);
    expect(placed).toBeLessThanOrEqual(machine.loop);
    machine.passed += SECOND;
    const next = machine.unix;
    times.look();
    expect(times.place(next)).toBe(machine.loop);
  });

  it('a frame that is read before the system is asked for its time again is placed within that time', () => {
    const machine = new Machine();
    const times = new FrameTimes(machine.wall);
    times.look();
    const before = times.place(machine.unix);
    machine.set += step;
    machine.passed += 49_000;
    times.look();
    const placed = times.place(machine.unix);
    expect(placed).toBeGreaterThanOrEqual(before);
    expect(placed).toBeLessThanOrEqual(machine.loop);
    machine.passed += 1_000;
    times.look();
    expect(times.place(machine.unix)).toBe(machine.loop);
  });

  it('what is written has the time that the system had', () => {
    const machine = new Machine();
    machine.wall.look();
    const before = machine.loop;
    expect(machine.wall.toUnix(before)).toBe(machine.unix);
    machine.set += step;
    machine.passed += 50_000;
    machine.wall.look();
    expect(machine.wall.toUnix(machine.loop)).toBe(machine.unix);
    expect(machine.wall.toUnix(machine.wall.toLoop(machine.unix))).toBe(machine.unix);
  });
});

it('jitter of less than 100 ms is no step', () => {
  const machine = new Machine();
  const times = new FrameTimes(machine.wall);
  for (const jitter of [0, 99_000, -99_000, 50_000, 0]) {
    machine.set = jitter;
    machine.passed += SECOND;
    times.look();
    expect(times.place(instant(machine.loop - 10_000))).toBe(machine.loop - 10_000);
  }
});

it('frames of two processors may be out of order by a little, and none is from later than now', () => {
  const machine = new Machine();
  const times = new FrameTimes(machine.wall);
  machine.passed = SECOND;
  times.look();
  expect(times.place(machine.loop)).toBe(machine.loop);
  expect(times.place(instant(machine.loop - 20_000))).toBe(machine.loop - 20_000);
  expect(times.place(instant(machine.loop + 30_000))).toBe(machine.loop);
});
