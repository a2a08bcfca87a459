/**
 * Options as they come from a command line: text, not yet judged. The schemas check shapes and choices; what a text means
 * is the business of the parser for its flag.
 */
import { z } from 'zod';
import { IO_BACKENDS, LOG_FORMATS, LOG_LEVELS, PACES, SHEDS, TARGETS } from './defaults.ts';
import { optionError } from './option-error.ts';
import type { TcpcopyError } from '../core/errors.ts';
import { isPluginSpec, type PluginSpec } from './plugin-spec.ts';

const text = z.string().optional();
const list = z.array(z.string()).default([]);
const flag = z.boolean().default(false);

/** Texts of the command line, and what a configuration file made of its own. */
const plugin = z.array(z.union([z.string(), z.custom<PluginSpec>(isPluginSpec)])).default([]);

const processShape = {
  log: text,
  logLevel: z.enum(LOG_LEVELS).default('info'),
  logFormat: z.enum(LOG_FORMATS).default('auto'),
  pidFile: text,
  metrics: text,
  daemon: flag,
  nice: text,
  user: text,
  debug: flag,
};

const captureShape = {
  input: list,
  io: z.enum(IO_BACKENDS).default('auto'),
  filter: text,
  buffer: text,
  snaplen: text,
  summaryJson: text,
};

export const rawProcessSchema = z.object(processShape);

export const rawCopySchema = z.object({
  ...processShape,
  ...captureShape,
  config: text,
  plugin,
  onPluginError: text,
  map: list,
  intercept: list,
  controlKeyFile: text,
  port: text,
  connections: text,
  tls: flag,
  tlsCa: text,
  client: list,
  target: z.enum(TARGETS).default('raw'),
  copies: text,
  workers: text,
  percent: text,
  gradual: flag,
  pace: z.enum(PACES).optional(),
  dontWait: flag,
  accelerate: text,
  maxGap: text,
  repeat: text,
  onlyFromSyn: flag,
  lonely: flag,
  memory: text,
  maxSessions: text,
  maxCpu: text,
  maxHostCpu: text,
  shed: z.enum(SHEDS).default('all'),
  mtu: text,
  mss: text,
  timeout: text,
  keepaliveTimeout: text,
  write: text,
  dryRun: flag,
  minFidelity: text,
  seed: text,
  summaryInterval: text,
  ui: flag,
});

export const rawRecordSchema = z.object({
  ...processShape,
  ...captureShape,
  config: text,
  plugin,
  onPluginError: text,
  map: list,
  memory: text,
  write: text,
  maxSize: text,
  maxTime: text,
  files: text,
  seed: text,
  summaryInterval: text,
});

export const rawInterceptSchema = z.object({
  ...processShape,
  ...captureShape,
  controlKeyFile: text,
  port: text,
  bind: text,
  tlsCert: text,
  tlsKey: text,
  check: flag,
  apply: flag,
  json: flag,
});

export type RawProcessOptions = z.infer<typeof rawProcessSchema>;
export type RawCopyOptions = z.infer<typeof rawCopySchema>;
export type RawRecordOptions = z.infer<typeof rawRecordSchema>;
export type RawInterceptOptions = z.infer<typeof rawInterceptSchema>;

/** Checks `input` against a schema; the first thing wrong becomes the one-line error. */
export function parseRaw<T>(schema: z.ZodType<T>, input: Readonly<Record<string, unknown>>): T {
  const result = schema.safeParse(input);
  if (result.success) return result.data;
  throw issueToError(result.error.issues[0]!, input);
}

function issueToError(issue: z.core.$ZodIssue, input: Readonly<Record<string, unknown>>): TcpcopyError {
  const key = String(issue.path[0] ?? '');
  const flagName = `--${key.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)}`;
  const value = input[key];
  const shown = typeof value === 'string' ? value : JSON.stringify(value ?? '');
  const message =
    issue.code === 'invalid_value' ? `must be one of ${issue.values.map(String).join(', ')}` : issue.message;
  return optionError(flagName, shown, message);
}
