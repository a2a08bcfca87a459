/** What a diagnosis says: causes with reasons, and commands that mend them. */
import type { HostRole } from './evidence.ts';

/** Every cause that is told apart. The texts for people are in the rules that find them. */
export const CAUSES = [
  'permission',
  'device-missing',
  'device-down',
  'nothing-to-copy',
  'filter-excludes',
  'wrong-device',
  'snap-length',
  'no-route-here',
  'output-firewall',
  'conntrack-invalid',
  'mtu',
  'own-kernel-resets',
  'intercept-down',
  'intercept-firewall',
  'control-version',
  'control-key',
  'control-tls',
  'control-other',
  'no-lease',
  'intercept-filter',
  'intercept-device',
  'ip-forward',
  'target-down',
  'not-listening',
  'firewall',
  'rp-filter',
  'no-route-back',
  'wrong-route-back',
  'client-on-link',
  'answers-to-client',
  'sources-dropped',
  'other-address',
  'two-copiers',
  'unknown',
] as const;

export type Cause = (typeof CAUSES)[number];

/** A command for one host; or, for the online server, a change of tcpcopy's own command line. */
export interface Step {
  readonly host: HostRole;
  readonly command: string;
  /** The command is a piece of tcpcopy's command line: `-M 1400`. */
  readonly isOption?: true;
}

export interface Finding {
  readonly cause: Cause;
  /** Seen, or the most likely of what would explain what was seen. */
  readonly certainty: 'certain' | 'likely';
  /** Where it is to be mended. */
  readonly host: HostRole;
  /** What is wrong, in one clause. */
  readonly title: string;
  /** From what that follows. */
  readonly reason: string;
  readonly fix: readonly Step[];
  /** What shows whether it is so. */
  readonly confirm: readonly Step[];
}

export type Draft = Omit<Finding, 'certainty' | 'confirm'> & Partial<Pick<Finding, 'certainty' | 'confirm'>>;

export function finding(draft: Draft): Finding {
  return { certainty: 'certain', confirm: [], ...draft };
}

export const on = (host: HostRole, command: string): Step => ({ host, command });
export const option = (text: string): Step => ({ host: 'online', command: text, isOption: true });
