/**
 * A whole run without network, files and time: frames go in as from a capture, through reassembly, codecs, plugins and
 * replicas, and what would be sent comes out. Nothing of it is a model of tcpcopy: only the source of the frames, the
 * target and the clock are stand-ins.
 */
import { FileSource } from '../capture/file-source.ts';
import { MemorySource, type MemoryFrame } from '../capture/memory-source.ts';
import type { PacketSource } from '../capture/packet-source.ts';
import { parsePluginErrorPolicy } from '../config/plugin-error-policy.ts';
import { parsePlugin, type PluginSpec } from '../config/plugin-spec.ts';
import { formatEndpoint, parseIp, type Endpoint } from '../core/ip-address.ts';
import type { Log } from '../core/log.ts';
import { addTime, millis, NEVER, seconds, type Instant } from '../core/time.ts';
import type { ConnectionInfo } from '../pipeline/hooks.ts';
import type { Plugin } from '../pipeline/plugin.ts';
import type { ProtocolDefinition } from '../pipeline/protocol-hooks.ts';
import type { PluginReport } from '../pipeline/plugin-record.ts';
import { ConnectionTracker } from '../reassembly/tracker.ts';
import { Histogram } from '../report/histogram.ts';
import { Ledger, type ConnectionBucket, type UnitBucket } from '../report/ledger.ts';
import { LoopClock } from '../replay/clock.ts';
import { RECORDED } from '../replay/copy-input.ts';
import { Engine } from '../replay/engine.ts';
import { ByteBudget } from '../replay/piece-queue.ts';
import { registerPlugins, resolvePlugins } from '../replay/plugin-loader.ts';
import { ResponseReading } from '../replay/response-reading.ts';
import { Selector } from '../replay/selector.ts';
import { FrameParser } from '../wire/frame-parser.ts';
import { ConnectionFrames } from './connection-frames.ts';
import { TestClock, TestWheel } from './test-clock.ts';
import { TestConnection } from './test-connection.ts';
import { TestTarget } from './test-target.ts';
import { WatchedPipeline, type SeenMessage } from './watched-pipeline.ts';

/**
 * A plugin to run: by name, path or text as behind `--plugin`, or the plugin itself, alone or with what it is told: the
 * same text (`'mine=10%,by=client'`), or values as in a configuration file.
 */
export type PluginGiven = string | Plugin | readonly [plugin: Plugin, told: string | Readonly<Record<string, unknown>>];

export interface RunOptions {
  /** `env.seed` of the plugins: what `--seed` is given; `undefined`, as without it, when left out. */
  readonly seed?: number | undefined;
  /** `env.live` of the plugins; true when left out. */
  readonly live?: boolean;
  /** `env.processes` of the plugins; 1 when left out. */
  readonly processes?: number;
  /** As behind `--on-plugin-error`; `pass` when left out. */
  readonly onPluginError?: string;
  /** What paths of plugins are relative to; the working directory when left out. */
  readonly directory?: string;
}

/** How a run ended. */
export interface RunResult {
  /** Whether every message and connection ended in exactly one bucket. */
  readonly balanced: boolean;
  /** Messages by what became of them (`docs/ledger.md`), those of which there are any. */
  readonly units: Partial<Record<UnitBucket, number>>;
  readonly connections: Partial<Record<ConnectionBucket, number>>;
  readonly plugins: readonly PluginReport[];
}

const SERVER: Endpoint = { address: parseIp('198.51.100.1')!, port: 80 };
/** Everything is copied. No packet carries this address, so nothing is taken for a copy. */
const EVERYTHING = {
  online: { address: undefined, portFirst: 1, portLast: 65_535 },
  target: { address: parseIp('0.0.0.0')!, port: 1 },
};
/** Longer than a recording's frames may be out of order by. */
const PATIENCE = seconds(4);

export class TestRun {
  readonly clock = new TestClock();
  /** What was logged: the level, and the line. */
  readonly lines: string[] = [];
  /** Of captures that were replayed, in the order of their first packets, and those made with `connect`. */
  readonly connections: TestConnection[] = [];
  readonly #log: Log;
  readonly #target = new TestTarget();
  readonly #ledger = new Ledger();
  readonly #wheel = new TestWheel(this.clock.now());
  readonly #byInfo = new WeakMap<ConnectionInfo, TestConnection>();
  readonly #byClient = new Map<string, TestConnection>();
  #pipeline!: WatchedPipeline;
  #engine!: Engine;
  #source = new MemorySource();
  #skipped = millis(0);
  #nextPort = 40_000;

  private constructor() {
    const note = (level: string) => (line: string) => void this.lines.push(`${level}: ${line}`);
    this.#log = { error: note('error'), warn: note('warn'), info: note('info'), debug: note('debug') };
  }

  /** Loads plugins as a run does, those of their protocols too. Throws the error that would end the program. */
  static async start(plugins: readonly PluginGiven[], options: RunOptions = {}): Promise<TestRun> {
    const { seed, live = true, processes = 1, onPluginError = 'pass', directory = process.cwd() } = options;
    const run = new TestRun();
    const policy = parsePluginErrorPolicy(onPluginError);
    const pipeline = new WatchedPipeline({ clock: run.clock, log: run.#log, policy });
    const env = { log: run.#log, seed, live, processes, directory };
    await registerPlugins(pipeline, await resolvePlugins(plugins.map(specOf), directory), env);
    await run.#begin(pipeline);
    return run;
  }

  /** A client connects. Without an address and port it is 192.0.2.1, from one port after another. */
  connect(client = '192.0.2.1', port = this.#nextPort++): TestConnection {
    const address = parseIp(client);
    if (address === undefined) throw new TypeError(`'${client}' is no IP address`);
    const server = address.version === 4 ? SERVER : { ...SERVER, address: parseIp('2001:db8::1')! };
    const key = formatEndpoint({ address, port });
    if (this.#byClient.has(key)) throw new TypeError(`${key} has connected already: give another port`);
    const frames = new ConnectionFrames({ address, port }, server, () => this.#captureTime);
    const connection = this.#connection({ address, port }, server, frames);
    this.#byClient.set(key, connection);
    this.#capture(frames.handshake());
    return connection;
  }

  /** Runs a recording (pcap, pcapng, `.gz`) from beginning to end; its connections are added to `connections`. */
  async replay(path: string): Promise<void> {
    this.#engine.finishInput();
    let failure: Error | undefined;
    const source = new FileSource(path);
    const ended = new Promise<void>((resolve) => {
      const listener = {
        ready: () => this.#engine.wake(),
        ended: (error?: Error) => {
          failure = error;
          resolve();
        },
      };
      source.open(listener).then(
        () => this.#take(source),
        (error: unknown) => listener.ended(error as Error),
      );
    });
    await ended;
    source.close();
    if (failure !== undefined) throw failure;
    this.#engine.finishInput();
    await this.settled();
    await this.#listen();
  }

  /** Lets time pass: timers and deadlines run out, and what was delayed is sent. */
  async pass(ms: number): Promise<void> {
    const until = addTime(this.clock.now(), millis(ms));
    for (let next = this.#wheel.due(); next <= until; next = this.#wheel.due()) this.#passTo(next);
    this.#passTo(until);
    await new Promise((resolve) => setImmediate(resolve));
    this.#engine.turn();
  }

  /** Resolves when no plugin takes its time any more. For one that never answers let its deadline `pass` first. */
  async settled(): Promise<void> {
    do {
      await this.#pipeline.settled();
      // While too many messages are with plugins nothing is captured.
      this.#engine.turn();
    } while (this.#pipeline.waits);
  }

  /** What a plugin provides of a protocol. */
  protocol(name: string): ProtocolDefinition {
    const provided = this.#pipeline.protocols.get(name);
    if (provided === undefined) throw new TypeError(`no plugin of this run provides '${name}'`);
    return provided.definition;
  }

  /** The figures of a plugin: what it adds on the hook `stats`. */
  figures(plugin: string): Readonly<Record<string, number>> {
    const report = this.#pipeline.report().find(({ name }) => name === plugin);
    if (report === undefined) throw new TypeError(`no plugin of this run is called '${plugin}'`);
    return Object.fromEntries(report.figures.map(({ name, value }) => [name, value]));
  }

  /** Ends the run: connections are over, what was delayed is sent, plugins are told to shut down. */
  async finish(): Promise<RunResult> {
    await this.settled();
    this.#engine.finishInput();
    await this.settled();
    for (let next = this.#wheel.due(); next < NEVER && this.#engine.activeConnections > 0;) {
      this.#passTo(next);
      next = this.#wheel.due();
    }
    this.#engine.turn();
    this.#engine.giveUp();
    const plugins = this.#pipeline.report();
    await this.#pipeline.close();
    this.#engine.stop();
    const { balanced } = this.#ledger.balance();
    const { units, connections } = this.#ledger;
    return { balanced, units: units.toJSON(), connections: connections.toJSON(), plugins };
  }

  async #begin(pipeline: WatchedPipeline): Promise<void> {
    const reading = ResponseReading.of(pipeline);
    this.#pipeline = pipeline;
    pipeline.watcher = {
      admitted: (info, plan) => void (this.#connectionOf(info).plan = plan),
      decided: (info, message, before) => noteMessage(this.#connectionOf(info).messages, message, before),
    };
    this.#engine = new Engine({
      clock: new LoopClock(this.clock.now),
      parser: new FrameParser({ verifyChecksums: true }),
      selector: new Selector([EVERYTHING]),
      pipeline,
      ledger: this.#ledger,
      target: this.#target,
      wheel: this.#wheel,
      budget: new ByteBudget(1 << 30),
      lag: new Histogram(),
      live: false,
      onlyFromSyn: false,
      waitsForResponse: false,
      // Where nobody listens, what was sent is done with.
      expectsResponses: reading !== undefined,
      reading,
      sessionTimeout: seconds(600),
      responses: () => 0,
      answeredAtOnce: () => false,
    });
    await this.#listen();
  }

  /** Takes frames from tests again. */
  async #listen(): Promise<void> {
    this.#source = new MemorySource();
    await this.#source.open({ ready: () => this.#engine.wake(), ended: () => undefined });
    this.#take(this.#source);
  }

  #take(source: PacketSource): void {
    const tracker = new ConnectionTracker<never>({ ...RECORDED, midstream: 'any' });
    this.#engine.run([source], tracker, undefined);
  }

  get #captureTime(): Instant {
    return addTime(this.clock.now(), this.#skipped);
  }

  #capture(frames: readonly MemoryFrame[]): void {
    this.#source.push(...frames);
    this.#engine.turn();
  }

  #passTo(time: Instant): void {
    this.clock.advanceTo(time);
    this.#engine.turn();
  }

  #connection(client: Endpoint, server: Endpoint, frames: ConnectionFrames): TestConnection {
    const host = {
      capture: (captured: readonly MemoryFrame[]) => this.#capture(captured),
      giveUpWaiting: () => void (this.#skipped = millis(this.#skipped / 1_000 + PATIENCE / 1_000)),
      target: this.#target,
      turn: () => this.#engine.turn(),
    };
    const connection = new TestConnection(client, server, host, frames);
    this.connections.push(connection);
    return connection;
  }

  #connectionOf(info: ConnectionInfo): TestConnection {
    const { client, server } = info;
    const frames = (): ConnectionFrames => new ConnectionFrames(client, server, () => this.#captureTime);
    const connection =
      this.#byInfo.get(info) ??
      this.#byClient.get(formatEndpoint(client)) ??
      this.#connection(client, server, frames());
    this.#byInfo.set(info, connection);
    return connection;
  }
}

function noteMessage(messages: SeenMessage[], message: SeenMessage, before: SeenMessage | undefined): void {
  if (before === undefined) messages.push(message);
  else messages[messages.indexOf(before)] = message;
}

function specOf(given: PluginGiven): PluginSpec {
  if (typeof given === 'string') return parsePlugin(given, 'plugin');
  const [plugin, told] = isPair(given) ? given : [given, {}];
  if (typeof told !== 'string') return { plugin, options: told, where: `plugin ${plugin.name}`, directory: undefined };
  const spec = parsePlugin(told, 'plugin');
  if (spec.plugin === plugin.name) return { ...spec, plugin };
  throw new TypeError(`'${told}' does not begin with the plugin's name: write '${plugin.name}=…'`);
}

function isPair(given: Exclude<PluginGiven, string>): given is Extract<PluginGiven, readonly unknown[]> {
  return Array.isArray(given);
}
