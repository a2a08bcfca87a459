/** What an intercept is made of: its sources, how it is reached, and its times and bounds. */
import type { CaptureFilter } from '../capture/capture-filter.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import type { ControlIdentity, IoBackend } from '../config/copy-options.ts';
import type { Log } from '../core/log.ts';
import { millis, type Duration } from '../core/time.ts';
import type { SegmentParser } from './capture-loop.ts';

/** A source whose filter can be exchanged while it runs; one that cannot captures what it was made for. */
export interface InterceptSource extends PacketSource {
  refilter?(filter: CaptureFilter): void;
  /** Only so much payload is wanted of each segment. */
  limitPayload?(bytes: number): void;
}

export interface InterceptSetup {
  readonly sources: readonly InterceptSource[];
  readonly makeParser: () => SegmentParser;
  readonly bind: string;
  /** 0: any free port. */
  readonly port: number;
  readonly key: string | undefined;
  /** `undefined`: plain TCP. */
  readonly tls: ControlIdentity | undefined;
  /** A user's capture filter, and-ed with the targets. */
  readonly expression: string | undefined;
  /** `-i` and `--io`, for what probes ask. */
  readonly devices: readonly string[];
  readonly backend: IoBackend;
  readonly software: string;
  readonly log: Log;
  /** All of the sources have ended; the error of the last one that broke. */
  readonly captureEnded: (error: Error | undefined) => void;
  readonly tuning?: Partial<InterceptTuning>;
}

export interface InterceptTuning {
  /** Between looks at timeouts. */
  readonly tick: Duration;
  /** Between STATS messages. */
  readonly statsInterval: Duration;
  readonly handshakeTimeout: Duration;
  /** A connection that is silent for so long is dead; tcpcopy sends a PING every second. */
  readonly peerTimeout: Duration;
  /** How long a lease outlives its instance's last connection. */
  readonly leaseSilence: Duration;
  readonly firstPort: number;
  /** Bytes that may wait for one connection. */
  readonly outputCap: number;
  readonly maxConnections: number;
  /** Of these, how many may be at the handshake. */
  readonly maxEntering: number;
}

export const DEFAULT_TUNING: InterceptTuning = {
  tick: millis(250),
  statsInterval: millis(1_000),
  handshakeTimeout: millis(5_000),
  peerTimeout: millis(15_000),
  leaseSilence: millis(30_000),
  firstPort: 1024,
  outputCap: 16 << 20,
  maxConnections: 512,
  maxEntering: 64,
};
