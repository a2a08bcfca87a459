/** `tcpcopy config print`: what is set, and where it comes from. Secrets are not shown. */
import { mergeOptions, pluginName } from '../config/config-file.ts';
import { isSecret, optionsSchema, schemaNode, shown, type SchemaNode } from '../config/plugin-schema.ts';
import { parsePlugin, type PluginSetting, type PluginSpec } from '../config/plugin-spec.ts';
import { findPlugin } from '../replay/plugin-catalog.ts';
import { loadConfig } from './config-file.ts';
import { copyCommand } from './copy-command.ts';
import { columns } from './plugin-columns.ts';
import { outputWidth, printLines } from './plugins-command.ts';
import { strayWord } from './usage-error.ts';

const HIDDEN = '***';
const COMMAND_LINE = 'command line';

interface Row {
  readonly key: string;
  readonly value: string;
  readonly from: string;
}

/** `options`: those before `config print`; `args`: the words behind it. */
export async function printConfig(
  options: Readonly<Record<string, unknown>>,
  args: readonly string[],
  asJson: boolean,
): Promise<void> {
  // Words that commander does not know as options of this command end the options it looks for.
  const json = asJson || args.includes('--json');
  const rows = await configRows({ ...options, ...readLine(args.filter((word) => word !== '--json')) });
  if (json) {
    printLines([JSON.stringify(Object.fromEntries(rows.map(({ key, ...row }) => [key, row])), null, 2)]);
  } else if (rows.length === 0) {
    printLines(['Nothing is set: all options have their defaults (tcpcopy --help).']);
  } else {
    const table = rows.map(({ key, from, value }) => [key, from, value]);
    printLines(columns([['OPTION', 'FROM', 'VALUE'], ...table], outputWidth(), ''));
  }
}

/** Every option that is set, in the order of the help, and the plugins in the order they run. */
async function configRows(line: Readonly<Record<string, unknown>>): Promise<readonly Row[]> {
  const { file, values } = await loadConfig(line['config'] as string | undefined, process.cwd());
  const merged = mergeOptions(line, values);
  const rows: Row[] = [];
  for (const key of copyCommand().options.map((option) => option.attributeName())) {
    const value = merged[key];
    if (value === undefined || key === 'plugin' || key === 'config') continue;
    rows.push({ key, value: shownValue(value), from: line[key] === undefined && key in values ? file! : COMMAND_LINE });
  }
  const specs = ((merged['plugin'] as readonly (string | PluginSpec)[] | undefined) ?? []).map((spec) =>
    typeof spec === 'string' ? parsePlugin(spec) : spec,
  );
  for (const [i, spec] of specs.entries()) {
    const from = values.plugin?.includes(spec) === true ? file! : COMMAND_LINE;
    rows.push({ key: `plugins[${i}]`, value: await specText(spec), from });
  }
  return rows;
}

/** What commander makes of the words behind `config print`. */
function readLine(args: readonly string[]): Readonly<Record<string, unknown>> {
  const command = copyCommand();
  command.action(() => undefined).allowExcessArguments();
  command.parse([...args], { from: 'user' });
  if (command.args[0] !== undefined) throw strayWord(command.args[0], 'tcpcopy config print');
  return command.opts();
}

function shownValue(value: unknown): string {
  return Array.isArray(value) ? value.map(String).join(', ') : String(value);
}

/** A plugin with its options, but for what its schema calls secret or whose name sounds like it. */
async function specText(spec: PluginSpec): Promise<string> {
  const schema = await schemaOf(spec);
  const text = (key: string, value: unknown): string => {
    // Of a plugin that cannot be loaded nothing is known.
    const secret = schema === undefined || isSecret(key, schema.node.properties?.[key.split('.')[0]!]);
    return secret || isSecret(key, undefined) ? HIDDEN : shown(value);
  };
  const parts = Array.isArray(spec.options)
    ? (spec.options as readonly PluginSetting[]).map(({ key, value }) => {
        if (key === undefined) return text(schema?.shorthand ?? '', value);
        // A key alone may be the rest of a list whose name is secret.
        return value === undefined
          ? schema?.node.properties?.[key] === undefined
            ? HIDDEN
            : key
          : `${key}=${text(key, value)}`;
      })
    : Object.entries(spec.options).map(([key, value]) => `${key}=${text(key, value)}`);
  return [pluginName(spec.plugin), ...parts].join(' ');
}

async function schemaOf(
  spec: PluginSpec,
): Promise<{ readonly node: SchemaNode; readonly shorthand: string | undefined } | undefined> {
  try {
    const { plugin } = await findPlugin(spec, process.cwd());
    return { node: schemaNode(optionsSchema(plugin.options, spec.where), spec.where), shorthand: plugin.shorthand };
  } catch {
    return undefined;
  }
}
