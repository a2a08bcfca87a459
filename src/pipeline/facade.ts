/** Makes the `hooks` object of one plugin: places to tap that lead to the registry. */
import { TcpcopyError } from '../core/errors.ts';
import { HOOKS, type ConnectionInfo } from './hooks.ts';
import type { PluginRecord } from './plugin-record.ts';
import type { Registry } from './registry.ts';
import type { PluginHooks } from './taps.ts';

interface Point {
  tap(options: unknown, fn: unknown): void;
  tapPromise(options: unknown, fn: unknown): void;
}

/** Calls a protocol's own hook: with its path, a payload, a connection. */
export type EmitEvent = (path: string, payload: unknown, connection: ConnectionInfo) => void;

export function createHooks(registry: Registry, plugin: PluginRecord, emit: EmitEvent): PluginHooks<never> {
  const core = new Map<string, unknown>();
  for (const hook of Object.keys(HOOKS)) core.set(hook, pointOf(registry, plugin, { hook }));
  const protocols = new Map<string, unknown>();
  const protocol = (name: string): unknown => {
    if (!protocols.has(name)) protocols.set(name, protocolTaps(registry, plugin, name));
    return protocols.get(name);
  };
  core.set('provide', (name: unknown, definition: unknown) => {
    const provided = registry.provide(plugin, name, definition);
    const events = Object.entries(provided.definition.hooks).filter(([, { role }]) => role === 'event');
    return Object.fromEntries(
      events.map(([hook]) => {
        const path = `${provided.name}.${hook}`;
        return [hook, (payload: unknown, connection: ConnectionInfo) => emit(path, payload, connection)];
      }),
    );
  });
  core.set('whenProvided', (name: string, tap: (hooks: unknown) => void) => {
    registry.whenProvided(plugin, name, () => tap(protocol(name)));
  });
  // What is no core hook is taken for a protocol; the registry knows, when all plugins are there, whether it is one.
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get: (_target, key) => (typeof key === 'symbol' || key === 'then' ? undefined : (core.get(key) ?? protocol(key))),
    has: (_target, key) => typeof key === 'string' && core.has(key),
    ownKeys: () => [],
  }) as PluginHooks<never>;
}

function protocolTaps(registry: Registry, plugin: PluginRecord, protocol: string): unknown {
  const points = new Map<string, Point>();
  return new Proxy(Object.freeze(Object.create(null) as object), {
    get(_target, hook) {
      if (typeof hook === 'symbol' || hook === 'then') return undefined;
      if (hook === 'tap' || hook === 'tapPromise') {
        throw new TcpcopyError('E_PLUGIN_HOOK', `${protocol}: is no hook`, {
          where: `plugin ${plugin.name}`,
          hint: `hooks are ${Object.keys(HOOKS).join(', ')}, and those of protocols, as in http.request`,
        });
      }
      const point = points.get(hook) ?? pointOf(registry, plugin, { protocol, hook });
      points.set(hook, point);
      return point;
    },
  });
}

function pointOf(registry: Registry, plugin: PluginRecord, path: Parameters<Registry['add']>[1]): Point {
  return {
    tap: (options, fn) => registry.add(plugin, path, options, fn, 'sync'),
    tapPromise: (options, fn) => registry.add(plugin, path, options, fn, 'promise'),
  };
}
