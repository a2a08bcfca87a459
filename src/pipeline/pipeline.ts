/**
 * The pipeline every connection and message passes. It alone calls plugins; a hook that nobody taps costs one check.
 *
 * Life: plugins are registered, then the run begins (`start`, or the first call of any other method) and nothing can be
 * tapped any more. `decide` is what the engine asks of each message; a plan is good until the next message of that
 * connection is asked about.
 */
import { TcpcopyError } from '../core/errors.ts';
import { SILENT_LOG, type Log } from '../core/log.ts';
import { instant, seconds, type Duration } from '../core/time.ts';
import type { Piece } from '../protocol/codec.ts';
import type { CompiledHook } from './compiled-hook.ts';
import { ConnectionRecord } from './connection-record.ts';
import { Containment, framesOf } from './containment.ts';
import {
  HostConnectionContext,
  HostRequestContext,
  HostResponseContext,
  ObservedContext,
  StatsCollector,
  type ConnectionPlan,
  type Exchange,
  type Plan,
} from './contexts.ts';
import { Effects } from './effects.ts';
import type { ErrorPolicy } from './error-policy.ts';
import { createHooks, type EmitEvent } from './facade.ts';
import type { AnyState, ConnectionInfo, CoreHookName } from './hooks.ts';
import { checkPlugin, type GivenEnv, type Plugin } from './plugin.ts';
import { PluginRecord, type PluginReport } from './plugin-record.ts';
import { PluginTimers } from './plugin-timers.ts';
import { Registry, type CompiledHooks, type ProvidedProtocol } from './registry.ts';
import type { PluginHooks } from './taps.ts';
import { TapRunner, type HostClock, type TapTrace } from './tap-runner.ts';
import type { Tap } from './tap.ts';
import type { CheckedCopyChange, CopyRule } from './verdicts.ts';

export interface PipelineSettings {
  /** Without one nothing is timed, and promises may take for ever. */
  readonly clock?: HostClock;
  readonly log?: Log;
  readonly policy?: ErrorPolicy;
  /** How long a promise of a plugin may take; 1 s by default. */
  readonly deadline?: Duration;
  /** Told of every tap that changes a message, for people to look at: it costs two copies of each message and tap. */
  readonly trace?: TapTrace;
  /** Told what the run is to end with, under the policy `abort`. */
  readonly onAbort?: (error: TcpcopyError) => void;
}

const NO_CLOCK: HostClock = { now: () => instant(0), after: () => () => undefined };
const DEADLINE = seconds(1);
/** Taps of whoever made the pipeline. */
const HOST: Plugin = { name: '(host)', description: 'The program itself.', apply: () => undefined };

export class Pipeline {
  /** For whoever makes the pipeline to tap itself; plugins are given hooks of their own. */
  readonly hooks: PluginHooks<AnyState>;
  readonly #registry = new Registry();
  readonly #containment: Containment;
  readonly #runner: TapRunner;
  readonly #plugins: PluginRecord[] = [];
  readonly #effects: Effects;
  readonly #timers: PluginTimers;
  readonly #connections = new WeakMap<ConnectionInfo, ConnectionRecord>();
  #compiled: CompiledHooks | undefined;
  #mayWait: boolean | undefined;

  constructor({
    clock = NO_CLOCK,
    log = SILENT_LOG,
    policy,
    deadline = DEADLINE,
    onAbort,
    trace,
  }: PipelineSettings = {}) {
    this.#containment = new Containment({ policy, log, onAbort });
    this.#runner = new TapRunner(clock, this.#containment, deadline, trace);
    this.#timers = new PluginTimers(clock, this.#runner);
    this.#effects = new Effects(this.#registry.protocols, this.#runner);
    this.hooks = createHooks(this.#registry, this.#record(HOST), this.#emit) as PluginHooks<AnyState>;
  }

  /**
   * Sets a plugin up with options that its schema has made. What it must have ready before the run is waited for. `source`:
   * the file or folder of a plugin that is no built-in.
   */
  async register(given: Plugin, options: unknown, env: GivenEnv, source?: string): Promise<void> {
    const plugin = checkPlugin(given, `plugin ${given.name}`);
    if (this.#plugins.some(({ name }) => name === plugin.name)) {
      throw new TcpcopyError('E_PLUGIN', 'is given twice', {
        where: `plugin ${plugin.name}`,
        hint: 'names are unique: leave one of them out, or load a copy under another name',
      });
    }
    const record = this.#record(plugin, source);
    const hooks = createHooks(this.#registry, record, this.#emit);
    try {
      await this.#timers.ready(
        plugin.apply(hooks, options as never, {
          ...env,
          now: () => this.#timers.now(),
          after: (ms, fn) => this.#timers.after(record, ms, fn),
        }),
      );
    } catch (error) {
      if (error instanceof TcpcopyError) throw error;
      const message = error instanceof Error ? error.message || error.name : String(error);
      throw new TcpcopyError('E_PLUGIN', `could not be set up: ${message}`, {
        where: `plugin ${plugin.name}`,
        cause: error,
      });
    }
  }

  /** The run begins: judges and orders what was tapped. */
  start(): void {
    this.#compiled ??= this.#registry.seal(this.#runner);
  }

  /** Protocols that plugins provide, by name. */
  get protocols(): ReadonlyMap<string, ProvidedProtocol> {
    return this.#registry.protocols;
  }

  /** Whether anybody asks for this hook, or its like of a protocol: responses, for example, are fetched only then. */
  uses(hook: CoreHookName, protocol?: string): boolean {
    const hooks = this.#hooks();
    if (hook !== 'request' && hook !== 'response' && hook !== 'exchange') return asks(hooks.core(hook));
    if (protocol !== undefined) return asks(hooks.forProtocol(hook, protocol));
    return asks(hooks.core(hook)) || [...this.protocols.keys()].some((name) => asks(hooks.forProtocol(hook, name)));
  }

  /** Whether a plugin may take its time over some message. */
  get mayWait(): boolean {
    return (this.#mayWait ??= this.#hasPatientTaps());
  }

  #hasPatientTaps(): boolean {
    const protocols = ['opaque', ...this.protocols.keys()];
    return protocols.some((protocol) => this.#hooks().forProtocol('request', protocol)?.async ?? false);
  }

  /** What plugins say of a new connection; `undefined`: nobody asks. `info` stands for the connection from now on. */
  admit(info: ConnectionInfo): ConnectionPlan | undefined {
    const hook = this.#hooks().core('connection');
    if (hook === undefined) return undefined;
    const context = new HostConnectionContext(this.#runner.running, this.#recordOf(info));
    hook.call(context);
    return context;
  }

  /**
   * What plugins make of the message that `piece` begins and that a codec has read as `message`; `undefined`: nobody asks.
   * A promise when somebody takes their time: what follows on the connection has to wait, and `piece` is copied.
   */
  decide(info: ConnectionInfo, protocol: string, piece: Piece, message?: unknown): Plan | Promise<Plan> | undefined {
    const hook = this.#hooks().forProtocol('request', protocol);
    if (hook === undefined) return undefined;
    const record = this.#recordOf(info);
    const context = new HostRequestContext(this.#runner.running, record, protocol, piece, message, this.#effects);
    const pending = hook.run(context, record);
    return pending === undefined ? context : pending.then(() => context);
  }

  /** How one copy of a message differs from the first, `undefined`: not at all; or what the plugin's failure means for it. */
  changeOf(rule: CopyRule, copy: number): CheckedCopyChange | 'drop' | 'drop-connection' | undefined {
    return this.#runner.changeOf(rule, copy);
  }

  /** Shows plugins a response, which they may hide from those after them. */
  response(info: ConnectionInfo, protocol: string, origin: 'target' | 'online', message: unknown): void {
    const hook = this.#hooks().forProtocol('response', protocol);
    if (hook === undefined) return;
    hook.call(new HostResponseContext(this.#runner.running, this.#recordOf(info), protocol, origin, message));
  }

  /** Shows plugins a request with its responses. */
  exchange(info: ConnectionInfo, protocol: string, exchange: Exchange): void {
    const hook = this.#hooks().forProtocol('exchange', protocol);
    if (hook === undefined) return;
    const context = { connection: this.#recordOf(info), protocol, ...exchange };
    hook.call(new ObservedContext(this.#runner.running, context, context, true));
  }

  /** What reads requests or responses of a protocol threw: its plugin is named and counted. */
  protocolFailed(protocol: string, error: unknown, what: 'requests' | 'responses'): void {
    const plugin = this.protocols.get(protocol)?.plugin;
    if (plugin === undefined) return;
    this.#containment.failed({ plugin, hook: `the ${what} of ${protocol}`, name: protocol }, 'threw', error);
  }

  /** A protocol's plugin cannot replay a message, or (`all`) a connection: counted as its own, for this reason. */
  notReplayable(protocol: string, reason: string, all: boolean): void {
    const plugin = this.protocols.get(protocol)?.plugin;
    if (plugin === undefined) return;
    plugin.countDrop(reason);
    if (all) this.#containment.tellOnce(plugin, `a connection cannot be replayed: ${reason}`);
  }

  /** A copied connection has ended, with all its sessions. */
  sessionEnded(info: ConnectionInfo): void {
    const hook = this.#hooks().core('session');
    if (hook !== undefined) {
      const record = this.#recordOf(info);
      hook.call(new ObservedContext(this.#runner.running, record, record, false));
    }
    const known = this.#connections.get(info);
    if (known === undefined) return;
    known.release();
    this.#connections.delete(info);
  }

  /**
   * An error that nobody has caught: out of a timer, or of a promise that nobody waits for (`rejected`). Where it can be put
   * down to a plugin it is contained as what a tap throws is, and this returns true.
   */
  stray(error: unknown, rejected: boolean): boolean {
    const foreign = this.#plugins.filter(({ source }) => source !== undefined);
    const frames = error instanceof Error ? framesOf(error) : '';
    const found = foreign.find(({ source }) => frames.includes(source!));
    const culprit = found ?? (rejected && foreign.length === 1 ? foreign[0] : undefined);
    if (culprit !== undefined) this.#runner.stray(culprit, error);
    return culprit !== undefined;
  }

  /** The caller was held up: whether a plugin is to blame is looked for from now on, for a while. */
  searchForBlocking(): void {
    this.#runner.search();
  }

  /** The figures of every plugin. */
  report(): readonly PluginReport[] {
    const collector = new StatsCollector(this.#runner.running);
    this.#hooks().core('stats')?.call(collector);
    return this.#plugins
      .filter((record) => record.plugin !== HOST)
      .map((record) => record.report(collector.figures.get(record.name) ?? []));
  }

  /** The run is over; resolves when plugins have put their things away, or their time is up. */
  async close(): Promise<void> {
    const nothing = {};
    await this.#hooks()
      .core('shutdown')
      ?.run(new ObservedContext(this.#runner.running, nothing, nothing, false));
    this.#timers.cancelAll();
  }

  /** Hook to taps in the order they run, for people. */
  order(): ReadonlyMap<string, readonly Tap[]> {
    return this.#hooks().list();
  }

  readonly #emit: EmitEvent = (path, payload, connection) => {
    const hook = this.#hooks().event(path);
    if (hook === undefined) return;
    hook.call(new ObservedContext(this.#runner.running, this.#recordOf(connection), payload, false));
  };

  #hooks(): CompiledHooks {
    return (this.#compiled ??= this.#registry.seal(this.#runner));
  }

  #record(plugin: Plugin, source?: string): PluginRecord {
    const record = new PluginRecord(plugin, this.#plugins.length, source);
    this.#plugins.push(record);
    return record;
  }

  #recordOf(info: ConnectionInfo): ConnectionRecord {
    let record = this.#connections.get(info);
    if (record === undefined) {
      record = new ConnectionRecord(info, this.#runner.running);
      this.#connections.set(info, record);
    }
    return record;
  }
}

/** Passive taps ask for nothing. */
function asks(hook: CompiledHook | undefined): boolean {
  return hook?.taps.some(({ passive }) => !passive) ?? false;
}
