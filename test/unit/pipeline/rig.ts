import { parseIp } from '../../../src/core/ip-address.ts';
import type { Log } from '../../../src/core/log.ts';
import { instant } from '../../../src/core/time.ts';
import type { ConnectionInfo } from '../../../src/pipeline/hooks.ts';
import { Pipeline, type PipelineSettings } from '../../../src/pipeline/pipeline.ts';
import type { GivenEnv, Plugin, PluginEnv } from '../../../src/pipeline/plugin.ts';
import type { Piece } from '../../../src/protocol/codec.ts';
import { TestClock } from '../../../src/testing/test-clock.ts';

export type AnyHooks = Readonly<Record<string, AnyPoint & Readonly<Record<string, AnyPoint>>>> & {
  provide(
    name: string,
    definition: unknown,
  ): Readonly<Record<string, (payload: unknown, info: ConnectionInfo) => void>>;
  whenProvided(name: string, tap: (hooks: AnyHooks[string]) => void): void;
};
interface AnyPoint {
  tap(options: unknown, fn: unknown): void;
  tapPromise(options: unknown, fn: unknown): void;
}

export const ENV: GivenEnv = {
  log: { error() {}, warn() {}, info() {}, debug() {} },
  seed: 1,
  live: true,
  processes: 1,
  directory: '/',
};

export function connectionInfo(port = 40_000): ConnectionInfo {
  return {
    client: { address: parseIp('192.0.2.1')!, port },
    server: { address: parseIp('192.0.2.2')!, port: 80 },
    openedBy: 'syn',
  };
}

export function pieceOf(text: string): Piece {
  const bytes = new TextEncoder().encode(`##${text}##`);
  return { bytes, offset: 2, length: text.length, time: instant(1), first: true, last: false, answers: 0 };
}

/** A pipeline with a clock, and everything it logs. */
export class PipelineRig {
  readonly clock = new TestClock();
  readonly errors: string[] = [];
  readonly warnings: string[] = [];
  readonly debug: string[] = [];
  readonly aborted: string[] = [];
  readonly pipeline: Pipeline;

  constructor(settings: PipelineSettings = {}) {
    const log: Log = {
      error: (line) => void this.errors.push(line),
      warn: (line) => void this.warnings.push(line),
      info() {},
      debug: (line) => void this.debug.push(line),
    };
    const onAbort = (error: { oneLine(): string }) => void this.aborted.push(error.oneLine());
    this.pipeline = new Pipeline({ clock: this.clock, log, onAbort, ...settings });
  }

  /** Registers a plugin that taps as `apply` says; it may tap what the types forbid. */
  async plugin(
    name: string,
    apply: (hooks: AnyHooks, env: PluginEnv) => void,
    more: Partial<Plugin> = {},
    source?: string,
  ): Promise<void> {
    const plugin: Plugin = {
      ...{ name, description: 'A test.', ...more },
      apply: (hooks, _options, env) => apply(hooks as unknown as AnyHooks, env),
    };
    await this.pipeline.register(plugin, {}, ENV, source);
  }

  figures(name: string) {
    return this.pipeline.report().find((plugin) => plugin.name === name)!;
  }
}

/** What a plugin does that fails. */
export const throwIt = (): never => {
  throw new SyntaxError('hunter2 is not valid JSON');
};
