/** `--on-plugin-error`: what becomes of a message that a plugin failed on. */
import { optionError } from './option-error.ts';

export type PluginErrorPolicy =
  | { readonly kind: 'pass' | 'drop' | 'drop-connection' | 'abort' }
  | { readonly kind: 'disable-after'; readonly failures: number };

const SIMPLE = ['pass', 'drop', 'drop-connection', 'abort'] as const;
const FLAG = '--on-plugin-error';

export function parsePluginErrorPolicy(text: string): PluginErrorPolicy {
  const kind = SIMPLE.find((name) => name === text.trim());
  if (kind !== undefined) return { kind };
  const failures = /^disable-after=(\d{1,9})$/.exec(text.trim())?.[1];
  if (failures !== undefined && Number(failures) > 0) return { kind: 'disable-after', failures: Number(failures) };
  throw optionError(FLAG, text, 'must be pass, drop, drop-connection, disable-after=N or abort');
}
