import { beforeEach, describe, expect, it } from 'vitest';
import { millis, type Duration } from '../../../src/core/time.ts';
import { Hurry } from '../../../src/replay/hurry.ts';

const pace = (late: number, underWay: number, n = 100) => ({
  sent: n,
  late: (n * millis(late)) as Duration,
  answered: n,
  age: (n * millis(late + underWay)) as Duration,
});
const NOTHING = { sent: 0, late: millis(0), answered: 0, age: millis(0) };

describe('Hurry', () => {
  let hurry: Hurry;
  beforeEach(() => {
    hurry = new Hurry();
  });
  const steps = (n: number, ...p: Parameters<typeof pace>) => Array.from({ length: n }, () => hurry.step(pace(...p)));

  it('begins when requests leave late although responses come soon, and says so once', () => {
    expect(steps(3, 3, 2)).toEqual([false, false, false]);
    expect(hurry.on).toBe(false);
    expect(steps(4, 30, 5)).toEqual([false, false, true, false]);
    expect(hurry.on).toBe(true);
  });

  it.each([
    ['in time', 3],
    ['somewhat late', 12],
  ])('does not begin because this process stood still for a moment: %s between', (_, late) => {
    for (let i = 0; i < 5; i++) {
      steps(2, 70, 5);
      steps(1, late, 5);
    }
    expect(hurry.on).toBe(false);
  });

  it('does not begin where the target takes its time', () => {
    steps(10, 5_000, 30);
    expect(hurry.on).toBe(false);
  });

  it('goes on while requests are somewhat late, and ends half a second after that', () => {
    steps(3, 30, 5);
    expect(steps(20, 12, 5)).not.toContain(true);
    expect(steps(4, 5, 5)).not.toContain(true);
    expect(hurry.on).toBe(true);
    expect(steps(1, 5, 5)).toEqual([true]);
    expect(hurry.on).toBe(false);
  });

  it('is not over before it has been calm for a while on end', () => {
    steps(3, 30, 5);
    for (let i = 0; i < 5; i++) {
      steps(4, 5, 5);
      steps(1, 12, 5);
    }
    expect(hurry.on).toBe(true);
  });

  it('ends when the target has become slow, and when there is nothing to send', () => {
    steps(3, 30, 5);
    steps(5, 300, 45);
    expect(hurry.on).toBe(true);
    steps(5, 300, 60);
    expect(hurry.on).toBe(false);
    steps(3, 30, 5);
    for (let i = 0; i < 5; i++) hurry.step(NOTHING);
    expect(hurry.on).toBe(false);
  });

  it('ends, and does not begin, while being late is no matter', () => {
    steps(3, 30, 5);
    for (let i = 0; i < 5; i++) hurry.step(undefined);
    expect(hurry.on).toBe(false);
    steps(2, 30, 5);
    hurry.step(undefined);
    steps(2, 30, 5);
    expect(hurry.on).toBe(false);
  });
});
