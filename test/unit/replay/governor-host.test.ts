/** What becomes of the share when this host is in trouble. */
import { describe, expect, it } from 'vitest';
import { Governor } from '../../../src/replay/governor.ts';
import { LIMITS, Model, QUIET } from './governor-model.ts';

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
