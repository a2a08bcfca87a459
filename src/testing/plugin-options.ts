import { readPluginOptions } from '../config/plugin-options.ts';
import { parsePlugin } from '../config/plugin-spec.ts';
import { TcpcopyError } from '../core/errors.ts';
import type { DefinedPlugin } from '../plugin/define-plugin.ts';
import type { z } from 'zod';

/** What a plugin's `apply` is given for a text as behind `--plugin`. Throws the error that would end the program. */
export function optionsOf<Schema extends z.ZodType<object>>(
  plugin: DefinedPlugin<Schema>,
  text: string,
): z.output<Schema> {
  const { options, where } = parsePlugin(text);
  return readPluginOptions(plugin, { options, where }) as z.output<Schema>;
}

/** The line that ends the program when a plugin is given this; throws when it would be accepted. */
export function refusalOf(plugin: DefinedPlugin, text: string): string {
  try {
    optionsOf(plugin, text);
  } catch (error) {
    if (error instanceof TcpcopyError) return error.oneLine();
    throw error;
  }
  throw new Error(`'--plugin ${text}' is accepted`);
}
