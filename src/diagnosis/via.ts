/** The next hop that the test server's route to the copied clients' network should have. */
import type { Evidence, ProbeEvidence } from './evidence.ts';
import { hostAddresses, isV6, networkOf } from './networks.ts';

/**
 * An address of the intercept's host that the target has answered; else one in the target's own network; else what `-s`
 * says.
 */
export function viaFor(
  { intercepts, probes, plan }: Pick<Evidence, 'intercepts' | 'probes' | 'plan' | 'targets'>,
  probe: ProbeEvidence | undefined,
): string {
  const target = probe?.target ?? plan.targets[0]?.address ?? '';
  const family = (address: string): boolean => isV6(address) === isV6(target);
  const answering = probes.filter(
    (p) =>
      p.kind === 'assistant' &&
      p.target === target &&
      p.seen.some((s) => s.kind === 'syn-ack' || s.kind === 'rst-of-target'),
  );
  const named = intercepts[0]?.host ?? plan.intercepts[0]?.host ?? '';
  if (answering.some(({ source }) => source === named)) return named;
  if (answering[0] !== undefined) return answering[0].source;
  const own = hostAddresses(intercepts[0]).filter(family);
  const prefix = isV6(target) ? 64 : 24;
  const near = own.find((address) => networkOf(address, prefix) === networkOf(target, prefix));
  return near ?? (own.includes(named) || own.length === 0 ? named : own[0]!);
}
