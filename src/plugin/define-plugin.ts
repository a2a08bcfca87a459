import type { z } from 'zod';
import type { TcpcopyConfig } from '../config/config-file.ts';
import type { AnyState } from '../pipeline/hooks.ts';
import type { Phase } from '../pipeline/phases.ts';
import type { Plugin, PluginEnv, Protocols } from '../pipeline/plugin.ts';
import type { PluginHooks } from '../pipeline/taps.ts';

/** Options of a plugin that takes none. */
export type NoOptions = z.ZodObject<Record<never, never>>;

export interface PluginDefinition<Schema extends z.ZodType<object>, State> {
  /** Lower-case letters, digits and dashes; unique in a run. */
  readonly name: string;
  /** One sentence: what it does. */
  readonly description: string;
  /** An object schema, made with `z` of this entry. What it returns is what `apply` is given. */
  readonly options?: Schema;
  /** The option that `--plugin NAME=VALUE` sets. */
  readonly shorthand?: keyof z.input<Schema> & string;
  /** Protocols whose hooks it taps (with these options); their plugins are loaded with it. */
  readonly protocol?: Protocols | ((options: z.output<Schema>) => Protocols);
  /** The phase of its taps on connections, requests and responses that name none. */
  readonly phase?: Phase;
  /** What it fails on is dropped, whatever `--on-plugin-error` says: for plugins that remove secrets. */
  readonly failClosed?: boolean;
  /** For `tcpcopy plugins NAME`, as typed behind `--plugin`. */
  readonly examples?: readonly string[];
  /** Makes what it remembers of one connection: `connection.state` in its taps, given up with the connection. */
  state?(): State;
  /** Taps hooks; called once, before the run. A promise is waited for. */
  apply(hooks: PluginHooks<State>, options: z.output<Schema>, env: PluginEnv): void | Promise<void>;
}

/** What is exported by a plugin's module, as its default. */
export interface DefinedPlugin<Schema extends z.ZodType<object> = z.ZodType<object>> extends Plugin {
  readonly options?: Schema;
}

/** Gives a plugin its types; what it holds is verified when it is loaded. */
export function definePlugin<Schema extends z.ZodType<object> = NoOptions, State = AnyState>(
  definition: PluginDefinition<Schema, State>,
): DefinedPlugin<Schema> {
  return definition;
}

/** Gives a configuration file its types: `export default defineConfig({ … })` in `tcpcopy.config.ts`. */
export function defineConfig(config: TcpcopyConfig): TcpcopyConfig {
  return config;
}
