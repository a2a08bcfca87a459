import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { micros } from '../../../src/core/time.ts';
import { Governor } from '../../../src/replay/governor.ts';
import { STEP, type GovernorLimits, type Readings } from '../../../src/replay/governor-rules.ts';

const LIMITS: GovernorLimits = { cpu: undefined, hostCpu: undefined, memory: 512e6, queued: 64e6, target: true };

const QUIET: Readings = {
  cpu: 0.1,
  hostCpu: 0.2,
  frames: 0,
  kernelDrops: 0,
  memory: 10e6,
  queued: 0,
  behind: 0,
  shutOut: 0,
  busy: 0,
  ready: true,
  sent: 0,
  late: micros(0),
  answered: 0,
  age: micros(0),
  packets: 0,
  unsent: 0,
  failed: 0,
  errors: 0,
};

/** Connections of one request each, so many a second, to a target that serves them in order, if it does. */
class Model {
  readonly governor: Governor;
  readonly waiting: number[] = [];
  /** Requests that the target serves a second. */
  capacity = Infinity;
  /** What becomes of those it serves. */
  outcome: 'answered' | 'refused' | 'error' = 'answered';
  most = 0;
  admitted = 0;
  shed = 0;
  step = 0;
  #place = 0;
  readonly #rate: number;
  /** What copying all of it costs, of one processor, and what others on the host do. */
  readonly #cost: number;
  others = 0;

  constructor(rate: number, limits: Partial<GovernorLimits> = {}, cost = 0.2) {
    this.governor = new Governor({ ...LIMITS, ...limits });
    this.#rate = rate;
    this.#cost = cost;
  }

  run(seconds: number, look: () => void = () => undefined): this {
    for (let i = 0; i < seconds * 10; i++) {
      this.#second();
      look();
    }
    return this;
  }

  /** Steps until everything is copied again; at most `seconds`. */
  recovery(seconds: number): number {
    for (let i = 0; i < seconds * 10; i++) {
      if (this.governor.share === 1) return i / 10;
      this.#second();
    }
    return Infinity;
  }

  #second(): void {
    const now = ++this.step;
    let sent = 0;
    for (let i = 0; i < this.#rate / 10; i++) {
      this.#place = (this.#place + 0.618_033_988_749_894_9) % 1;
      if (!this.governor.admits(this.#place)) {
        this.shed++;
        continue;
      }
      sent++;
      this.waiting.push(now);
    }
    this.admitted += sent;
    const served = this.waiting.splice(0, Math.round(this.capacity / 10));
    const patience = this.governor.targetIsSilent ? 100 : 300;
    while (this.waiting.length > 0 && now - this.waiting[0]! > patience) this.waiting.shift();
    this.most = Math.max(this.most, this.waiting.length);
    const cpu = (this.#cost * sent) / (this.#rate / 10);
    this.governor.step({
      ...QUIET,
      cpu,
      hostCpu: Math.min(1, this.others + cpu / 2),
      behind: this.waiting.length,
      sent,
      answered: this.outcome === 'refused' ? 0 : served.length,
      age: micros(served.reduce((n, at) => n + (now - at) * STEP, 0)),
      failed: this.outcome === 'refused' ? served.length : 0,
      errors: this.outcome === 'error' ? served.length : 0,
    });
  }
}

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

describe('this host', () => {
  it('keeps to --max-cpu without swinging', () => {
    const model = new Model(5_000, { cpu: 0.4 }, 1).run(10);
    let [least, most] = [1, 0];
    model.run(60, () => {
      least = Math.min(least, model.governor.share);
      most = Math.max(most, model.governor.share);
    });
    expect(most).toBeLessThanOrEqual(0.4);
    expect(least).toBeGreaterThan(0.3);
    expect(model.governor.reason).toBe('cpu');
  });

  it('is left alone while others need its processors, and copied from again when they do not', () => {
    const model = new Model(2_000, { hostCpu: 0.9 }).run(5);
    model.others = 1;
    model.run(15);
    expect(model.governor.share).toBeLessThan(0.01);
    expect(model.governor.admits(0.5), 'no probes for its sake').toBe(false);
    model.others = 0.2;
    expect(model.recovery(10)).toBeLessThan(5);
  });

  it('sheds at once when memory is short', () => {
    const governor = new Governor(LIMITS);
    governor.step({ ...QUIET, queued: 65e6 });
    governor.step({ ...QUIET, memory: 600e6 });
    expect(governor.facts()).toMatchObject({ share: 0.25, reason: 'memory', spells: 1 });
    for (let i = 0; i < 100; i++) governor.step({ ...QUIET, queued: 60e6 });
    expect(governor.share, 'near the limit nothing changes').toBe(0.25);
    for (let i = 0; i < 50; i++) governor.step(QUIET);
    expect(governor.share).toBe(1);
  });

  it('copies fewer connections while the kernel drops frames', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 20; i++) governor.step({ ...QUIET, kernelDrops: 3 });
    expect(governor.share).toBeLessThan(0.4);
    expect(governor.reason).toBe('kernel-drops');
    for (let i = 0; i < 20; i++) governor.step(QUIET);
    expect(governor.share, 'not before the buffer has been read').toBeLessThan(0.4);
    for (let i = 0; i < 45; i++) governor.step(QUIET);
    expect(governor.share).toBe(1);
  });

  it('leaves out little more than the kernel drops', () => {
    const governor = new Governor(LIMITS);
    for (let i = 0; i < 4; i++) governor.step({ ...QUIET, frames: 3_000 });
    governor.step({ ...QUIET, frames: 3_000, kernelDrops: 49 });
    expect(governor.share).toBeCloseTo(0.947, 3);
    for (let i = 0; i < 6; i++) governor.step({ ...QUIET, frames: 2_000, kernelDrops: 1_000 });
    expect(governor.share, 'and more while it goes on').toBeLessThan(0.8);
    for (let i = 0; i < 40; i++) governor.step({ ...QUIET, frames: 3_000 });
    expect(governor.share).toBe(1);
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
