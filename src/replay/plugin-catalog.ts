/** Finds plugins: built-in ones, files, packages. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TcpcopyError } from '../core/errors.ts';
import { nameHint } from '../config/plugin-names.ts';
import type { PluginSpec } from '../config/plugin-spec.ts';
import { checkPlugin, type Plugin } from '../pipeline/plugin.ts';
import { ModuleLoader, OWN_EXTENSION } from './module-loader.ts';

/** Beside `src` in the sources and in what is built of them. */
const BUILT_IN = new URL('../../plugins/', import.meta.url);
const PACKAGE_PREFIX = 'tcpcopy-plugin-';

export interface FoundPlugin {
  readonly plugin: Plugin;
  /** `built-in`, a path, or the configuration file. */
  readonly origin: string;
}

export function builtInNames(): readonly string[] {
  const folder = fileURLToPath(BUILT_IN);
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && existsSync(join(folder, entry.name, `index${OWN_EXTENSION}`)))
    .map(({ name }) => name)
    .toSorted();
}

export async function loadBuiltIn(name: string): Promise<FoundPlugin> {
  const module = (await import(new URL(`${name}/index${OWN_EXTENSION}`, BUILT_IN).href)) as { default?: unknown };
  return { plugin: checkPlugin(module.default, `built-in plugin ${name}`), origin: 'built-in' };
}

/** Loads what a spec names. `directory` is the working directory. */
export async function findPlugin(spec: PluginSpec, directory: string): Promise<FoundPlugin> {
  const { plugin: name, where } = spec;
  if (typeof name !== 'string') return { plugin: checkPlugin(name, where), origin: where };
  const base = spec.directory ?? directory;
  if (isPath(name)) {
    const path = resolvePath(name, base);
    if (!existsSync(path))
      throw new TcpcopyError('E_PLUGIN', `there is no file ${path}`, { where, hint: 'check the path' });
    return loadFile(path, base, where);
  }
  if (builtInNames().includes(name)) return loadBuiltIn(name);
  const loader = new ModuleLoader(base);
  for (const candidate of packageNames(name)) {
    const path = loader.resolve(candidate);
    if (path !== undefined) return loadFile(path, base, where);
  }
  const install = `built-in ones: tcpcopy plugins; a package of others: npm install ${packageNames(name)[0]!}`;
  throw new TcpcopyError('E_PLUGIN', 'there is no such plugin', {
    where,
    hint: nameHint(name, builtInNames(), install),
  });
}

async function loadFile(path: string, directory: string, where: string): Promise<FoundPlugin> {
  let module: unknown;
  try {
    module = await new ModuleLoader(directory).load(path);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new TcpcopyError('E_PLUGIN', `cannot be loaded: ${message}`, { where, hint: `see ${path}`, cause });
  }
  return { plugin: checkPlugin(module, where), origin: path };
}

function packageNames(name: string): readonly string[] {
  return name.startsWith('@') || name.startsWith(PACKAGE_PREFIX) ? [name] : [`${PACKAGE_PREFIX}${name}`];
}

function isPath(name: string): boolean {
  return /^(\.{0,2}|~)\//.test(name) || /\.[cm]?[jt]s$/.test(name);
}

function resolvePath(name: string, base: string): string {
  if (name.startsWith('~/')) return join(homedir(), name.slice(2));
  return isAbsolute(name) ? name : resolve(base, name);
}
