import { beforeEach, describe, expect, it } from 'vitest';
import { RingSlots } from '../../../src/capture/ring-slots.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';

const SLOT = 128;
const SLOTS = 8;

describe('RingSlots', () => {
  let view: DataView;
  let slots: RingSlots;
  let batch: FrameBatch;
  let next: number;
  beforeEach(() => {
    const buffer = new ArrayBuffer(SLOT * SLOTS);
    view = new DataView(buffer);
    slots = new RingSlots(buffer, SLOT, false, 'in');
    batch = new FrameBatch(4);
    next = 0;
  });

  /** The kernel's side, as packet_mmap.rst describes it; false where it would drop the frame. */
  function fill(byte: number, { status = 0, vlan = 0, packetType = 0 } = {}): boolean {
    const at = (next % SLOTS) * SLOT;
    if (view.getUint32(at, true) !== 0) return false;
    next++;
    view.setUint32(at + 4, 1_500, true);
    view.setUint32(at + 8, 1, true);
    view.setUint16(at + 12, 66, true);
    view.setUint32(at + 16, 1_700_000_000, true);
    view.setUint32(at + 20, 123_456_500, true);
    view.setUint16(at + 24, vlan, true);
    view.setUint8(at + 32 + 10, packetType);
    view.setUint8(at + 66, byte);
    view.setUint32(at, 1 | status, true);
    return true;
  }
  const walked = () => Array.from({ length: batch.count }, (_, i) => batch.bytes[batch.offset[i]!]);

  it('reads a frame the moment it is there, with its lengths, time, flags and tag', () => {
    expect(slots.walk(batch)).toBe(false);
    fill(7, { status: 8 });
    fill(8, { status: 16 | 128, vlan: 0xe005 });
    expect(slots.walk(batch)).toBe(true);
    expect(walked()).toEqual([7, 8]);
    expect([...batch.captured.subarray(0, 2)]).toEqual([1, 1]);
    expect([...batch.length.subarray(0, 2)]).toEqual([1_500, 1_500]);
    expect([...batch.flags.subarray(0, 2)]).toEqual([1, 2]);
    expect([...batch.vlanTci.subarray(0, 2)]).toEqual([0x10000, 0xe005]);
    expect(batch.time[0]).toBe(1_700_000_000_123_456.5);
  });

  it('gives slots back only when the batch after theirs is asked for', () => {
    for (let i = 0; i < SLOTS; i++) fill(i);
    expect(fill(99)).toBe(false);
    slots.walk(batch);
    expect(fill(99)).toBe(false);
    slots.walk(batch);
    expect(walked()).toEqual([4, 5, 6, 7]);
    for (let i = 8; i < 12; i++) expect(fill(i)).toBe(true);
    expect(fill(99)).toBe(false);
  });

  it('goes round without losing or repeating any', () => {
    const seen: (number | undefined)[] = [];
    for (let i = 0; i < 60; i++) {
      expect(fill(i)).toBe(true);
      if (i % 3 === 2) while (slots.walk(batch)) seen.push(...walked());
    }
    expect(seen).toEqual(Array.from({ length: 60 }, (_, i) => i));
  });

  it('yields an empty batch for frames that nobody wants', () => {
    fill(1, { packetType: 4 });
    expect(slots.walk(batch)).toBe(true);
    expect(batch.count).toBe(0);
    expect(slots.walk(batch)).toBe(false);
    expect(slots.drained()).toBe(true);
  });

  it('is half full when half of its slots wait, and drained when none does', () => {
    for (let i = 0; i < SLOTS / 2; i++) fill(i);
    expect(slots.halfFull).toBe(false);
    fill(4);
    expect(slots.halfFull).toBe(true);
    expect(slots.drained()).toBe(false);
    while (slots.walk(batch)) expect(slots.drained()).toBe(false);
    expect(slots.halfFull).toBe(false);
    expect(slots.drained()).toBe(true);
  });
});
