/**
 * `--plugin NAME[=VALUE][,KEY=VALUE…]`: which plugin, and what it is told, as text. What a text means is decided when the
 * plugin is there, by its schema (`plugin-options.ts`).
 *
 * Grammar. The name ends at the first `=` or `,`. Then come parts separated by commas: first the value of the plugin's
 * shorthand, if `=` follows the name; then `KEY=VALUE`, or `KEY` alone (a switch, or one more item of the list before
 * it). A value ends at the next comma; `\,` is a comma, `\\` a backslash, any other backslash itself. A value or name
 * that begins with a quote, single or double, ends at the next one like it; within double quotes `\"` and `\\` are what
 * they look like, within single quotes nothing is special.
 */
import { TcpcopyError } from '../core/errors.ts';
import { optionError } from './option-error.ts';

/** One part behind a plugin's name. */
export interface PluginSetting {
  /** `undefined`: the value of the shorthand. */
  readonly key: string | undefined;
  /** `undefined`: the key stands alone. */
  readonly value: string | undefined;
}

/** Which plugin to load, and its options as they were given: texts, or the values of a configuration file. */
export interface PluginSpec {
  /** The name of a built-in or a package, a path, or a plugin itself. */
  readonly plugin: string | object;
  readonly options: readonly PluginSetting[] | Readonly<Record<string, unknown>>;
  /** Where it was given, for errors: `--plugin sample`, `tcpcopy.config.ts: plugins[2]`. */
  readonly where: string;
  /** What a path is relative to; the working directory when `undefined`. */
  readonly directory: string | undefined;
}

export function isPluginSpec(value: unknown): value is PluginSpec {
  if (typeof value !== 'object' || value === null) return false;
  const { plugin, options, where } = value as Partial<Record<keyof PluginSpec, unknown>>;
  const isPlugin = typeof plugin === 'string' || (typeof plugin === 'object' && plugin !== null);
  return isPlugin && typeof options === 'object' && options !== null && typeof where === 'string';
}

const FLAG = '--plugin';

/** Parses the text of one `--plugin`; `from` is told with errors, the plugin's name behind it. */
export function parsePlugin(text: string, from = FLAG, directory?: string): PluginSpec {
  const reader = new PartReader(text, from);
  const plugin = reader.read('=,').trim();
  if (plugin === '') throw optionError(from, text, 'names no plugin', "as in '--plugin sample=10%'");
  const options: PluginSetting[] = [];
  if (reader.take('=')) options.push({ key: undefined, value: reader.read(',') });
  while (reader.take(',')) {
    const key = reader.read('=,').trim();
    if (key === '') throw optionError(from, text, 'has an empty option', 'write NAME,KEY=VALUE,KEY=VALUE');
    options.push({ key, value: reader.take('=') ? reader.read(',') : undefined });
  }
  return { plugin, options, where: `${from} ${plugin}`, directory };
}

class PartReader {
  readonly #text: string;
  readonly #from: string;
  #at = 0;

  constructor(text: string, from: string) {
    this.#text = text;
    this.#from = from;
  }

  /** Takes one character if it is the next. */
  take(character: string): boolean {
    if (this.#text[this.#at] !== character) return false;
    this.#at++;
    return true;
  }

  /** A text up to one of these characters or the end. */
  read(ends: string): string {
    const quote = this.#text[this.#at];
    return quote === '"' || quote === "'" ? this.#readQuoted(quote, ends) : this.#readPlain(ends);
  }

  #readPlain(ends: string): string {
    let value = '';
    for (; this.#at < this.#text.length && !ends.includes(this.#text[this.#at]!); this.#at++) {
      const next = this.#text[this.#at + 1];
      if (this.#text[this.#at] === '\\' && (next === ',' || next === '\\')) this.#at++;
      value += this.#text[this.#at]!;
    }
    return value;
  }

  #readQuoted(quote: string, ends: string): string {
    let value = '';
    for (this.#at++; this.#text[this.#at] !== quote; this.#at++) {
      if (this.#at >= this.#text.length) throw this.#error('a quote is not closed');
      const next = this.#text[this.#at + 1];
      if (quote === '"' && this.#text[this.#at] === '\\' && (next === '"' || next === '\\')) this.#at++;
      value += this.#text[this.#at]!;
    }
    this.#at++;
    const after = this.#text[this.#at];
    if (after !== undefined && !ends.includes(after)) throw this.#error('something follows a closing quote');
    return value;
  }

  /** Without the text itself, which may hold a secret. */
  #error(message: string): TcpcopyError {
    return new TcpcopyError('E_OPTION', `${message} at character ${this.#at + 1}`, {
      where: this.#from,
      hint: 'quote a whole value, and quote once more for the shell',
    });
  }
}
