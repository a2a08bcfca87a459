/** A live run through which the system's clock is put forward or back: the kernel's stamps go with it, time goes on. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PacketSource } from '../../../src/capture/packet-source.ts';
import { RingBlocks } from '../../../src/capture/ring-blocks.ts';
import { FrameTimes, WallClock } from '../../../src/capture/wall-clock.ts';
import { parsePluginErrorPolicy } from '../../../src/config/plugin-error-policy.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { instant, seconds } from '../../../src/core/time.ts';
import { Pipeline } from '../../../src/pipeline/pipeline.ts';
import { ConnectionTracker } from '../../../src/reassembly/tracker.ts';
import { LIVE_TRACKER } from '../../../src/reassembly/tracker-options.ts';
import { LoopClock } from '../../../src/replay/clock.ts';
import type { ConnectionReplay } from '../../../src/replay/connection-replay.ts';
import { Engine } from '../../../src/replay/engine.ts';
import { ByteBudget } from '../../../src/replay/piece-queue.ts';
import { Selector } from '../../../src/replay/selector.ts';
import { Histogram } from '../../../src/report/histogram.ts';
import { Ledger } from '../../../src/report/ledger.ts';
import { ConnectionFrames } from '../../../src/testing/connection-frames.ts';
import type { MemoryFrame } from '../../../src/capture/memory-source.ts';
import { TestClock, TestWheel } from '../../../src/testing/test-clock.ts';
import { TestTarget } from '../../../src/testing/test-target.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { BLOCK, FakeKernel } from '../../support/fake-ring.ts';

const HOUR = 3_600e6;
const SERVER: Endpoint = { address: parseIp('198.51.100.1')!, port: 80 };
const online = { address: undefined, portFirst: 1, portLast: 65_535 };
const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

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

class Machine {
  readonly clock = new TestClock();
  /** How far somebody has put the system's clock forward, µs. */
  set = 0;
  readonly target = new TestTarget();
  readonly ledger = new Ledger();
  readonly engine: Engine;
  readonly #unix = () => instant(this.clock.now() + this.set);
  readonly #ring = new FakeRing(new WallClock(this.#unix, this.clock.now));

  constructor() {
    this.engine = new Engine({
      clock: new LoopClock(this.clock.now),
      parser: new FrameParser({ verifyChecksums: true }),
      selector: new Selector([{ online, target: { address: parseIp('0.0.0.0')!, port: 1 } }]),
      pipeline: new Pipeline({ clock: this.clock, log, policy: parsePluginErrorPolicy('pass') }),
      ledger: this.ledger,
      target: this.target,
      wheel: new TestWheel(this.clock.now()),
      budget: new ByteBudget(1 << 30),
      lag: new Histogram(),
      live: true,
      onlyFromSyn: false,
      waitsForResponse: false,
      expectsResponses: false,
      reading: undefined,
      sessionTimeout: seconds(600),
      responses: () => 0,
      answeredAtOnce: () => false,
    });
    const options = { ...LIVE_TRACKER, midstream: 'any', oneWay: true } as const;
    this.engine.run([this.#ring], new ConnectionTracker<ConnectionReplay>(options), undefined);
  }

  connect(port: number): { client: Endpoint; frames: ConnectionFrames } {
    const client = { address: parseIp('192.0.2.1')!, port };
    return { client, frames: new ConnectionFrames(client, SERVER, this.#unix) };
  }

  /** The kernel stamps frames; a moment later they are read. */
  capture(frames: readonly MemoryFrame[], meanwhile: () => void = () => undefined): void {
    const time = this.#unix();
    this.#ring.kernel.fill(frames.map(({ bytes }) => ({ bytes: [...bytes], time })));
    meanwhile();
    this.pass(5);
  }

  pass(ms: number): void {
    this.clock.pass(ms);
    this.engine.turn();
  }

  sent(client: Endpoint): string {
    return this.target
      .sentBy(client)
      .map((bytes) => bytes.from(0).toString())
      .join();
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
    const { client, frames } = machine.connect(40_000);
    machine.capture(machine.connect(40_001).frames.handshake());
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
    const { client, frames } = machine.connect(40_000);
    machine.capture(frames.handshake());
    machine.capture(frames.data(Buffer.from('one ')));
    if (when === 'after') machine.set += step;
    frames.lose(10);
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('after the hole ')));
    if (when === 'before') machine.set += step;
    machine.capture(machine.connect(40_001).frames.handshake());
    machine.pass(300);
    expect(machine.ledger.units.get('capture-gap')).toBe(0);
    machine.pass(400);
    expect(machine.ledger.units.get('capture-gap')).toBe(1);
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('two')));
    expect(machine.sent(client)).toBe('one two');
  });

  it('how late copies are is measured in time that passed', () => {
    const { frames } = machine.connect(40_000);
    machine.capture(frames.handshake());
    machine.capture(frames.data(Buffer.from('one ')), () => (machine.set += step));
    frames.sees(100);
    machine.capture(frames.data(Buffer.from('two ')));
    expect(machine.engine.pace.sent).toBe(2);
    expect(machine.engine.pace.late).toBeGreaterThanOrEqual(0);
    expect(machine.engine.pace.late).toBeLessThanOrEqual(20_000);
  });
});
