/**
 * From specs to a pipeline that is ready to start: finds the plugins and those whose protocols they tap, reads their
 * options, and sets them up in order.
 */
import { TcpcopyError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import { toMillis } from '../core/time.ts';
import { readPluginOptions, secretTexts } from '../config/plugin-options.ts';
import type { PluginSpec } from '../config/plugin-spec.ts';
import type { GivenEnv } from '../pipeline/plugin.ts';
import { Pipeline, type PipelineSettings } from '../pipeline/pipeline.ts';
import type { HostClock } from '../pipeline/tap-runner.ts';
import { monotonicNow } from '../clock/clock.ts';
import { findPlugin, type FoundPlugin } from './plugin-catalog.ts';
import { untilIdle } from './until-idle.ts';

export interface PluginRunSettings extends Pick<PipelineSettings, 'policy' | 'deadline' | 'onAbort' | 'trace'> {
  readonly log: Log;
  /** `--seed`. */
  readonly seed?: number | undefined;
  /** Whether traffic is live; a recording, or nothing at all, where it is not said. */
  readonly live?: boolean;
  /** How many processes share the traffic; 1 where it is not said. */
  readonly processes?: number | undefined;
  /** Whom processes of plugins run as; as this one where it is not said. */
  readonly childUser?: RunEnvironment['childUser'];
  /** The working directory where none is given. */
  readonly directory?: string;
}

/** A plugin with what it was told. */
export interface LoadedPlugin extends FoundPlugin {
  readonly spec: PluginSpec;
  /** What its schema made of the options. */
  readonly options: object;
  /** Loaded for the protocol that others tap, not because it was asked for. */
  readonly implied: boolean;
}

/** The plugins of a run, set up and ordered; the run begins with the first call of the pipeline, or with `start`. */
export async function loadPlugins(specs: readonly PluginSpec[], settings: PluginRunSettings): Promise<Pipeline> {
  const directory = settings.directory ?? process.cwd();
  return setUpPlugins(await resolvePlugins(specs, directory), { ...settings, directory });
}

/** Finds the plugins and reads their options: protocols first, the others as given. */
export async function resolvePlugins(
  specs: readonly PluginSpec[],
  directory: string,
): Promise<readonly LoadedPlugin[]> {
  const given: LoadedPlugin[] = [];
  for (const spec of specs) given.push(await loadOne(spec, directory, false));
  const implied: LoadedPlugin[] = [];
  const known = (name: string): boolean => [...implied, ...given].some(({ plugin }) => plugin.name === name);
  const queue = [...given];
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    for (const protocol of protocolsOf(next)) {
      if (known(protocol)) continue;
      const where = `plugin ${next.plugin.name}, for the protocol ${protocol}`;
      const found = await loadOne({ plugin: protocol, options: [], where, directory: undefined }, directory, true);
      implied.unshift(found);
      queue.push(found);
    }
  }
  return [...implied, ...given];
}

function protocolsOf({ plugin: { protocol = [] }, options }: LoadedPlugin): readonly string[] {
  return [typeof protocol === 'function' ? protocol(options as never) : protocol].flat();
}

/** Sets the plugins up and seals the order of their taps. */
export async function setUpPlugins(
  plugins: readonly LoadedPlugin[],
  { log, seed, directory = process.cwd(), live = false, processes = 1, childUser, ...rest }: PluginRunSettings,
): Promise<Pipeline> {
  const pipeline = new Pipeline({ clock: CLOCK, log, ...rest });
  await registerPlugins(pipeline, plugins, { log, seed, directory, live, processes, childUser });
  return pipeline;
}

/** The same for a pipeline made elsewhere; `env` but for the log is given to plugins as it is. */
export async function registerPlugins(
  pipeline: Pipeline,
  plugins: readonly LoadedPlugin[],
  env: GivenEnv,
): Promise<void> {
  for (const { plugin, options, origin } of plugins) {
    const own = { ...env, log: marked(env.log, plugin.name) };
    try {
      await untilIdle(pipeline.register(plugin, options, own, sourceOf(origin)), () => neverReady(plugin.name));
    } catch (error) {
      throw withoutTexts(error, secretTexts(plugin, options));
    }
  }
  pipeline.start();
}

function neverReady(plugin: string): TcpcopyError {
  return new TcpcopyError('E_PLUGIN', 'could not be set up: it awaits something that never comes', {
    where: `plugin ${plugin}`,
    hint: 'see what its apply waits for',
  });
}

/** An error of a plugin that is set up may well quote what it was told, as a URL that cannot be reached. */
function withoutTexts(error: unknown, secrets: readonly string[]): unknown {
  if (!(error instanceof TcpcopyError)) return error;
  const message = secrets.reduce((text, secret) => text.replaceAll(secret, '***'), error.message);
  if (message === error.message) return error;
  const { code, where, hint } = error;
  return new TcpcopyError(code, message, { ...(where && { where }), ...(hint && { hint }), cause: error });
}

/** What the stack of an error shows of a plugin: its file, or the folder of its package. */
function sourceOf(origin: string): string | undefined {
  return origin === 'built-in' ? undefined : (/^.*\/node_modules\/(?:@[^/]+\/)?[^/]+\//.exec(origin)?.[0] ?? origin);
}

const CLOCK: HostClock = {
  now: monotonicNow,
  after(delay, fn) {
    const timer = setTimeout(fn, toMillis(delay));
    return () => clearTimeout(timer);
  },
};

async function loadOne(spec: PluginSpec, directory: string, implied: boolean): Promise<LoadedPlugin> {
  const found = await findPlugin(spec, directory);
  const { name } = found.plugin;
  // A path or a package may hold a plugin of any name: options are explained under the plugin's own.
  const where = typeof spec.plugin === 'string' && spec.plugin !== name ? `${spec.where} (${name})` : spec.where;
  if (implied && name !== spec.plugin) {
    throw new TcpcopyError('E_PLUGIN', `found '${name}' instead, which provides something else`, { where });
  }
  return { ...found, spec, options: readPluginOptions(found.plugin, { ...spec, where }), implied };
}

/** Lines of a plugin carry its name. */
function marked(log: Log, name: string): Log {
  return {
    error: (message, fields) => log.error(`plugin ${name}: ${message}`, fields),
    warn: (message, fields) => log.warn(`plugin ${name}: ${message}`, fields),
    info: (message, fields) => log.info(`plugin ${name}: ${message}`, fields),
    debug: (message, fields) => log.debug(`plugin ${name}: ${message}`, fields),
  };
}
