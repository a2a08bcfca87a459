/**
 * Where plugins' registrations gather until the run begins. What can be judged at once (names, phases, a promise where a
 * hook takes none) is an error at once; what depends on plugins that may still come (the protocol of a hook, the tap that
 * `before` names) is judged when the registry is sealed. After that nothing can be added.
 */
import { TcpcopyError } from '../core/errors.ts';
import { CompiledHook } from './compiled-hook.ts';
import { HOOKS, type CoreHookName } from './hooks.ts';
import { isPhase, PHASES, type Phase } from './phases.ts';
import { describe } from './plugin.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { ProtocolDefinition, ProtocolHookRole, ProtocolHookRow } from './protocol-hooks.ts';
import { orderTaps } from './tap-order.ts';
import type { TapRunner } from './tap-runner.ts';
import type { Tap, TapFunction } from './tap.ts';

/** A core hook, or a hook of a protocol. */
export interface HookPath {
  readonly protocol?: string;
  readonly hook: string;
}

export interface ProvidedProtocol {
  readonly name: string;
  readonly plugin: PluginRecord;
  readonly definition: ProtocolDefinition;
}

/** A core hook that protocols' hooks of a role are run in one order with. */
const MERGED = ['request', 'response', 'exchange'] as const satisfies readonly ProtocolHookRole[];
type Merged = (typeof MERGED)[number];
/** Hooks that a plugin's own phase applies to; on others it has nothing to order. */
const PHASED: readonly string[] = ['connection', 'request', 'response'];
const TAP_NAME = /^[\w@/.:-]{1,80}$/;
const PROTOCOL_NAME = /^[a-z][a-z0-9-]*$/;

interface Wish {
  readonly plugin: PluginRecord;
  readonly protocol: string;
  readonly callback: () => void;
}

export class Registry {
  readonly protocols = new Map<string, ProvidedProtocol>();
  /** By hook as written: `request`, `http.request`. */
  readonly #taps = new Map<string, Tap[]>();
  /** Paths of protocols' hooks that were tapped, with who did so first. */
  readonly #wanted = new Map<string, { readonly path: Required<HookPath>; readonly tap: Tap }>();
  readonly #wishes: Wish[] = [];
  #order = 0;
  #sealed = false;

  get sealed(): boolean {
    return this.#sealed;
  }

  add(plugin: PluginRecord, path: HookPath, options: unknown, fn: unknown, mode: Tap['mode']): void {
    const hook = written(path);
    const fail = failure(plugin, hook);
    if (this.#sealed) fail('taps after the run has begun', 'tap in apply');
    const given = (typeof options === 'string' ? { name: options } : options) as Readonly<
      Record<string, unknown>
    > | null;
    if (typeof given !== 'object' || given === null) fail(`taps with ${describe(options)}`, 'give a name, or { name }');
    const { name, phase, stage = 0, before = [], deadline, passive = false } = given!;
    if (typeof name !== 'string' || !TAP_NAME.test(name))
      fail(`a tap is named ${describe(name)}`, "use the plugin's name");
    if (typeof fn !== 'function') fail(`taps with ${describe(fn)}`, 'give a function');
    if (phase !== undefined && !isPhase(phase)) {
      fail(`names the phase ${describe(phase)}`, `phases are ${PHASES.join(', ')}`);
    }
    if (typeof stage !== 'number' || !Number.isFinite(stage)) fail(`has ${describe(stage)} for stage`, 'a number');
    const names = [before].flat();
    if (!names.every((n) => typeof n === 'string')) fail(`has ${describe(before)} for before`, 'names of other taps');
    if (deadline !== undefined && !(typeof deadline === 'number' && deadline > 0 && deadline <= 600_000)) {
      fail(`has ${describe(deadline)} for deadline`, 'milliseconds, at most 600000');
    }
    if (typeof passive !== 'boolean') fail(`has ${describe(passive)} for passive`, 'true or false');
    if (path.protocol === undefined) this.#checkCore(path.hook, mode, fail);
    const tap: Tap = {
      name: name as string,
      plugin,
      hook,
      ofProtocol: path.protocol !== undefined,
      mode,
      phase: (phase as Phase | undefined) ?? defaultPhase(plugin, path),
      stage: stage as number,
      before: names as string[],
      deadline: deadline as number | undefined,
      passive: passive as boolean,
      order: this.#order++,
      fn: fn as TapFunction,
      calls: 0,
      timing: { samples: 0, sum: 0, max: 0 },
    };
    const taps = this.#taps.get(hook) ?? [];
    if (taps.some((other) => other.name === tap.name)) throw duplicate(tap, hook);
    this.#taps.set(hook, [...taps, tap]);
    plugin.taps.push(tap);
    if (path.protocol !== undefined) {
      this.#wanted.set(hook, { path: { protocol: path.protocol, hook: path.hook }, tap });
    }
  }

  provide(plugin: PluginRecord, name: unknown, definition: unknown): ProvidedProtocol {
    const fail = failure(plugin, 'provide');
    if (this.#sealed) fail('provides a protocol after the run has begun', 'provide it in apply');
    if (typeof name !== 'string' || !PROTOCOL_NAME.test(name) || name in HOOKS || name === 'opaque') {
      fail(`names a protocol ${describe(name)}`, 'lower-case letters, digits and dashes, and no hook of the host');
    }
    const other = this.protocols.get(name as string);
    if (other !== undefined)
      fail(`provides '${name as string}', as plugin ${other.plugin.name} does`, 'leave one of them out');
    const { hooks } = (definition ?? {}) as Partial<ProtocolDefinition>;
    if (typeof hooks !== 'object' || hooks === null) fail('provides a protocol without hooks', 'give { hooks: { … } }');
    if (!['undefined', 'function'].includes(typeof (definition as ProtocolDefinition).effect)) {
      fail(
        `has ${describe((definition as ProtocolDefinition).effect)} for effect`,
        'effect is a function of a message',
      );
    }
    const rows = Object.entries(hooks as Readonly<Record<string, ProtocolHookRow>>);
    for (const role of MERGED) {
      if (rows.filter(([, row]) => row.role === role).length > 1) {
        fail(`has two hooks with the role ${role}`, "one of them can be an 'event'");
      }
    }
    const provided = { name: name as string, plugin, definition: definition as ProtocolDefinition };
    this.protocols.set(provided.name, provided);
    return provided;
  }

  whenProvided(plugin: PluginRecord, protocol: string, callback: () => void): void {
    if (this.#sealed) failure(plugin, protocol)('asks for a protocol after the run has begun', 'ask in apply');
    this.#wishes.push({ plugin, protocol, callback });
  }

  /** Nothing can be added from now on; orders and compiles every hook that somebody taps. */
  seal(runner: TapRunner): CompiledHooks {
    for (const { protocol, callback } of this.#wishes) if (this.protocols.has(protocol)) callback();
    for (const { path, tap } of this.#wanted.values()) this.#checkProtocolHook(path, tap);
    this.#sealed = true;
    return new CompiledHooks(this.#taps, this.protocols, runner);
  }

  #checkCore(hook: string, mode: Tap['mode'], fail: Fail): void {
    if (!Object.hasOwn(HOOKS, hook)) fail('is no hook', `hooks are ${Object.keys(HOOKS).join(', ')}`);
    if (mode === 'promise' && !HOOKS[hook as CoreHookName].async) fail('takes no promises', 'use tap');
  }

  #checkProtocolHook({ protocol, hook }: Required<HookPath>, tap: Tap): void {
    const fail = failure(tap.plugin, tap.hook);
    const provided = this.protocols.get(protocol);
    if (provided === undefined) fail(`no plugin provides '${protocol}'`, `add --plugin ${protocol}`);
    const row = provided!.definition.hooks[hook];
    if (row === undefined) {
      const hooks = Object.keys(provided!.definition.hooks).map((name) => `${protocol}.${name}`);
      fail('is no hook', `hooks of ${protocol} are ${hooks.join(', ')}`);
    }
    const promised = this.#taps.get(tap.hook)!.find(({ mode }) => mode === 'promise');
    if (promised !== undefined && row!.role !== 'request') fail('takes no promises', 'use tap');
  }
}

/** Every hook that somebody taps, compiled. */
export class CompiledHooks {
  readonly #core = new Map<string, CompiledHook>();
  /** Core hooks with those of one protocol, in one order: protocol, then role. */
  readonly #merged = new Map<string, Partial<Record<Merged, CompiledHook>>>();
  readonly #events = new Map<string, CompiledHook>();
  /** Nobody taps anything: most runs, of which every message asks. */
  readonly #isEmpty: boolean;

  constructor(
    taps: ReadonlyMap<string, readonly Tap[]>,
    protocols: ReadonlyMap<string, ProvidedProtocol>,
    runner: TapRunner,
  ) {
    for (const hook of Object.keys(HOOKS)) {
      const own = taps.get(hook);
      if (own !== undefined) this.#core.set(hook, new CompiledHook(orderTaps(hook, own), runner));
    }
    for (const { name, definition } of protocols.values()) {
      const merged: Partial<Record<Merged, CompiledHook>> = {};
      for (const [hook, { role }] of Object.entries(definition.hooks)) {
        const path = `${name}.${hook}`;
        const own = taps.get(path) ?? [];
        if (own.length === 0) continue;
        if (role === 'event') {
          this.#events.set(path, new CompiledHook(orderTaps(path, own), runner));
          continue;
        }
        const all = [...(taps.get(role) ?? []), ...own];
        checkUnique(path, all);
        merged[role] = new CompiledHook(orderTaps(path, all), runner);
      }
      this.#merged.set(name, merged);
    }
    this.#isEmpty = taps.size === 0;
  }

  core(hook: CoreHookName): CompiledHook | undefined {
    return this.#core.get(hook);
  }

  /** The hook that messages of a protocol pass. */
  forProtocol(role: Merged, protocol: string): CompiledHook | undefined {
    if (this.#isEmpty) return undefined;
    return this.#merged.get(protocol)?.[role] ?? this.#core.get(role);
  }

  event(path: string): CompiledHook | undefined {
    return this.#events.get(path);
  }

  /** Hook to taps in the order they run, for people. Hooks of a protocol contain the taps of the core hook. */
  list(): ReadonlyMap<string, readonly Tap[]> {
    const list = new Map<string, readonly Tap[]>();
    for (const [hook, { taps }] of this.#core) list.set(hook, taps);
    for (const merged of this.#merged.values()) {
      for (const { taps } of Object.values(merged)) {
        list.set(taps.find(({ ofProtocol }) => ofProtocol)!.hook, taps);
      }
    }
    for (const [hook, { taps }] of this.#events) list.set(hook, taps);
    return list;
  }
}

function defaultPhase({ plugin }: PluginRecord, { protocol, hook }: HookPath): Phase {
  const row = HOOKS[hook as CoreHookName] as (typeof HOOKS)[CoreHookName] | undefined;
  // A protocol's request hook may have any name (`mysql.command`); what is not known to observe is taken to change.
  const fallback = row?.phase ?? 'rewrite';
  return protocol !== undefined || PHASED.includes(hook) ? (plugin.phase ?? fallback) : fallback;
}

function checkUnique(hook: string, taps: readonly Tap[]): void {
  const seen = new Set<string>();
  for (const tap of taps) {
    if (seen.has(tap.name)) throw duplicate(tap, hook);
    seen.add(tap.name);
  }
}

function duplicate(tap: Tap, hook: string): TcpcopyError {
  return new TcpcopyError('E_PLUGIN_HOOK', `the name '${tap.name}' is taken on ${hook}`, {
    where: `plugin ${tap.plugin.name}`,
    hint: `name one of them '${tap.name}:part'`,
  });
}

type Fail = (message: string, hint: string) => never;

function failure(plugin: PluginRecord, hook: string): Fail {
  return (message, hint) => {
    throw new TcpcopyError('E_PLUGIN_HOOK', `${hook}: ${message}`, { where: `plugin ${plugin.name}`, hint });
  };
}

function written({ protocol, hook }: HookPath): string {
  return protocol === undefined ? hook : `${protocol}.${hook}`;
}
