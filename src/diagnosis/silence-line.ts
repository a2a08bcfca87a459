/** One line for the log of a running copy that hears nothing. */
import type { Evidence } from './evidence.ts';
import { answerFindings } from './rules/answers.ts';
import { outgoingFindings } from './rules/outgoing.ts';
import { routedNetwork } from './networks.ts';

const HOSTS = { online: 'this host', test: 'the test server', assistant: 'the assistant server' } as const;

/**
 * `evidence`: of sessions, as they were seen for a moment; its targets are asked nothing. `seconds`, `opened`: for how long
 * no session has been answered, and how many were opened meanwhile.
 */
export function silenceLine(evidence: Evidence, seconds: number, opened: number): string {
  const sessions = `${opened} connection${opened === 1 ? '' : 's'}`;
  const [found] = [...outgoingFindings(evidence), ...answerFindings(evidence)];
  const begin = `no answer in ${seconds} s to ${sessions}`;
  const ask = 'tcpcopy doctor with the same options says more';
  if (found === undefined) return `${begin}; ${silent(evidence)}; ${ask}`;
  const likely = found.certainty === 'likely' ? 'likely ' : '';
  const [fix] = found.fix;
  const mend =
    fix === undefined
      ? ''
      : `; on ${HOSTS[fix.host]}: ${fix.isOption === true ? `tcpcopy … ${fix.command}` : fix.command}`;
  return `${begin}: ${likely}${found.title}${mend}; ${ask}`;
}

function silent(evidence: Evidence): string {
  const { intercepts, probes } = evidence;
  const blind = intercepts.find(({ watchProblem }) => watchProblem !== '');
  if (blind !== undefined) return `the intercept cannot say what it sees: ${blind.watchProblem}`;
  const [first] = probes;
  const network = first === undefined ? 'their network' : routedNetwork(evidence, first.source);
  return `the intercept's host sees none either: likely the test server has no route to ${network}, or drops them`;
}
