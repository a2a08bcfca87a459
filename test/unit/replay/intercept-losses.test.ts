import { describe, expect, it } from 'vitest';
import { STATS } from '../../../src/control/protocol.ts';
import { LossCounter } from '../../../src/replay/intercept-losses.ts';

const stats = (frames: number, kernelDropped: number, forwarded: number, dropped: number) =>
  ({ type: STATS, frames, kernelDropped, forwarded, dropped }) as const;

describe('LossCounter', () => {
  it('counts from when we came', () => {
    const counter = new LossCounter();
    counter.add('a', stats(1000, 50, 0, 0));
    counter.add('a', stats(1500, 53, 10, 2));
    expect(counter.totals()).toEqual({ kernelDropped: 3, forwarded: 10, dropped: 2 });
  });

  it('goes on over a restart of the intercept', () => {
    const counter = new LossCounter();
    counter.add('a', stats(1000, 50, 0, 0));
    counter.add('a', stats(1500, 53, 10, 2));
    counter.add('b', stats(5, 1, 0, 0));
    counter.add('b', stats(9, 2, 4, 1));
    expect(counter.totals()).toEqual({ kernelDropped: 4, forwarded: 14, dropped: 3 });
  });

  it('goes on when the intercept has forgotten us', () => {
    const counter = new LossCounter();
    counter.add('a', stats(10, 0, 9, 4));
    counter.add('a', stats(20, 0, 2, 1));
    expect(counter.totals()).toEqual({ kernelDropped: 0, forwarded: 11, dropped: 5 });
  });

  it('ignores older figures that arrive late', () => {
    const counter = new LossCounter();
    counter.add('a', stats(100, 9, 90, 4));
    counter.add('a', stats(90, 8, 80, 3));
    counter.add('a', stats(110, 9, 91, 4));
    expect(counter.totals()).toEqual({ kernelDropped: 0, forwarded: 91, dropped: 4 });
  });
});
