import { expect, it } from 'vitest';
import type { MemoryFrame } from '../../../src/capture/memory-source.ts';
import type { PacketSource } from '../../../src/capture/packet-source.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { LINKTYPE_RAW } from '../../../src/capture/link-type.ts';
import { addTime, millis, type Instant } from '../../../src/core/time.ts';
import { LiveRig } from './live-rig.ts';

/** Hands out one frame at a time. */
class Backlog implements PacketSource {
  readonly name = 'backlog';
  readonly live = true;
  readonly #batch = new FrameBatch(1);
  readonly #waiting: { readonly frame: MemoryFrame; readonly time: Instant }[] = [];

  add(frames: readonly MemoryFrame[], time: Instant): void {
    this.#waiting.push(...frames.map((frame) => ({ frame, time })));
  }

  poll(): FrameBatch | undefined {
    const next = this.#waiting.shift();
    if (next === undefined) return undefined;
    this.#batch.reset(next.frame.bytes);
    this.#batch.add(0, next.frame.bytes.length, next.frame.bytes.length, next.time, LINKTYPE_RAW);
    return this.#batch;
  }

  async open(): Promise<void> {}
  stop(): void {}
  close(): void {}
  stats = () => ({ frames: 0, kernelDropped: 0, unreadable: [] });
}

it('what frames that wait to be read may still bring is not missing, however late they are read', () => {
  const backlog = new Backlog();
  const rig = new LiveRig(() => backlog);
  const captured = rig.clock.now();
  const { client, frames } = rig.connect(40_000, () => captured);
  const other = rig.connect(40_001, () => captured);
  backlog.add(frames.handshake(), captured);
  backlog.add(frames.data(Buffer.from('one ')), captured);
  const late = frames.data(Buffer.from('two '));
  backlog.add(frames.data(Buffer.from('three')), captured);
  // More than one turn reads.
  backlog.add(other.frames.handshake(), captured);
  for (let i = 0; i < 20; i++) backlog.add(other.frames.data(Buffer.from('.')), addTime(captured, millis(i)));
  backlog.add(late, addTime(captured, millis(20)));
  rig.pass(2_000);
  for (let turn = 0; turn < 10; turn++) rig.pass(25);
  expect(rig.ledger.units.get('capture-gap')).toBe(0);
  expect(rig.sent(client)).toBe('one two three');
  rig.engine.stop();
});
