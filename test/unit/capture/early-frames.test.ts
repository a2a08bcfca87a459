import { describe, expect, it } from 'vitest';
import { EarlyFrames } from '../../../src/capture/early-frames.ts';

function make(bufferBytes: number) {
  let begun = 0;
  let done: () => void = () => undefined;
  const early = new EarlyFrames(
    bufferBytes,
    () => begun++,
    (end) => (done = end),
  );
  return { early, begun: () => begun, read: () => done() };
}

describe('EarlyFrames', () => {
  it('takes frames until the buffer has been read, and begins once', () => {
    const { early, begun, read } = make(1 << 20);
    expect([early.takes(), early.takes()]).toEqual([true, true]);
    expect(begun()).toBe(0);
    read();
    expect(early.takes()).toBe(false);
    read();
    expect(begun()).toBe(1);
  });

  it('takes no more frames than the buffer can have held', () => {
    const { early, begun, read } = make(2_048);
    expect(Array.from({ length: 6 }, () => early.takes())).toEqual([true, true, true, true, false, false]);
    expect(begun()).toBe(1);
    read();
    expect(begun()).toBe(1);
  });
});
