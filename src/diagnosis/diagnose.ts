/** From evidence to findings. Pure: the same evidence gives the same findings. */
import type { Evidence } from './evidence.ts';
import type { Cause, Finding } from './finding.ts';
import { answerFindings } from './rules/answers.ts';
import { controlFindings } from './rules/control.ts';
import { localFindings } from './rules/local.ts';
import { outgoingFindings } from './rules/outgoing.ts';
import { silenceFindings } from './rules/silence.ts';
import { socketFindings } from './rules/socket.ts';

/** Causes beyond which what probes show means nothing. */
const HIDES_PROBES: ReadonlySet<Cause> = new Set(['permission', 'no-route-here']);

/** What is wrong, along the way of a packet; empty when nothing is. `version`: of this program. */
export function diagnose(evidence: Evidence, version: string): Finding[] {
  const found = [...localFindings(evidence), ...controlFindings(evidence, version)];
  if (evidence.plan.targetKind === 'socket') found.push(...socketFindings(evidence));
  else if (!found.some(({ cause }) => HIDES_PROBES.has(cause))) {
    found.push(...outgoingFindings(evidence), ...answerFindings(evidence), ...silenceFindings(evidence));
    if (found.length === 0) found.push(...unexplained(evidence));
  }
  return withoutRepeats(found);
}

/** Probes that were not answered as they should, and no rule knows why: to be told all the same. */
function unexplained({ probes }: Evidence): Finding[] {
  const lost = probes.filter(({ kind, matched }) => kind === 'client' && matched === undefined);
  const [first] = lost;
  if (first === undefined) return [];
  return [
    {
      cause: 'unknown',
      certainty: 'certain',
      host: 'test',
      title: `${lost.length} of the probes came to nothing`,
      reason: `the first went from ${first.source} to ${first.target}; what was seen of it fits no cause known here`,
      fix: [],
      confirm: [{ host: 'test', command: `timeout 10 tcpdump -ni any 'tcp and host ${first.source}'` }],
    },
  ];
}

/** Several targets and addresses may suffer from the same. */
function withoutRepeats(findings: readonly Finding[]): Finding[] {
  const seen = new Set<string>();
  return findings.filter(({ cause, title }) => {
    const key = `${cause} ${title}`;
    if (seen.has(key)) return false;
    seen.add(key);
    return true;
  });
}
