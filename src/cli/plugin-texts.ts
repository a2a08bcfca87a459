/** What is told of plugins, as lines of text. */
import { describeOptions, optionsSchema, schemaNode } from '../config/plugin-schema.ts';
import type { FoundPlugin } from '../replay/plugin-catalog.ts';
import type { setUpPlugins } from '../replay/plugin-loader.ts';
import { columns } from './plugin-columns.ts';

type Pipeline = Awaited<ReturnType<typeof setUpPlugins>>;

/** One line a plugin. */
export function listText(plugins: readonly FoundPlugin[], width: number): readonly string[] {
  if (plugins.length === 0) return ['There are no plugins.'];
  const rows = plugins.map(({ plugin, origin }) => [
    plugin.name,
    plugin.phase ?? '',
    origin === 'built-in' ? plugin.description : `${plugin.description} (${origin})`,
  ]);
  return columns([['NAME', 'PHASE', 'WHAT IT DOES'], ...rows], width, '');
}

/** Everything about one plugin that it declares. */
export function pluginText({ plugin, origin }: FoundPlugin, width: number): readonly string[] {
  const { name, description, shorthand, failClosed, examples = [] } = plugin;
  const protocols = typeof plugin.protocol === 'function' ? [] : [plugin.protocol ?? []].flat();
  const facts = [
    origin,
    ...(plugin.phase === undefined ? [] : [`phase ${plugin.phase}`]),
    ...(protocols.length === 0 ? [] : [`on ${protocols.join(', ')}`]),
    ...(failClosed === true ? ['what it fails on is dropped'] : []),
  ];
  const options = describeOptions(schemaNode(optionsSchema(plugin.options, `plugin ${name}`), `plugin ${name}`));
  const rows = options.map((option) => {
    const notes = [
      option.required ? 'required' : (option.default ?? ''),
      option.key === shorthand ? `also as ${name}=VALUE` : '',
    ].filter((note) => note !== '');
    return [
      option.key,
      option.type,
      `${option.description}${notes.length === 0 ? '' : ` (${notes.join('; ')})`}`.trim(),
    ];
  });
  return [
    `${name}: ${description}`,
    `  ${facts.join('; ')}`,
    ...(rows.length === 0 ? ['', 'It has no options.'] : ['', 'Options:', ...columns(rows, width)]),
    ...(examples.length === 0
      ? []
      : ['', 'Examples:', ...examples.map((example) => `  --plugin ${shellQuoted(example)}`)]),
  ];
}

/** Hook by hook, the taps in the order they run; those of one plugin only when `only` names it. */
export function orderText(pipeline: Pipeline, width: number, only?: string): readonly string[] {
  const lines: string[] = [];
  for (const [hook, taps] of pipeline.order()) {
    const shown = taps.filter(({ plugin }) => only === undefined || plugin.name === only);
    if (shown.length === 0) continue;
    const rows = shown.map((tap) => [
      tap.phase,
      tap.name === tap.plugin.name ? tap.name : `${tap.name} (${tap.plugin.name})`,
      tap.hook === hook || only !== undefined ? (tap.mode === 'promise' ? 'asynchronous' : '') : `on ${tap.hook}`,
    ]);
    lines.push(hook, ...columns(rows, width));
  }
  return lines.length === 0 ? ['No hook is tapped.'] : lines;
}

/** Hooks that a plugin provides with its protocol. */
export function protocolText(pipeline: Pipeline, plugin: string, width: number): readonly string[] {
  return [...pipeline.protocols.values()]
    .filter((protocol) => protocol.plugin.name === plugin)
    .flatMap(({ name, definition }) => [
      '',
      `Hooks of ${name}:`,
      ...Object.entries(definition.hooks).flatMap(([hook, row]) => [
        `  ${name}.${hook}: ${row.payload}`,
        ...columns([[row.moment], [`Returning nothing: ${row.nothing}`]], width, '      '),
      ]),
    ]);
}

function shellQuoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
