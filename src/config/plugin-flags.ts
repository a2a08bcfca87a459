/** `-r`, `-g` and `-n`: TCPCopy's flags for what the plugins `sample` and `amplify` do. */
import { TcpcopyError } from '../core/errors.ts';
import { pluginName } from './config-file.ts';
import { COPIES } from './defaults.ts';
import type { PluginSpec } from './plugin-spec.ts';
import { parseInteger, parsePercent } from './quantity.ts';
import type { RawCopyOptions } from './raw-options.ts';

export type PluginFlags = Partial<Pick<RawCopyOptions, 'percent' | 'gradual' | 'copies'>>;

/** The plugins that these flags stand for. `given`: those given by name, which must be others. */
export function pluginsOfFlags(flags: PluginFlags, given: readonly PluginSpec[]): readonly PluginSpec[] {
  const { percent, gradual = false, copies } = flags;
  const share = percent === undefined ? 100 : parsePercent('-r', percent);
  const factor = copies === undefined ? COPIES.default : parseInteger('-n', copies, COPIES);
  const specs: PluginSpec[] = [];
  if (share < 100 || gradual) {
    const where = percent === undefined ? '-g' : `-r ${percent}`;
    specs.push({ plugin: 'sample', options: { share, gradual }, where, directory: undefined });
  }
  if (factor > 1) specs.push({ plugin: 'amplify', options: { factor }, where: `-n ${factor}`, directory: undefined });
  for (const { plugin, where } of specs) {
    if (given.every((other) => pluginName(other.plugin) !== plugin)) continue;
    const message = `means the plugin ${pluginName(plugin)}, which is given too`;
    throw new TcpcopyError('E_OPTION', message, { where, hint: 'leave one of them out' });
  }
  return specs;
}
