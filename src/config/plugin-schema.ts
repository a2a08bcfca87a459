/**
 * What a plugin's schema says of its options, for reading texts and for telling people. It is seen through its JSON
 * Schema, so that it may come from another copy of zod than this program's.
 */
import { z } from 'zod';
import { TcpcopyError } from '../core/errors.ts';

/** The parts of JSON Schema that are looked at. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: SchemaNode | boolean;
  readonly default?: unknown;
  readonly description?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMinimum?: number;
  /** What `option` of the plugin entry calls it: `percent`, `duration`, `rate`, `size`, `condition`, `pointer`, `secret`. */
  readonly tcpcopy?: string;
}

/** One option, for people. */
export interface OptionDescription {
  readonly key: string;
  readonly type: string;
  readonly required: boolean;
  /** As it would be typed; `undefined`: none. */
  readonly default: string | undefined;
  readonly description: string;
}

/** Options of a plugin that declares none. */
const NO_OPTIONS = z.object({});

/** The schema of a plugin's options; `where` names the plugin. */
export function optionsSchema(options: unknown, where: string): z.ZodType<object> {
  if (options === undefined) return NO_OPTIONS;
  if (typeof options !== 'object' || options === null || !('_zod' in options)) {
    throw new TcpcopyError('E_PLUGIN', 'its options are no zod 4 schema', {
      where,
      hint: "make them with 'z' from tcpcopy/plugin",
    });
  }
  return options as z.ZodType<object>;
}

/** The same as JSON Schema of what may be given. */
export function schemaNode(schema: z.ZodType<object>, where: string): SchemaNode {
  let node: SchemaNode;
  try {
    node = z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }) as SchemaNode;
  } catch (cause) {
    throw new TcpcopyError('E_PLUGIN', 'its options cannot be described', {
      where,
      hint: 'keep the schema simple',
      cause,
    });
  }
  if (node.type !== 'object') {
    throw new TcpcopyError('E_PLUGIN', 'its options are no object', { where, hint: 'options: z.object({ … })' });
  }
  return node;
}

export function describeOptions(node: SchemaNode): readonly OptionDescription[] {
  return Object.entries(node.properties ?? {}).map(([key, option]) => ({
    key,
    type: typeText(option).replace(/^KEY\b/, key),
    required: node.required?.includes(key) ?? false,
    default: option.default === undefined || isEmpty(option.default) ? undefined : shown(option.default),
    description: option.description ?? '',
  }));
}

/** A list or a map of nothing: what an option that is not given amounts to. */
function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/** What may be given, in a few words. */
export function typeText(node: SchemaNode): string {
  const alternatives = node.anyOf ?? node.oneOf;
  switch (node.tcpcopy) {
    case 'percent':
      return 'a percentage (10%)';
    case 'duration':
      return 'a time (500ms, 10s, 5m)';
    case 'rate':
      return 'a rate (500/s, 30/m)';
    case 'size':
      return 'a size (512k, 64M)';
    case 'condition':
      return "a condition (method == 'POST' && path ~ '^/api')";
    case 'pointer':
      return 'a JSON pointer (/user/name)';
    case 'secret':
      return 'text, never printed';
  }
  if (node.enum !== undefined) return node.enum.map(shown).join(' | ');
  if (node.const !== undefined) return shown(node.const);
  if (alternatives !== undefined) return [...new Set(alternatives.map(typeText))].join(', or ');
  const types = [node.type ?? []].flat();
  if (types.length === 0) return 'anything';
  return types.map((type) => simpleTypeText(type, node)).join(', or ');
}

/** Whether nothing of a value may be printed. */
export function isSecret(key: string, node: SchemaNode | undefined): boolean {
  return node?.tcpcopy === 'secret' || /pass(word|wd|phrase)?$|secret|token|credential|api-?_?key|private/i.test(key);
}

/** A value as it would be typed, cut when long. */
export function shown(value: unknown): string {
  const text = typeof value === 'string' ? value : Array.isArray(value) ? value.map(shown).join(',') : json(value);
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

function json(value: unknown): string {
  try {
    return JSON.stringify(value) ?? String(value);
  } catch {
    return 'a value';
  }
}

function simpleTypeText(type: string, node: SchemaNode): string {
  switch (type) {
    case 'string':
      return 'text';
    case 'boolean':
      return 'yes or no';
    case 'number':
      return `a number${rangeText(node)}`;
    case 'integer':
      return `a whole number${rangeText(node)}`;
    case 'array':
      return `a list of ${node.items === undefined ? 'anything' : typeText(node.items)}`;
    case 'object':
      return typeof node.additionalProperties === 'object'
        ? `KEY.NAME=${typeText(node.additionalProperties)}`
        : 'an object';
    default:
      return type;
  }
}

function rangeText({ minimum, exclusiveMinimum, maximum }: SchemaNode): string {
  // zod gives every whole number the bounds of exact arithmetic, which say nothing.
  const low = minimum !== undefined && minimum > Number.MIN_SAFE_INTEGER ? minimum : undefined;
  const high = maximum !== undefined && maximum < Number.MAX_SAFE_INTEGER ? maximum : undefined;
  if (exclusiveMinimum !== undefined)
    return ` above ${exclusiveMinimum}${high === undefined ? '' : `, at most ${high}`}`;
  if (low !== undefined && high !== undefined) return ` from ${low} to ${high}`;
  if (low !== undefined) return `, at least ${low}`;
  return high === undefined ? '' : `, at most ${high}`;
}
