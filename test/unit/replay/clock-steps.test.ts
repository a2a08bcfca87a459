/** A live run through which the system's clock is put forward or back: the kernel's stamps go with it, time goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { MemoryFrame } from '../../../src/capture/memory-source.ts';
import type { PacketSource } from '../../../src/capture/packet-source.ts';
import { RingBlocks } from '../../../src/capture/ring-blocks.ts';
import { FrameTimes, WallClock } from '../../../src/capture/wall-clock.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import type { Endpoint } from '../../../src/core/ip-address.ts';
import { instant } from '../../../src/core/time.ts';
import type { ConnectionFrames } from '../../../src/testing/connection-frames.ts';
import { BLOCK, FakeKernel } from '../../support/fake-ring.ts';
import { LiveRig } from './live-rig.ts';

const HOUR = 3_600e6;

/** A ring without a kernel. */
class FakeRing implements PacketSource {
  readonly name = 'ring';
  readonly live = true;
  readonly kernel = new FakeKernel();
  readonly #batch = new FrameBatch(16);
  readonly #blocks: RingBlocks;

  constructor(wall: WallClock) {
    this.#blocks = new RingBlocks(this.kernel.buffer, BLOCK, true, 'both', new FrameTimes(wall));
  }

  poll(): FrameBatch | undefined {
    return this.#blocks.walk(this.#batch) ? this.#batch : undefined;
  }

  async open(): Promise<void> {}
  stop(): void {}
  close(): void {}
  stats = () => ({ frames: 0, kernelDropped: 0, unreadable: [] });
}

class Machine extends LiveRig {
  /** How far somebody has put the system's clock forward, µs. */
  set = 0;
  readonly #ring: FakeRing;
  readonly #unix = () => instant(this.clock.now() + this.set);

  constructor() {
    let ring: FakeRing | undefined;
    super((clock) => (ring = new FakeRing(new WallClock(() => this.#unix(), clock.now))));
    this.#ring = ring!;
  }

  client(port: number): { client: Endpoint; frames: ConnectionFrames } {
    return this.connect(port, this.#unix);
  }

  /** The kernel stamps frames; a moment later they are read. */
  capture(frames: readonly MemoryFrame[], meanwhile: () => void = () => undefined): void {
    const time = this.#unix();
    this.#ring.kernel.fill(frames.map(({ bytes }) => ({ bytes: [...bytes], time })));
    meanwhile();
    this.pass(5);
  }
}

let machine: Machine;
beforeEach(() => {
  machine = new Machine();
});
afterEach(() => machine.engine.stop());

describe.each([
  ['forward', HOUR],
  ['back', -HOUR],
])('the clock is put %s by an hour', (_, step) => {
  it('open connections stay open, and go on', () => {
    const { client, frames } = machine.client(40_000);
    machine.capture(machine.client(40_001).frames.handshake());
    machine.capture(frames.handshake());
    machine.capture(frames.data(Buffer.from('one ')));
    machine.set += step;
    machine.capture(frames.data(Buffer.from('two ')));
    machine.pass(100);
    expect(machine.engine.activeConnections).toBe(2);
    machine.capture(frames.data(Buffer.from('three ')), () => (machine.set -= step));
    machine.capture(frames.data(Buffer.from('four')));
    machine.pass(100);
    expect(machine.engine.activeConnections).toBe(2);
    expect(machine.sent(client)).toBe('one two three four');
    expect(machine.ledger.connectionsOpened).toBe(2);
  });

  it.each(['before', 'after'])('a hole from %s it is waited for as long as ever', (when) => {
    const { client, frames } = machine.client(40_000);
    machine.capture(frames.handshake());
    machine.capture(frames.data(Buffer.from('one ')));
    if (when === 'after') machine.set += step;
    frames.lose(10);
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('after the hole ')));
    frames.sees(100);
    machine.capture([frames.acknowledgement()]);
    if (when === 'before') machine.set += step;
    machine.capture(machine.client(40_001).frames.handshake());
    machine.pass(300);
    expect(machine.ledger.units.get('capture-gap')).toBe(0);
    machine.pass(400);
    expect(machine.ledger.units.get('capture-gap')).toBe(1);
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('two')));
    expect(machine.sent(client)).toBe('one two');
  });

  it('how late copies are is measured in time that passed', () => {
    const { frames } = machine.client(40_000);
    machine.capture(frames.handshake());
    machine.capture(frames.data(Buffer.from('one ')), () => (machine.set += step));
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('two ')));
    const { sent, late } = machine.engine.takePace();
    expect(sent).toBe(2);
    expect(late).toBeGreaterThanOrEqual(0);
    expect(late).toBeLessThanOrEqual(20_000);
  });
});
