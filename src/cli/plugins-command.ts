/** `tcpcopy plugins`: what plugins there are, what they take, and in which order they run. */
import { pluginsOfFlags, type PluginFlags } from '../config/plugin-flags.ts';
import { parsePlugin, type PluginSpec } from '../config/plugin-spec.ts';
import { SILENT_LOG } from '../core/log.ts';
import { builtInNames, findPlugin, loadBuiltIn, type FoundPlugin } from '../replay/plugin-catalog.ts';
import { resolvePlugins, setUpPlugins } from '../replay/plugin-loader.ts';
import { withConfigFile } from './config-file.ts';
import type { PluginsOptions } from './plugin-commands.ts';
import { listText, orderText, pluginText, protocolText } from './plugin-texts.ts';
import { sizeOf } from './terminal.ts';

const WIDTH = 100;

export async function printPlugins(name: string | undefined, options: PluginsOptions): Promise<void> {
  if (name !== undefined) await printPlugin(name);
  else if (options.resolved === true) await printOrder(await specsOf(options));
  else await printList(await specsOf(options));
}

export function outputWidth(): number {
  return Math.min(WIDTH, sizeOf(process.stdout.columns) ?? WIDTH);
}

export function printLines(lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** What the command line and the configuration file name. */
async function specsOf({ resolved: _, ...line }: PluginsOptions): Promise<readonly PluginSpec[]> {
  const set = (await withConfigFile({ ...line })) as PluginFlags & {
    readonly plugin?: readonly (string | PluginSpec)[];
  };
  const given = (set.plugin ?? []).map((spec) => (typeof spec === 'string' ? parsePlugin(spec) : spec));
  return [...pluginsOfFlags(set, given), ...given];
}

async function printList(specs: readonly PluginSpec[]): Promise<void> {
  const builtIn = await Promise.all(builtInNames().map((name) => loadBuiltIn(name)));
  const found: FoundPlugin[] = [...builtIn];
  for (const spec of specs) {
    const plugin = await findPlugin(spec, process.cwd());
    if (plugin.origin !== 'built-in') found.push(plugin);
  }
  printLines([...listText(found, outputWidth()), '', 'tcpcopy plugins NAME prints the options of one.']);
}

async function printPlugin(text: string): Promise<void> {
  const spec = { ...parsePlugin(text, 'tcpcopy plugins'), where: `tcpcopy plugins ${text}` };
  const found = await findPlugin(spec, process.cwd());
  printLines([...pluginText(found, outputWidth()), ...(await hooksText(spec, found.plugin.name))]);
}

/** The hooks that a plugin taps and provides, which only setting it up can tell: left out where it needs options for that. */
async function hooksText(spec: PluginSpec, name: string): Promise<readonly string[]> {
  let pipeline;
  try {
    pipeline = await setUpPlugins(await resolvePlugins([spec], process.cwd()), { log: SILENT_LOG });
  } catch {
    return [];
  }
  const order = orderText(pipeline, outputWidth(), name);
  await pipeline.close();
  return ['', 'Taps:', ...order.map((line) => `  ${line}`), ...protocolText(pipeline, name, outputWidth())];
}

async function printOrder(specs: readonly PluginSpec[]): Promise<void> {
  const plugins = await resolvePlugins(specs, process.cwd());
  const pipeline = await setUpPlugins(plugins, { log: SILENT_LOG });
  const implied = plugins.filter((plugin) => plugin.implied).map(({ plugin }) => plugin.name);
  printLines([
    ...(implied.length === 0 ? [] : [`Loaded for the protocols of others: ${implied.join(', ')}`, '']),
    ...orderText(pipeline, outputWidth()),
  ]);
  await pipeline.close();
}
