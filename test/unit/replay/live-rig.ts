/** A live run from one source to a target in memory, with a clock that the test moves. */
import type { PacketSource } from '../../../src/capture/packet-source.ts';
import { parsePluginErrorPolicy } from '../../../src/config/plugin-error-policy.ts';
import { parseIp, type Endpoint } from '../../../src/core/ip-address.ts';
import { seconds, type Instant } from '../../../src/core/time.ts';
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
import { TestClock, TestWheel } from '../../../src/testing/test-clock.ts';
import { TestTarget } from '../../../src/testing/test-target.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';

const SERVER: Endpoint = { address: parseIp('198.51.100.1')!, port: 80 };
const online = { address: undefined, portFirst: 1, portLast: 65_535 };
const log = { error: () => {}, warn: () => {}, info: () => {}, debug: () => {} };

export class LiveRig {
  readonly clock = new TestClock();
  readonly target = new TestTarget();
  readonly ledger = new Ledger();
  readonly engine: Engine;

  constructor(source: (clock: TestClock) => PacketSource) {
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
    this.engine.run([source(this.clock)], new ConnectionTracker<ConnectionReplay>(options), undefined);
  }

  /** The frames of a client's connection; `now` stamps them. */
  connect(port: number, now: () => Instant): { client: Endpoint; frames: ConnectionFrames } {
    const client = { address: parseIp('192.0.2.1')!, port };
    return { client, frames: new ConnectionFrames(client, SERVER, now) };
  }

  pass(ms: number): void {
    this.clock.pass(ms);
    this.engine.turn();
  }

  /** What the target got of a client. */
  sent(client: Endpoint): string {
    return this.target
      .sentBy(client)
      .map((bytes) => bytes.from(0).toString())
      .join();
  }
}
