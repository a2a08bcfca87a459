/** Finds and loads the configuration file, and puts the command line over it. */
import { readFileSync, statSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { mergeOptions, readConfig, type ConfigValues } from '../config/config-file.ts';
import { TcpcopyError } from '../core/errors.ts';
import { copyCommand } from './copy-command.ts';

const NAME = 'tcpcopy.config';
const EXTENSIONS = ['.ts', '.mts', '.js', '.mjs', '.json', '.yaml', '.yml'];
const FORMS = '.ts, .js, .mjs, .json or .yaml';

export interface LoadedConfig {
  /** `undefined`: there is no file. */
  readonly file: string | undefined;
  readonly values: ConfigValues;
}

type RawOptions = Readonly<Record<string, unknown>>;

/** What the command line and the configuration file say together. */
export async function withConfigFile(line: RawOptions, directory = process.cwd()): Promise<RawOptions> {
  const { values } = await loadConfig(line['config'] as string | undefined, directory);
  return mergeOptions(line, values);
}

/** The same as `parse` reads it. What it finds wrong with a value of the file's is said of the file, not of a flag. */
export async function parseWithConfigFile<T>(
  line: RawOptions,
  parse: (raw: RawOptions) => T,
  directory = process.cwd(),
): Promise<T> {
  const { file, values } = await loadConfig(line['config'] as string | undefined, directory);
  try {
    return parse(mergeOptions(line, values));
  } catch (error) {
    if (file === undefined || !(error instanceof TcpcopyError) || error.where === undefined) throw error;
    const { code, message, where, hint } = error;
    const [flag = '', ...value] = where.split(' ');
    const key = copyCommand()
      .options.find(({ short, long }) => short === flag || long === flag)
      ?.attributeName();
    if (key === undefined || line[key] !== undefined || values[key] === undefined) throw error;
    const place = [`${file}: ${key}`, ...value].join(' ');
    throw new TcpcopyError(code, message, { where: place, cause: error, ...(hint === undefined ? {} : { hint }) });
  }
}

/** The file that `--config` names, or the one that lies in `directory`. */
export async function loadConfig(named: string | undefined, directory: string): Promise<LoadedConfig> {
  const path = named === undefined ? findConfig(directory) : resolve(directory, named);
  if (path === undefined) return { file: undefined, values: {} };
  const file = named ?? basename(path);
  return { file, values: readConfig(await load(path, file), file, dirname(path)) };
}

function findConfig(directory: string): string | undefined {
  const found = EXTENSIONS.map((extension) => join(directory, NAME + extension)).filter((path) => isFile(path));
  if (found.length > 1) {
    throw new TcpcopyError('E_CONFIG', `there are several: ${found.map((path) => basename(path)).join(', ')}`, {
      where: NAME,
      hint: 'keep one, or name one with --config',
    });
  }
  const [path] = found;
  if (path !== undefined) requireTrusted(path);
  return path;
}

/** A file that merely lies there decides what a program of root's does, so it must not be somebody else's. */
function requireTrusted(path: string): void {
  if (process.getuid?.() !== 0) return;
  const { uid, mode } = statSync(path);
  const writableByAll = (mode & 0o002) !== 0;
  if ((uid === 0 || String(uid) === process.env['SUDO_UID']) && !writableByAll) return;
  throw new TcpcopyError('E_CONFIG', writableByAll ? 'everybody may write it' : 'is not a file of yours', {
    where: path,
    hint: 'change its owner or permissions, or name it with --config',
  });
}

async function load(path: string, file: string): Promise<unknown> {
  const extension = extname(path);
  if (!isFile(path)) throw new TcpcopyError('E_FILE', 'there is no such file', { where: `--config ${file}` });
  try {
    switch (extension) {
      case '.json':
        return parseJson(readFileSync(path, 'utf8'));
      case '.yaml':
      case '.yml': {
        const { parse } = await import('yaml');
        return parse(readFileSync(path, 'utf8')) as unknown;
      }
    }
    if (EXTENSIONS.includes(extension)) {
      const { ModuleLoader } = await import('../replay/module-loader.ts');
      return await new ModuleLoader(dirname(path)).load(path);
    }
  } catch (cause) {
    throw new TcpcopyError('E_CONFIG', `cannot be read: ${firstLine(cause)}`, { where: file, cause });
  }
  throw new TcpcopyError('E_CONFIG', `is no configuration file`, { where: file, hint: `its name ends in ${FORMS}` });
}

/** V8's messages quote the text, which may hold secrets. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (cause) {
    const place = /line \d+ column \d+|position \d+/.exec((cause as Error).message)?.[0];
    throw new Error(`it is no JSON${place === undefined ? '' : ` at ${place}`}`, { cause });
  }
}

/** A parser's first line says where; those after it quote the file. */
function firstLine(error: unknown): string {
  return (error instanceof Error ? error.message : String(error)).split('\n')[0]!.replace(/[\s:]+$/, '');
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}
