import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../../src/core/time.ts';
import { Governor } from '../../../src/replay/governor.ts';
import type { Readings } from '../../../src/replay/governor-rules.ts';
import { LIMITS, Model, QUIET } from './governor-model.ts';

describe('while all is well', () => {
  it('everything is copied, at any rate', () => {
    for (const rate of [0, 10, 200, 20_000]) {
      const model = new Model(rate).run(20);
      expect(model.shed).toBe(0);
      expect(model.governor.facts()).toEqual({ share: 1, reason: undefined, reasons: [], spells: 0, time: 0 });
    }
  });

  it('a target that answers late, but as fast as it is asked, gets everything', () => {
    const model = new Model(1_000);
    // Behind from then on.
    model.capacity = 0;
    model.run(1.4);
    model.capacity = 1_000;
    expect(model.run(30).shed).toBe(0);
  });

  it('few endless responses are no trouble', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 1_000; i++) governor.step({ ...QUIET, behind: 15 });
    expect(governor.share).toBe(1);
    for (let i = 0; i < 1_000; i++) {
      governor.step({ ...QUIET, behind: 5_000, sent: 100, answered: 100, age: micros(100 * 20_000) });
    }
    expect(governor.share).toBe(1);
  });

  it('a target that the kernel lets nothing reach is not silent for three seconds', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 30; i++) governor.step({ ...QUIET, behind: 500, packets: 2, unsent: 10 });
    expect(governor.share).toBe(1);
    // The sessions are bounded all the same.
    for (let i = 0; i < 30; i++) governor.step({ ...QUIET, behind: 500, packets: 2, unsent: 10 });
    expect(governor.facts()).toMatchObject({ reason: 'target-silent' });
  });

  it('a target is silent although the kernel refuses some packets', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 20; i++) governor.step({ ...QUIET, behind: 500, packets: 10, unsent: 3 });
    expect(governor.facts()).toMatchObject({ reason: 'target-silent' });
  });

  it('a target behind an intercept that is gone is not judged', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 100; i++) governor.step({ ...QUIET, behind: 500, ready: false });
    expect(governor.share).toBe(1);
  });
});

describe('being no burden comes first', () => {
  /** Runs on; in how many of the steps it does. */
  const spared = (model: Model, seconds: number): number => {
    let steps = 0;
    model.run(seconds, () => (steps += model.governor.spares ? 1 : 0));
    return steps / (seconds * 10);
  };

  it.each(['silent', 'failing', 'busy host'] as const)(
    'while there is trouble, and not while all comes back: %s',
    (trouble) => {
      const model = new Model(2_000, { hostCpu: 0.9 });
      expect(spared(model, 5)).toBe(0);
      if (trouble === 'silent') model.capacity = 0;
      else if (trouble === 'failing') model.outcome = 'refused';
      else model.others = 1;
      model.run(5);
      expect(spared(model, 20)).toBe(1);
      [model.capacity, model.outcome, model.others] = [10_000, 'answered', 0.2];
      model.run(1.5);
      expect(model.governor.share).toBeLessThan(1);
      expect(spared(model, 10)).toBe(0);
      expect(model.governor.share).toBe(1);
    },
  );

  it('not while a target is slow, which would have to wait for us when it is not any more', () => {
    const model = new Model(2_000);
    model.capacity = 500;
    model.run(30);
    expect(model.governor.facts()).toMatchObject({ reason: 'target-slow' });
    expect(model.governor.spares).toBe(false);
  });
});

describe('places', () => {
  it('are left out from above: the same ones first, and back last', () => {
    const places = Array.from({ length: 100 }, (_, i) => i / 100);
    const governor = new Governor(LIMITS);
    let taken = places.filter((place) => governor.takes(place));
    expect(taken).toEqual(places);
    for (let i = 0; i < 60; i++) {
      governor.step({ ...QUIET, kernelDrops: i < 20 ? 1 : 0 });
      const now = places.filter((place) => governor.takes(place));
      expect(now).toEqual(places.slice(0, now.length));
      taken = now;
    }
    expect(taken.length).toBeGreaterThan(0);
  });
});

it('the share stays between 0 and 1, and comes back in six seconds of calm, whatever was measured', () => {
  const some = (max: number) => fc.double({ min: 0, max, noNaN: true });
  const readings: fc.Arbitrary<Readings> = fc.record({
    cpu: some(4),
    hostCpu: fc.option(some(1), { nil: undefined }),
    frames: fc.nat(10_000),
    kernelDrops: fc.nat(10),
    memory: some(1e9),
    queued: some(1e8),
    behind: fc.nat(10_000),
    shutOut: fc.nat(10_000),
    busy: fc.nat(10_000),
    ready: fc.boolean(),
    sent: fc.nat(10_000),
    late: some(1e11).map(micros),
    answered: fc.nat(10_000),
    age: some(1e11).map(micros),
    packets: fc.nat(10_000),
    unsent: fc.nat(10_000),
    failed: fc.nat(100),
    errors: fc.nat(100),
  });
  fc.assert(
    fc.property(fc.array(readings, { maxLength: 60 }), (all) => {
      const governor = new Governor({ ...LIMITS, cpu: 1, hostCpu: 0.9 });
      for (const each of all) {
        governor.step(each);
        expect(governor.share).toBeGreaterThanOrEqual(0);
        expect(governor.share).toBeLessThanOrEqual(1);
        expect(governor.facts().reason === undefined).toBe(governor.share === 1);
      }
      for (let i = 0; i < 60; i++) governor.step(QUIET);
      expect(governor.share).toBe(1);
    }),
  );
});
