/** Finds plugins: built-in ones, files, packages. */
import { existsSync, readdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { basename, dirname, extname, isAbsolute, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TcpcopyError } from '../core/errors.ts';
import { nameHint } from '../config/plugin-names.ts';
import type { PluginSpec } from '../config/plugin-spec.ts';
import { checkPlugin, type Plugin } from '../pipeline/plugin.ts';
import type { ModuleLoader } from './module-loader.ts';
import { OWN_EXTENSION } from './own-extension.ts';
import { untilIdle } from './until-idle.ts';

/** Beside `src` in the sources and in what is built of them. */
const BUILT_IN = new URL('../../plugins/', import.meta.url);
const PACKAGE_PREFIX = 'tcpcopy-plugin-';
const MODULE = /\.[cm]?[jt]s$/;

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
    if (!existsSync(path)) {
      const other = alike(path);
      const hint = other === undefined ? 'check the path' : `did you mean ${other}?`;
      throw new TcpcopyError('E_PLUGIN', `there is no file ${path}`, { where, hint });
    }
    return loadFile(path, where);
  }
  if (builtInNames().includes(name)) return loadBuiltIn(name);
  const loader = await loaderIn(base);
  for (const candidate of packageNames(name)) {
    const path = loader.resolve(candidate);
    if (path !== undefined) return loadFile(path, where);
    const folder = installed(candidate, base);
    if (folder !== undefined) {
      throw new TcpcopyError('E_PLUGIN', 'its package has nothing where its package.json says', {
        where,
        hint: `build it, or install it anew: ${folder}`,
      });
    }
  }
  const install = `built-in ones: tcpcopy plugins; a package of others: npm install ${packageNames(name)[0]!}`;
  throw new TcpcopyError('E_PLUGIN', 'there is no such plugin', {
    where,
    hint: nameHint(name, builtInNames(), install),
  });
}

/** It compiles TypeScript: a run with built-in plugins does without. */
async function loaderIn(directory: string): Promise<ModuleLoader> {
  const { ModuleLoader: Loader } = await import('./module-loader.ts');
  return new Loader(directory);
}

async function loadFile(path: string, where: string): Promise<FoundPlugin> {
  const hint = `see ${path}`;
  const neverLoaded = (): TcpcopyError =>
    new TcpcopyError('E_PLUGIN', 'cannot be loaded: it awaits something that never comes', { where, hint });
  const loader = await loaderIn(dirname(path));
  let module: unknown;
  try {
    module = await untilIdle(loader.load(path), neverLoaded);
  } catch (cause) {
    if (cause instanceof TcpcopyError) throw cause;
    throw new TcpcopyError('E_PLUGIN', `cannot be loaded: ${whyNot(cause)}`, { where, hint, cause });
  }
  return { plugin: checkPlugin(module, where), origin: path };
}

/** Node adds the modules on the way there, one a line. */
function whyNot(cause: unknown): string {
  const message = cause instanceof Error ? cause.message : String(cause);
  return message.split(/\s+Require stack:/)[0]!;
}

/** A file beside it of the same name, but for what it ends in. */
function alike(path: string): string | undefined {
  const folder = dirname(path);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const name = basename(path, extname(path));
  return names.find((other) => MODULE.test(other) && basename(other, extname(other)) === name);
}

/** Where a package lies, whether or not it can be loaded. */
function installed(packageName: string, base: string): string | undefined {
  for (let folder = base; ; folder = dirname(folder)) {
    const found = join(folder, 'node_modules', packageName);
    if (existsSync(join(found, 'package.json'))) return found;
    if (dirname(folder) === folder) return undefined;
  }
}

function packageNames(name: string): readonly string[] {
  return name.startsWith('@') || name.startsWith(PACKAGE_PREFIX) ? [name] : [`${PACKAGE_PREFIX}${name}`];
}

function isPath(name: string): boolean {
  return /^(\.{0,2}|~)\//.test(name) || MODULE.test(name);
}

function resolvePath(name: string, base: string): string {
  if (name.startsWith('~/')) return join(homedir(), name.slice(2));
  return isAbsolute(name) ? name : resolve(base, name);
}
