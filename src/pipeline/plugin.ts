/** A plugin as the host takes it, whoever wrote it in whatever language, and what is verified of it. */
import { TcpcopyError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { Instant } from '../core/time.ts';
import type { PluginHooks } from './taps.ts';
import { isPhase, PHASES, type Phase } from './phases.ts';

/** What a plugin is given of the world, so that a test can give it another. */
export interface PluginEnv {
  /** Lines of this plugin, marked with its name. Never log what a message holds. */
  readonly log: Log;
  /** Monotonic time, in microseconds. */
  now(): Instant;
  /**
   * Calls `fn` after so many milliseconds, a day at most; returns how to take that back. What `fn` throws is contained as
   * what a tap throws is. Nothing is called after the run.
   */
  after(ms: number, fn: () => void): () => void;
  /** Whether traffic is live. What cannot be sent in time is then better left out; a recording can wait. */
  readonly live: boolean;
  /** How many processes share the traffic (`--workers`): each has its part of what is limited for the run as a whole. */
  readonly processes: number;
  /**
   * `--seed`: the same gives the same run. Where none is given (`undefined`), choices that hosts and runs should share are
   * made as for 0, and what should differ from run to run is chosen anew.
   */
  readonly seed: number | undefined;
  /**
   * Whom a process of this plugin has to run as, as `spawn` of `node:child_process` takes it, so that none gets the rights
   * we have; `undefined`: as we do, who have none to give.
   */
  readonly childUser?: { readonly uid: number; readonly gid: number } | undefined;
  /** What paths in options are relative to. */
  readonly directory: string;
}

/** None, one or several, by name. */
export type Protocols = string | readonly string[];

/** What `definePlugin` returns. `Options` and `State` are forgotten: the host passes on what the schema made. */
export interface Plugin {
  readonly name: string;
  readonly description: string;
  /** A zod schema of an object. */
  readonly options?: unknown;
  /** The option that `NAME=VALUE` sets. */
  readonly shorthand?: string;
  /** Protocols whose hooks it taps (with these options): their plugins are loaded with it. */
  readonly protocol?: Protocols | ((options: never) => Protocols);
  /** The phase of its taps on connections, requests and responses that name none. */
  readonly phase?: Phase;
  /** What it fails on is dropped, whatever `--on-plugin-error` says: for plugins that remove secrets. */
  readonly failClosed?: boolean;
  /** For `tcpcopy plugins NAME`, as typed behind `--plugin`. */
  readonly examples?: readonly string[];
  /** Makes what it remembers of a connection. */
  state?(): unknown;
  /** Taps hooks. What must be ready before the run begins may be awaited. */
  apply(hooks: PluginHooks<never>, options: never, env: PluginEnv): void | Promise<void>;
}

/** The part of it that whoever registers a plugin gives; time is the pipeline's. */
export type GivenEnv = Omit<PluginEnv, 'now' | 'after'>;

const PLUGIN_NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/;

/** Verifies that `value` has the shape of a plugin. `where` names its origin. */
export function checkPlugin(value: unknown, where: string): Plugin {
  const fail = (message: string, hint: string): never => {
    throw new TcpcopyError('E_PLUGIN', message, { where, hint });
  };
  if (typeof value !== 'object' || value === null) {
    return fail(`is no plugin but ${describe(value)}`, 'export default definePlugin({ … })');
  }
  const plugin = value as Partial<Record<keyof Plugin, unknown>>;
  const { name, description, apply } = plugin;
  if (name === undefined && apply === undefined) {
    return fail('exports no plugin as its default', 'export default definePlugin({ … })');
  }
  if (typeof name !== 'string' || !PLUGIN_NAME.test(name)) {
    return fail(`its name is ${describe(name)}`, 'a name is lower-case letters, digits and dashes: http-host-rewrite');
  }
  if (typeof description !== 'string' || description.trim() === '') {
    return fail(`'${name}' has no description`, 'say in one sentence what it does');
  }
  if (typeof apply !== 'function')
    return fail(`'${name}' has no apply function`, 'apply(hooks, options, env) taps hooks');
  if (plugin.phase !== undefined && !isPhase(plugin.phase)) {
    return fail(`'${name}' names the phase ${describe(plugin.phase)}`, `phases are ${PHASES.join(', ')}`);
  }
  for (const key of ['shorthand', 'state', 'failClosed'] as const) {
    const wanted = { shorthand: 'string', state: 'function', failClosed: 'boolean' }[key];
    if (plugin[key] !== undefined && typeof plugin[key] !== wanted) {
      return fail(`'${name}' has ${describe(plugin[key])} for ${key}`, `${key} is a ${wanted}`);
    }
  }
  for (const key of ['protocol', 'examples'] as const) {
    if (key === 'protocol' && typeof plugin[key] === 'function') continue;
    const texts = plugin[key] === undefined ? [] : [plugin[key]].flat();
    if (!texts.every((text) => typeof text === 'string')) {
      return fail(`'${name}' has ${describe(plugin[key])} for ${key}`, `${key} is text, or a list of texts`);
    }
  }
  return value as Plugin;
}

/** What kind of thing it is; its content may be anything, so it is not shown, but for names. */
export function describe(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'string') return value.length > 0 && value.length <= 40 ? `'${value}'` : 'a text';
  if (Array.isArray(value)) return 'a list';
  return `a${typeof value === 'object' ? 'n' : ''} ${typeof value}`;
}
