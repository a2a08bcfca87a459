/** What a sighting is to one session's way, and what a report of an intercept says of its host. */
import type { ProbeReport } from '../control/probe.ts';
import { formatIp, ipEquals, type IpAddress } from '../core/ip-address.ts';
import type { Sighting } from '../core/sighting.ts';
import { TCP_ACK, TCP_RST, TCP_SYN } from '../wire/segment.ts';
import type { InterceptEvidence, Seen, SeenKind } from './evidence.ts';

export interface SessionPath {
  readonly source: IpAddress;
  readonly sourcePort: number;
  readonly target: IpAddress;
  readonly targetPort: number;
}

/** `undefined`: it is about something else, or says nothing. */
export function seenKind(s: Sighting, { source, sourcePort, target, targetPort }: SessionPath): SeenKind | undefined {
  if (s.kind === 'arp') return ipEquals(s.source, target) && ipEquals(s.destination, source) ? 'arp' : undefined;
  const out = s.sourcePort === sourcePort && ipEquals(s.source, source) && ipEquals(s.destination, target);
  const back = s.destinationPort === sourcePort && ipEquals(s.destination, source);
  if (s.kind === 'icmp') return out || back ? 'icmp' : undefined;
  // A kernel that knows nothing of a connection answers a SYN-ACK by a reset without ACK (RFC 9293 §3.5.2).
  if (out && (s.flags & TCP_RST) !== 0) return (s.flags & TCP_ACK) === 0 ? 'rst-of-client' : undefined;
  if (out) return 'probe';
  if (!back || !isAnswerTo(s.flags)) return undefined;
  if (!ipEquals(s.source, target) || s.sourcePort !== targetPort) return 'other-answer';
  return (s.flags & TCP_SYN) !== 0 ? 'syn-ack' : 'rst-of-target';
}

/** SYN-ACK, or the reset of a closed port, which acknowledges the SYN. */
export function isAnswerTo(flags: number): boolean {
  return (flags & TCP_ACK) !== 0 && (flags & (TCP_SYN | TCP_RST)) !== 0;
}

/** Adds what is new: retransmissions tell nothing more. */
export function addSeen(list: Seen[], at: Seen['at'], kind: SeenKind, s: Sighting): void {
  const { device, outgoing, taken, icmpType, icmpCode } = s;
  const seen: Seen = { at, kind, device, outgoing, taken, reporter: formatIp(s.reporter), icmpType, icmpCode };
  const text = JSON.stringify(seen);
  if (!list.some((other) => JSON.stringify(other) === text)) list.push(seen);
}

/** An intercept by its own account; without a report little is known. */
export function interceptEvidence(
  { host, port }: { readonly host: string; readonly port: number },
  report: ProbeReport | undefined,
  more: Pick<InterceptEvidence, 'problem' | 'version'> & { readonly watchProblem: string },
): InterceptEvidence {
  return {
    host,
    port,
    problem: more.problem,
    version: more.version,
    watchProblem: more.watchProblem !== '' ? more.watchProblem : (report?.problem ?? ''),
    capturesOn: report?.capturesOn ?? '',
    filter: report?.filter ?? '',
    devices: (report?.devices ?? []).map(({ name, forwards4, forwards6, rpFilter, addresses }) => ({
      name,
      forwards4,
      forwards6,
      rpFilter,
      addresses: addresses.map(({ address, prefix }) => `${formatIp(address)}/${prefix}`),
    })),
    foreign: report?.foreign ?? 0,
  };
}
