/**
 * A configuration file: the long option names in camelCase, and `plugins`. What it holds becomes the same texts that a
 * command line has, so that both are judged by one parser; a command line's come first.
 */
import { z } from 'zod';
import { TcpcopyError } from '../core/errors.ts';
import { nameHint } from './plugin-names.ts';
import { parsePlugin, type PluginSpec } from './plugin-spec.ts';
import { rawCopySchema, type RawCopyOptions } from './raw-options.ts';

/** An entry of `plugins`: as behind `--plugin`, with options of its own, or a plugin itself. */
export type ConfigPlugin =
  string | object | readonly [plugin: string | object, options: Readonly<Record<string, unknown>>];

type FileKey = Exclude<keyof RawCopyOptions, 'config' | 'plugin'>;
type FileValue<T> = T extends readonly string[]
  ? string | readonly string[]
  : T extends boolean
    ? boolean
    : NonNullable<T> extends infer Text
      ? string extends Text
        ? string | number
        : Text
      : never;

/** What `defineConfig` takes. */
export type TcpcopyConfig = { readonly [Key in FileKey]?: FileValue<RawCopyOptions[Key]> } & {
  readonly plugins?: readonly ConfigPlugin[];
};

/** Values of a file, as the command line would have given them. */
export type ConfigValues = Readonly<Record<string, unknown>> & { readonly plugin?: readonly PluginSpec[] };

/** Verifies what a file holds. `file` is named in errors, `directory` is where it is. */
export function readConfig(content: unknown, file: string, directory: string): ConfigValues {
  if (typeof content !== 'object' || content === null || Array.isArray(content)) {
    throw new TcpcopyError('E_CONFIG', 'holds no options', {
      where: file,
      hint: "an object of long option names, as in { map: '80-192.0.2.10:8080' }",
    });
  }
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(content as Readonly<Record<string, unknown>>)) {
    if (value === undefined || value === null) continue;
    if (key === 'plugins') values['plugin'] = readPlugins(value, file, directory);
    else values[key] = readValue(key, value, file);
  }
  return values;
}

const KEYS = Object.keys(rawCopySchema.shape).filter((key) => key !== 'config' && key !== 'plugin');

function readValue(key: string, value: unknown, file: string): unknown {
  const where = `${file}: ${key}`;
  if (!KEYS.includes(key)) {
    const hint = nameHint(key, [...KEYS, 'plugins'], 'keys are the long option names of tcpcopy --help in camelCase');
    throw new TcpcopyError('E_CONFIG', 'there is no such option', { where, hint });
  }
  const schema = rawCopySchema.shape[key as FileKey];
  const inner: z.ZodType = schema instanceof z.ZodDefault ? (schema.unwrap() as z.ZodType) : schema;
  const texts = typeof value === 'number' ? String(value) : value;
  const candidate = inner instanceof z.ZodArray ? [texts].flat() : texts;
  if (schema.safeParse(candidate).success) return candidate;
  const wanted =
    inner instanceof z.ZodBoolean ? 'true or false' : inner instanceof z.ZodArray ? 'text, or a list of texts' : 'text';
  const choices = choicesOf(schema);
  throw new TcpcopyError('E_CONFIG', `must be ${choices ?? wanted}`, { where });
}

function choicesOf(schema: z.ZodType): string | undefined {
  const result = schema.safeParse('\u0000');
  const issue = result.success ? undefined : result.error.issues[0];
  return issue?.code === 'invalid_value' ? issue.values.map(String).join(', ') : undefined;
}

function readPlugins(value: unknown, file: string, directory: string): readonly PluginSpec[] {
  if (!Array.isArray(value)) {
    throw new TcpcopyError('E_CONFIG', 'must be a list', {
      where: `${file}: plugins`,
      hint: "as in ['sample=10%', ['http-host-rewrite', { host: 'staging' }]]",
    });
  }
  return value.map((entry: unknown, i) => readPlugin(entry, `${file}: plugins[${i}]`, directory));
}

function readPlugin(entry: unknown, where: string, directory: string): PluginSpec {
  if (typeof entry === 'string') return parsePlugin(entry, where, directory);
  const [plugin, options = {}, ...rest] = Array.isArray(entry) ? (entry as unknown[]) : [entry];
  const isPlugin = typeof plugin === 'string' ? plugin !== '' : isObject(plugin);
  if (!isPlugin || !isObject(options) || rest.length > 0) {
    throw new TcpcopyError('E_CONFIG', 'is no plugin', {
      where,
      hint: "write 'NAME=VALUE' or ['NAME', { option: value }]",
    });
  }
  return {
    plugin: plugin as string | object,
    options: options as Readonly<Record<string, unknown>>,
    where: `${where} ${pluginName(plugin as string | object)}`,
    directory,
  };
}

/** Command line over file: for each option the command line's, for each plugin of one name likewise, in the file's place. */
export function mergeOptions(
  line: Readonly<Record<string, unknown>>,
  file: ConfigValues,
): Readonly<Record<string, unknown>> {
  const own = (line['plugin'] as readonly string[] | undefined)?.map((text) => parsePlugin(text)) ?? [];
  const left = new Set(own);
  const plugin = (file.plugin ?? []).map((spec) => {
    const replacement = own.find((other) => pluginName(other.plugin) === pluginName(spec.plugin));
    if (replacement === undefined) return spec;
    left.delete(replacement);
    // A plugin that the file itself holds is found nowhere else: the command line's name means it.
    return typeof spec.plugin === 'string' ? replacement : { ...replacement, plugin: spec.plugin };
  });
  const plugins = [...plugin, ...left];
  return { ...file, ...line, ...(plugins.length === 0 ? {} : { plugin: plugins }) };
}

/** What a spec calls its plugin. */
export function pluginName(plugin: string | object): string {
  if (typeof plugin === 'string') return plugin;
  const { name } = plugin as { readonly name?: unknown };
  return typeof name === 'string' ? name : '(a plugin without a name)';
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
