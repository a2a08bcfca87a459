import { describe, expect, it } from 'vitest';
import { FrameBacklog } from '../../../src/capture/frame-backlog.ts';
import { FRAME_OUTGOING, FrameBatch } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';

const PIECE = 256 * 1024;

/** Frames of these bytes each, in memory that goes on before, between and behind them. */
function batchOf(frames: readonly (readonly number[])[], gap = 3): FrameBatch {
  const memory = new Uint8Array(frames.reduce((n, f) => n + f.length + gap, gap)).fill(0xee);
  const batch = new FrameBatch(1_024, memory);
  let at = gap;
  frames.forEach((bytes, i) => {
    memory.set(bytes, at);
    batch.add(at, bytes.length, bytes.length + 100, instant(1_000 + i), 1, i === 0 ? FRAME_OUTGOING : 0, 7);
    at += bytes.length + gap;
  });
  return batch;
}

const bytesOf = (b: FrameBatch): number[][] =>
  Array.from({ length: b.count }, (_, i) => [...b.bytes.subarray(b.offset[i]!, b.offset[i]! + b.captured[i]!)]);

describe('FrameBacklog', () => {
  it('gives back frames as they were, after the memory they lay in has changed', () => {
    const backlog = new FrameBacklog(PIECE);
    const batch = batchOf([[1, 2, 3], [4], [5, 6]]);
    backlog.add(batch);
    batch.bytes.fill(0);
    const kept = backlog.next()!;
    expect(bytesOf(kept)).toEqual([[1, 2, 3], [4], [5, 6]]);
    expect([...kept.length.subarray(0, 3)]).toEqual([103, 101, 102]);
    expect([...kept.time.subarray(0, 3)]).toEqual([1_000, 1_001, 1_002]);
    expect([...kept.flags.subarray(0, 3)]).toEqual([FRAME_OUTGOING, 0, 0]);
    expect([kept.linkType[2], kept.vlanTci[2]]).toEqual([1, 7]);
    expect(backlog.next()).toBeUndefined();
  });

  it('puts batches together, in order, until a piece is full', () => {
    const backlog = new FrameBacklog(16 * PIECE);
    const large = Array.from({ length: 100_000 }, (_, i) => i & 0xff);
    for (let i = 0; i < 5; i++) backlog.add(batchOf([[i], large]));
    const counts: number[] = [];
    const firsts: number[] = [];
    for (let kept = backlog.next(); kept !== undefined; kept = backlog.next()) {
      counts.push(kept.count);
      for (const frame of bytesOf(kept)) if (frame.length === 1) firsts.push(frame[0]!);
    }
    expect(counts).toEqual([5, 4, 1]);
    expect(firsts).toEqual([0, 1, 2, 3, 4]);
  });

  it('takes a batch that is larger than a piece', () => {
    const backlog = new FrameBacklog(PIECE);
    const huge = Array.from({ length: PIECE + 1 }, () => 9);
    backlog.add(batchOf([huge]));
    expect(backlog.next()!.captured[0]).toBe(PIECE + 1);
  });

  it('is full at its limit, and has room again when frames have left it', () => {
    const backlog = new FrameBacklog(2 * PIECE);
    const half = Array.from({ length: PIECE - 100 }, () => 1);
    expect([backlog.isEmpty, backlog.isFull]).toEqual([true, false]);
    backlog.add(batchOf([half]));
    expect([backlog.isEmpty, backlog.isFull]).toEqual([false, false]);
    backlog.add(batchOf([half]));
    expect(backlog.isFull).toBe(true);
    backlog.next();
    expect(backlog.isFull).toBe(false);
  });

  it('leaves what was taken alone until the next is taken', () => {
    const backlog = new FrameBacklog(4 * PIECE);
    const half = Array.from({ length: PIECE - 100 }, () => 1);
    backlog.add(batchOf([[42]]));
    backlog.add(batchOf([half]));
    const taken = backlog.next()!;
    backlog.clear();
    backlog.add(batchOf([[43]]));
    expect(bytesOf(taken)[0]).toEqual([42]);
  });

  it('takes nothing of an empty batch', () => {
    const backlog = new FrameBacklog(PIECE);
    backlog.add(new FrameBatch(8));
    expect(backlog.isEmpty).toBe(true);
  });
});
