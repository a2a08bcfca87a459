/** `tcpcopy plugin new` and `tcpcopy plugin check`: for people who write plugins. */
import { existsSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { optionsSchema, schemaNode } from '../config/plugin-schema.ts';
import { parsePlugin } from '../config/plugin-spec.ts';
import { TcpcopyError } from '../core/errors.ts';
import { SILENT_LOG } from '../core/log.ts';
import { builtInNames, findPlugin } from '../replay/plugin-catalog.ts';
import { resolvePlugins, setUpPlugins } from '../replay/plugin-loader.ts';
import { pluginTemplate } from './plugin-template.ts';
import { orderText, protocolText } from './plugin-texts.ts';
import { outputWidth, printLines } from './plugins-command.ts';
import { programVersion } from './version.ts';

const PACKAGE_PREFIX = 'tcpcopy-plugin-';
const NAME = /^(@[a-z0-9][a-z0-9._-]*\/)?[a-z][a-z0-9-]*$/;

function writeText(path: string, text: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    throw new TcpcopyError('E_FILE', `cannot be written (${code ?? message})`, {
      where: path,
      hint: 'name another directory: tcpcopy plugin new NAME DIRECTORY',
      cause,
    });
  }
}

/** Writes the package of a new plugin; `where` is its directory. */
export function writePackage(given: string, where: string | undefined): void {
  if (!NAME.test(given)) {
    throw new TcpcopyError('E_USAGE', 'is no name for a plugin', {
      where: `plugin new ${given}`,
      hint: 'lower-case letters, digits and dashes, as in http-host-rewrite or @acme/http-host-rewrite',
    });
  }
  const scoped = given.startsWith('@');
  const name = (scoped ? given.slice(given.indexOf('/') + 1) : given).replace(PACKAGE_PREFIX, '');
  if (!scoped && builtInNames().includes(name)) {
    throw new TcpcopyError('E_USAGE', `${name} is a built-in plugin, which that name would go on to mean`, {
      where: `plugin new ${given}`,
      hint: 'give it a name of its own',
    });
  }
  const packageName = scoped ? given : `${PACKAGE_PREFIX}${name}`;
  const directory = resolve(where ?? `${PACKAGE_PREFIX}${name}`);
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    throw new TcpcopyError('E_FILE', 'is there already, and not empty', {
      where: directory,
      hint: 'name another directory: tcpcopy plugin new NAME DIRECTORY',
    });
  }
  const files = pluginTemplate(name, packageName, programVersion());
  for (const [path, text] of Object.entries(files)) writeText(join(directory, path), text);
  printLines([
    `Wrote ${Object.keys(files).join(', ')} to ${directory}.`,
    'Next:',
    `  cd ${directory}`,
    '  tcpcopy plugin check ./src/index.ts=1k',
    '  npm install && npm test',
  ]);
}

/** Loads the plugin that `text` names as behind `--plugin`. */
export async function checkPlugin(text: string): Promise<void> {
  const spec = parsePlugin(text, 'plugin check');
  const found = await findPlugin(spec, process.cwd());
  const { plugin } = found;
  const schema = schemaNode(optionsSchema(plugin.options, spec.where), spec.where);
  printLines([`${plugin.name}: ${plugin.description}`, `  loaded from ${found.origin}`]);
  const missing = (schema.required ?? []).filter(() => Array.isArray(spec.options) && spec.options.length === 0);
  if (missing.length > 0) {
    printLines([
      `  its options are sound; ${missing.join(', ')} must be given, so it was not set up`,
      `  check it whole with '${text}${missing[0] === plugin.shorthand ? '=' : `,${missing[0]!}=`}…'`,
    ]);
    return;
  }
  const pipeline = await setUpPlugins(await resolvePlugins([spec], process.cwd()), { log: SILENT_LOG });
  printLines([
    '  options accepted, set up; it taps:',
    ...orderText(pipeline, outputWidth(), plugin.name).map((l) => `  ${l}`),
  ]);
  printLines(protocolText(pipeline, plugin.name, outputWidth()));
  await pipeline.close();
}
