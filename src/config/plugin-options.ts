/** A plugin's options: from what was given to what its schema makes of it, or one line that says what is wrong. */
import type { z } from 'zod';
import { TcpcopyError } from '../core/errors.ts';
import { nameHint } from './plugin-names.ts';
import { isSecret, optionsSchema, schemaNode, shown, typeText, type SchemaNode } from './plugin-schema.ts';
import type { PluginSetting, PluginSpec } from './plugin-spec.ts';

/** What is looked at of a plugin. */
export interface Configurable {
  readonly name: string;
  readonly options?: unknown;
  readonly shorthand?: string;
}

type Values = Record<string, unknown>;

export function readPluginOptions(plugin: Configurable, spec: Pick<PluginSpec, 'options' | 'where'>): object {
  const schema = optionsSchema(plugin.options, spec.where);
  const node = schemaNode(schema, spec.where);
  const { shorthand } = plugin;
  if (shorthand !== undefined && node.properties?.[shorthand] === undefined) {
    throw new TcpcopyError('E_PLUGIN', `its shorthand '${shorthand}' is none of its options`, { where: spec.where });
  }
  const reader = new OptionsReader(plugin.name, shorthand, node, spec.where);
  const values = isSettings(spec.options) ? reader.fromTexts(spec.options) : reader.fromValues(spec.options);
  return reader.check(schema, values);
}

/** Texts among a plugin's options that must not be printed. */
export function secretTexts(plugin: Configurable, options: object): readonly string[] {
  const { properties = {} } = schemaNode(optionsSchema(plugin.options, ''), '');
  return Object.entries(options).flatMap(([key, value]) =>
    typeof value === 'string' && value !== '' && isSecret(key, properties[key]) ? [value] : [],
  );
}

class OptionsReader {
  readonly #name: string;
  readonly #shorthand: string | undefined;
  readonly #node: SchemaNode;
  readonly #where: string;

  constructor(name: string, shorthand: string | undefined, node: SchemaNode, where: string) {
    this.#name = name;
    this.#shorthand = shorthand;
    this.#node = node;
    this.#where = where;
  }

  fromTexts(settings: readonly PluginSetting[]): Values {
    const values: Values = {};
    let list: string | undefined;
    for (const { key: given, value } of settings) {
      const key = given ?? this.#shorthand;
      if (key === undefined) {
        throw this.#error('takes no value of its own', `write ${this.#name},KEY=VALUE; ${this.#seeOptions()}`);
      }
      const option = this.#option(key);
      if (value === undefined) {
        if (option !== undefined && accepts(option, 'boolean')) this.#set(values, key, true);
        else if (option === undefined && list !== undefined) this.#append(values, list, key);
        else if (option === undefined) throw this.#unknown(key);
        else throw this.#error(`${key}: needs a value`, `write ${key}=VALUE, ${typeText(option)}`);
      } else if (option !== undefined && accepts(option, 'array')) {
        this.#append(values, key, value);
      } else if (option !== undefined || this.#open()) {
        this.#set(values, key, coerce(option ?? {}, value));
      } else {
        this.#setInside(values, key, value);
      }
      if (value !== undefined) list = option !== undefined && accepts(option, 'array') ? key : undefined;
    }
    return values;
  }

  fromValues(given: Readonly<Record<string, unknown>>): Values {
    for (const key of Object.keys(given)) {
      if (this.#option(key) === undefined && !this.#open()) throw this.#unknown(key);
    }
    return { ...given };
  }

  check(schema: z.ZodType<object>, values: Values): object {
    let result;
    try {
      result = schema.safeParse(values);
    } catch (cause) {
      throw new TcpcopyError('E_PLUGIN', 'its options cannot be checked', {
        where: this.#where,
        hint: 'a schema must not be asynchronous or throw',
        cause,
      });
    }
    if (result.success) return result.data;
    throw this.#issue(result.error.issues[0]!, values);
  }

  #option(key: string): SchemaNode | undefined {
    const { properties = {} } = this.#node;
    return Object.hasOwn(properties, key) ? properties[key] : undefined;
  }

  /** Whether keys that are not named are options too. */
  #open(): boolean {
    const { additionalProperties } = this.#node;
    return additionalProperties === true || typeof additionalProperties === 'object';
  }

  #set(values: Values, key: string, value: unknown): void {
    if (key in values) throw this.#error(`${key}: is given twice`, 'leave one of them out');
    values[key] = value;
  }

  /** A list given in one value, with commas, or in several. */
  #append(values: Values, key: string, text: string): void {
    const { items = {} } = arrayIn(this.#option(key)!);
    const parts = text.split(',').map((part) => coerce(items, part.trim()));
    values[key] = [...((values[key] as unknown[] | undefined) ?? []), ...parts];
  }

  /** `headers.X-Test=1`: one entry of an option that maps names to values. */
  #setInside(values: Values, path: string, text: string): void {
    const dot = path.indexOf('.');
    const key = path.slice(0, Math.max(dot, 0));
    const outer = dot > 0 ? this.#option(key) : undefined;
    if (outer === undefined || !accepts(outer, 'object')) throw this.#unknown(path);
    const name = path.slice(dot + 1);
    const inner = outer.properties?.[name] ?? outer.additionalProperties;
    const map = (values[key] ?? {}) as Values;
    if (name in map) throw this.#error(`${path}: is given twice`, 'leave one of them out');
    values[key] = { ...map, [name]: coerce(typeof inner === 'object' ? inner : {}, text) };
  }

  #issue(issue: z.core.$ZodIssue, values: Values): TcpcopyError {
    const [key = ''] = issue.path.map(String);
    if (key === '') return this.#error(issue.message, this.#seeOptions());
    const option = this.#option(key);
    const path = issue.path.map(String).join('.');
    const value = issue.path.reduce<unknown>(
      (at, step) => (at as Record<PropertyKey, unknown> | undefined)?.[step],
      values,
    );
    if (value === undefined && issue.path.length === 1 && issue.code !== 'custom') {
      return this.#error(`${path}: is required`, option === undefined ? this.#seeOptions() : whatIs(option));
    }
    // Kind and range are best said with the option's type; lengths, formats and what is inside with zod's own words.
    const sized =
      (issue.code === 'too_small' || issue.code === 'too_big') && !/^(number|int|bigint)$/.test(issue.origin);
    const explained = sized || issue.code === 'custom' || issue.code === 'invalid_format' || issue.path.length > 1;
    const said = issue.code === 'invalid_key' ? (issue.issues[0]?.message ?? issue.message) : issue.message;
    const message = explained || option === undefined ? said : `must be ${typeText(option)}`;
    const text = isSecret(key, option) ? '***' : shown(value);
    return this.#error(`${path}=${text}: ${message}`, this.#seeOptions());
  }

  #unknown(key: string): TcpcopyError {
    const known = Object.keys(this.#node.properties ?? {});
    const all = known.length === 0 ? `${this.#name} has no options` : `options are ${known.join(', ')}`;
    // The rest of a secret that was not quoted looks like an option.
    const secretive = Object.entries(this.#node.properties ?? {}).some(([name, option]) => isSecret(name, option));
    return this.#error(`there is no option ${secretive ? 'of this name' : shown(key)}`, nameHint(key, known, all));
  }

  #error(message: string, hint: string): TcpcopyError {
    return new TcpcopyError('E_PLUGIN_OPTION', message, { where: this.#where, hint });
  }

  #seeOptions(): string {
    return `see tcpcopy plugins ${this.#name}`;
  }
}

function whatIs(option: SchemaNode): string {
  const { description } = option;
  return description === undefined ? typeText(option) : `${typeText(option)}: ${description.replace(/\.$/, '')}`;
}

/** What a text means where the schema wants this; the text itself when it means nothing there, for the schema to refuse. */
function coerce(node: SchemaNode, text: string): unknown {
  if (node.tcpcopy !== undefined) return text;
  for (const alternative of node.anyOf ?? node.oneOf ?? []) {
    if (isText(alternative)) return text;
    const value = coerce(alternative, text);
    if (value !== text) return value;
  }
  for (const type of [node.type ?? []].flat()) {
    if (type === 'string') return text;
    const trimmed = text.trim();
    if ((type === 'number' || type === 'integer') && /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(trimmed)) {
      return Number(trimmed);
    }
    if (type === 'boolean' && /^(true|yes|on|1)$/i.test(trimmed)) return true;
    if (type === 'boolean' && /^(false|no|off|0)$/i.test(trimmed)) return false;
    if (type === 'object' && trimmed.startsWith('{')) return parseJson(trimmed) ?? text;
  }
  return text;
}

/** Any text will do. */
function isText(node: SchemaNode): boolean {
  return node.type === 'string' && node.enum === undefined && node.const === undefined;
}

function accepts(node: SchemaNode, type: string): boolean {
  return (
    [node.type ?? []].flat().includes(type) ||
    (node.anyOf ?? node.oneOf ?? []).some((alternative) => accepts(alternative, type))
  );
}

function arrayIn(node: SchemaNode): SchemaNode {
  if ([node.type ?? []].flat().includes('array')) return node;
  return (node.anyOf ?? node.oneOf ?? []).find((alternative) => accepts(alternative, 'array')) ?? {};
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isSettings(options: PluginSpec['options']): options is readonly PluginSetting[] {
  return Array.isArray(options);
}
