import type { TargetEvidence } from '../evidence.ts';
import { finding, on, type Finding } from '../finding.ts';

/** Nobody has the target's address. */
export function targetDown({ address }: TargetEvidence): Finding {
  return finding({
    cause: 'target-down',
    host: 'test',
    title: `no host answers at ${address}`,
    reason: 'neither connections nor the question who has that address are answered',
    fix: [],
    confirm: [on('online', `ip neigh show ${address}`)],
  });
}
