/** What becomes of the share when the target is in trouble. */
import { describe, expect, it } from 'vitest';
import { micros } from '../../../src/core/time.ts';
import { Governor } from '../../../src/replay/governor.ts';
import type { Readings } from '../../../src/replay/governor-rules.ts';
import { LIMITS, Model, QUIET } from './governor-model.ts';

describe('a silent target', () => {
  it('costs a bounded number of sessions, at 2,000 requests a second for a minute', () => {
    const model = new Model(2_000).run(10);
    model.capacity = 0;
    model.run(60);
    expect(model.most).toBeLessThan(4_000);
    expect(model.governor.facts()).toMatchObject({
      share: 0.01,
      reason: 'target-silent',
      reasons: ['target-silent'],
      spells: 1,
    });
    // The share, and ten probes a second.
    expect(model.waiting.length).toBeLessThan(400);
  });

  it('is tried all the same, and gets everything again within five seconds of its first answer', () => {
    const model = new Model(2_000).run(5);
    model.capacity = 0;
    model.run(20);
    model.capacity = 10_000;
    expect(model.recovery(10)).toBeLessThan(5);
    const { shed } = model;
    expect(model.run(20).shed).toBe(shed);
  });

  it('is found well again though old sessions never end', () => {
    const model = new Model(2_000).run(5);
    model.capacity = 0;
    model.run(20);
    // What waits stays waiting; what comes now is answered at once.
    const stuck = model.waiting.length;
    const governor = model.governor;
    let steps = 0;
    for (; governor.share < 1 && steps < 100; steps++) {
      governor.step({ ...QUIET, behind: stuck, sent: 10, answered: 10, age: micros(10 * 5_000) });
    }
    expect(steps).toBeLessThan(30);
  });

  it('that was asked for long, in sessions that ended for want of an answer, is no slow one', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 30; i++) governor.step({ ...QUIET, behind: 16 });
    // What waited on a connection goes into a session of its own when the first has been given up.
    for (let i = 0; i < 100; i++) governor.step({ ...QUIET, behind: 12, sent: 1, late: micros((12 + i / 10) * 1e6) });
    expect(governor.facts()).toMatchObject({ share: 0.01, reason: 'target-silent' });
    let steps = 0;
    for (; governor.share < 1 && steps < 100; steps++) governor.step({ ...QUIET, sent: 200, answered: 200 });
    expect(steps).toBeLessThan(40);
  });

  it('of few connections is asked by probes alone', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 20; i++) governor.step({ ...QUIET, behind: 16 });
    expect(governor.takes(0.02)).toBe(false);
    const probes = Array.from({ length: 20 }, () => governor.admits(0.5)).filter((yes) => yes).length;
    expect(probes).toBe(5);
    governor.step({ ...QUIET, behind: 16 });
    expect([governor.admits(0.5), governor.admits(0.5)]).toEqual([true, false]);
  });
});

describe('a slow target', () => {
  it('gets about what it can serve, some seconds late, and everything when it can', () => {
    const model = new Model(2_000).run(5);
    model.capacity = 500;
    model.run(60);
    const before = { admitted: model.admitted, step: model.step };
    let latest = 0;
    model.run(60, () => (latest = Math.max(latest, model.waiting.length / model.capacity)));
    const rate = (model.admitted - before.admitted) / 60;
    expect(rate).toBeGreaterThan(400);
    expect(rate).toBeLessThan(600);
    expect(latest).toBeLessThan(15);
    expect(model.governor.reason).toBe('target-slow');
    model.capacity = 10_000;
    model.run(5);
    expect(model.governor.share).toBe(1);
  });
});

describe('a target that was slow', () => {
  it('and works off at once what has waited for half a minute gets everything within three seconds', () => {
    const governor = new Governor(LIMITS);
    const step = (late: number): void =>
      governor.step({ ...QUIET, sent: 20, late: micros(20 * late * 1e6), answered: 20, age: micros(20 * late * 1e6) });
    for (let i = 0; i < 400; i++) step(Math.min(30, i / 10));
    expect(governor.share).toBe(0.05);
    let steps = 0;
    for (; governor.share < 1 && steps < 100; steps++) step(Math.max(0, 30 - steps));
    expect(steps).toBeLessThan(50);
  });
});

describe('a target that takes no more bytes', () => {
  const FULL: Readings = { ...QUIET, shutOut: 40, busy: 60, sent: 10, answered: 10 };
  const steps = (governor: Governor, readings: Readings, count: number): void => {
    for (let i = 0; i < count; i++) governor.step(readings);
  };

  it('on most connections for five seconds gets less, at least a twentieth, and everything within five seconds', () => {
    const governor = new Governor(LIMITS);
    steps(governor, FULL, 49);
    expect(governor.share).toBe(1);
    steps(governor, FULL, 200);
    expect(governor.facts()).toMatchObject({ share: 0.05, reason: 'target-full', spells: 1 });
    steps(governor, QUIET, 50);
    expect(governor.share).toBe(1);
  });

  it.each([
    ['now and then', (i: number) => (i % 40 === 0 ? QUIET : FULL)],
    ['on a few', () => ({ ...FULL, shutOut: 15, busy: 15 })],
    ['on fewer than half', () => ({ ...FULL, shutOut: 40, busy: 80 })],
  ])('%s gets everything', (_, readings) => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 500; i++) governor.step(readings(i));
    expect(governor.share).toBe(1);
  });
});

describe('a failing target', () => {
  it.each(['refused', 'error'] as const)('(%s) gets a tenth, and everything within five seconds', (outcome) => {
    const model = new Model(2_000).run(5);
    model.outcome = outcome;
    model.run(30);
    expect(model.governor.facts()).toMatchObject({ share: 0.1, reason: 'target-failing', spells: 1 });
    model.outcome = 'answered';
    // Old failures leave the average within a second.
    expect(model.recovery(10)).toBeLessThan(5);
    model.capacity = 0;
    model.run(60);
    expect(model.governor.facts().reasons).toEqual(['target-silent', 'target-failing']);
  });

  it('gets everything where nobody is to be spared for its sake', () => {
    const model = new Model(2_000, { target: false });
    model.outcome = 'refused';
    expect(model.run(30).shed).toBe(0);
    model.capacity = 0;
    expect(model.run(30).shed).toBe(0);
  });

  it('is not judged by a handful of requests', () => {
    const model = new Model(10);
    model.outcome = 'refused';
    expect(model.run(30).shed).toBe(0);
  });
});
