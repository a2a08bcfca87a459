import { expect, it } from 'vitest';
import { FRAME_OUTGOING, FrameBatch, NO_VLAN } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';

it('describes frames in columns until it is full', () => {
  const batch = new FrameBatch(2, new Uint8Array(100));
  expect(batch.add(0, 60, 60, instant(1.5), 1)).toBe(true);
  expect(batch.add(60, 40, 1500, instant(2.5), 113, FRAME_OUTGOING, 42)).toBe(true);
  expect(batch.add(0, 1, 1, instant(3), 1)).toBe(false);
  expect(batch.count).toBe(2);
  expect([...batch.offset]).toEqual([0, 60]);
  expect([...batch.captured]).toEqual([60, 40]);
  expect([...batch.length]).toEqual([60, 1500]);
  expect([...batch.time]).toEqual([1.5, 2.5]);
  expect([...batch.linkType]).toEqual([1, 113]);
  expect([...batch.flags]).toEqual([0, FRAME_OUTGOING]);
  expect([...batch.vlanTci]).toEqual([NO_VLAN, 42]);
});

it('moves to other memory, a view of a larger buffer included, and begins anew', () => {
  const batch = new FrameBatch(1, Uint8Array.of(1));
  batch.add(0, 1, 1, instant(0), 1);
  const { view } = batch;
  batch.reset(batch.bytes);
  expect(batch.count).toBe(0);
  expect(batch.view).toBe(view);
  const slab = Uint8Array.of(9, 9, 7, 8, 9);
  batch.reset(slab.subarray(2, 4));
  expect(batch.view.byteLength).toBe(2);
  expect(batch.view.getUint16(0)).toBe(0x0708);
  expect(batch.add(0, 2, 2, instant(0), 1)).toBe(true);
});

it('keeps times of today exact to a fraction of a microsecond', () => {
  const batch = new FrameBatch(1);
  const nanoseconds = 1_700_000_000_123_456.75;
  batch.add(0, 0, 0, instant(nanoseconds), 1);
  expect(batch.time[0]).toBe(nanoseconds);
});
