/** What is told of a run while it goes on, whether one process or several do it. */
import type { Status } from '../core/metric.ts';
import { copyMetrics } from '../report/copy-metrics.ts';
import type { Ledger } from '../report/ledger.ts';
import type { RunFacts } from '../report/run-facts.ts';
import { summaryObject } from '../report/summary-json.ts';

/** `look`: the figures now. */
export function statusOf(look: () => { readonly ledger: Ledger; readonly facts: RunFacts }): Status {
  return {
    figures: () => {
      const { ledger, facts } = look();
      return summaryObject(ledger, facts, null);
    },
    metrics: () => {
      const { ledger, facts } = look();
      return copyMetrics(ledger, facts);
    },
    trouble: () => {
      const { intercepts, endedBy } = look().facts;
      if (endedBy === 'failed') return 'it has failed and is about to end';
      const away = intercepts.length > 0 && intercepts.every(({ connected }) => !connected);
      return away ? 'no intercept is connected' : undefined;
    },
  };
}
