import { micros } from '../core/time.ts';
import type { PluginReport } from '../pipeline/plugin-record.ts';
import type { PluginFacts } from '../report/run-facts.ts';

/** What a run tells of a plugin. */
export function pluginFacts(report: PluginReport): PluginFacts {
  const { name, calls, drops, failures, disabled, time, waiting, heldUp, figures } = report;
  return {
    name,
    calls,
    drops,
    failures: Object.values(failures).reduce((a, b) => a + b, 0),
    disabled,
    mean: time && micros(time.mean),
    meanWait: waiting && micros(waiting.mean),
    heldUp: { times: heldUp.times, longest: micros(heldUp.longest) },
    figures,
  };
}
