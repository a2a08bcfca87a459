import { describe, expect, it } from 'vitest';
import { instant, millis, type Duration } from '../../../src/core/time.ts';
import { FramePacer } from '../../../src/replay/frame-pacer.ts';

const RECORDED = 1_700_000_000_000_000;
const NOW = 5_000_000;

/** Due times in ms after the first frame, for frames recorded at these ms. */
function schedule(pacer: FramePacer, recorded: readonly number[], now = NOW): number[] {
  return recorded.map((ms) => (pacer.due(instant(RECORDED + ms * 1_000), instant(now)) - NOW) / 1_000);
}

describe('a frame pacer', () => {
  it('lets the first frame go at once and keeps the recorded distances', () => {
    expect(schedule(new FramePacer(1, undefined), [0, 10, 10, 35])).toEqual([0, 10, 10, 35]);
  });

  it('divides them by the acceleration', () => {
    expect(schedule(new FramePacer(4, undefined), [0, 10, 1_000])).toEqual([0, 2.5, 250]);
    expect(schedule(new FramePacer(0.5, undefined), [0, 10])).toEqual([0, 20]);
  });

  it('cuts long gaps down, and accelerates what is left', () => {
    expect(schedule(new FramePacer(1, millis(100)), [0, 99, 5_000, 5_001])).toEqual([0, 99, 199, 200]);
    expect(schedule(new FramePacer(2, millis(100)), [0, 5_000])).toEqual([0, 50]);
    expect(schedule(new FramePacer(1, 0 as Duration), [0, 5, 9])).toEqual([0, 0, 0]);
  });

  it('lets frames out of order go at once, and loses no time over them', () => {
    expect(schedule(new FramePacer(1, undefined), [0, 20, 15, 18, 30])).toEqual([0, 20, 20, 20, 30]);
  });

  it('keeps to the recording when the loop is late', () => {
    const pacer = new FramePacer(1, undefined);
    schedule(pacer, [0]);
    expect(schedule(pacer, [10, 20], NOW + 500_000)).toEqual([10, 20]);
  });

  it('begins again with the recording', () => {
    const pacer = new FramePacer(1, undefined);
    schedule(pacer, [0, 1_000]);
    pacer.restart();
    expect(schedule(pacer, [0, 10], NOW + 1_200_000)).toEqual([1_200, 1_210]);
  });
});
