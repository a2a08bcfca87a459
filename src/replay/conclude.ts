/** The end of a run, whether one process or several have done it: the summary, what is judged of it, the exit code. */
import type { RunOptions } from './copy-input.ts';
import type { RunEnvironment } from '../core/run-environment.ts';
import type { Ledger } from '../report/ledger.ts';
import type { RunFacts } from '../report/run-facts.ts';
import { summaryLines } from '../report/summary.ts';
import { summaryObject, writeJsonFile } from '../report/summary-json.ts';
import { judge } from '../report/verdict.ts';

const EXIT_OK = 0;
const EXIT_FAILED = 1;

/** Prints and writes the summary. Throws what the run failed with, or what is wrong with its result. */
export function conclude(
  { minFidelity, summaryJson }: Pick<RunOptions, 'minFidelity' | 'summaryJson'>,
  environment: RunEnvironment,
  {
    ledger,
    facts,
    failure,
  }: { readonly ledger: Ledger; readonly facts: RunFacts; readonly failure: Error | undefined },
): number {
  const verdict = judge(ledger, minFidelity, facts.endedBy === 'input-ended');
  const code = failure !== undefined || verdict !== undefined ? EXIT_FAILED : EXIT_OK;
  printSummary(environment, ledger, facts);
  if (summaryJson !== undefined) writeJsonFile(summaryJson, summaryObject(ledger, facts, code));
  if (failure !== undefined) throw failure;
  if (verdict !== undefined) throw verdict;
  return code;
}

export function printSummary({ stdout, columns, colors }: RunEnvironment, ledger: Ledger, facts: RunFacts): void {
  const lines = summaryLines(ledger, facts, {
    ...(columns === undefined ? {} : { columns }),
    ...(colors === undefined ? {} : { colors }),
  });
  for (const line of lines) stdout(line);
}
