/**
 * Nobody has seen an answer to a probe from a client address. Which of the causes it is cannot be seen from the two hosts
 * that we stand on, so probes that differ in one thing are compared:
 *
 *     an ordinary connection from this host   the service, its firewall, the way there
 *     from an address of the assistant server the same for a source that is not ours; a way back without our route.
 *                                             Two addresses on two networks: one is answered through another device
 *                                             than the probe came by, which strict reverse-path filtering forbids
 *     from a client address                   the way of a copy
 */
import type { Evidence, InterceptEvidence, ProbeEvidence, TargetEvidence } from '../evidence.ts';
import { finding, on, option, type Finding } from '../finding.ts';
import { hostAddresses, isV6, knownAddresses, networkOf, routeCommand, routedNetwork } from '../networks.ts';
import { viaFor } from '../via.ts';
import { isAnswer } from './answers.ts';
import { otherNetwork } from '../networks.ts';
import { targetDown } from './target-down.ts';

/** ICMP destination unreachable by a firewall: RFC 1812 §5.2.7.1, RFC 4443 §3.1; 3 is what REJECT sends by default. */
const REJECTED_4 = new Set([3, 9, 10, 13]);
const REJECTED_6 = new Set([1, 4, 5, 6]);

export function silenceFindings(e: Evidence): Finding[] {
  return e.targets.flatMap((target) => {
    const here = e.probes.filter((p) => p.target === target.address && p.targetPort === target.port);
    const clients = here.filter((p) => p.kind === 'client');
    const left = clients.filter(
      (p) => p.sendError === undefined && (p.leftBy !== undefined || p.matched !== undefined),
    );
    const silent = left.filter(
      (p) => p.matched === undefined && !p.seen.some((s) => isAnswer(s) || s.kind === 'other-answer'),
    );
    const [first] = silent;
    if (first === undefined || silent.length < left.length) return [];
    return judge(
      e,
      target,
      first,
      here.filter((p) => p.kind === 'assistant' && p.sendError === undefined),
    );
  });
}

function judge(
  e: Evidence,
  target: TargetEvidence,
  probe: ProbeEvidence,
  assistant: readonly ProbeEvidence[],
): Finding[] {
  const rejected = [probe, ...assistant].flatMap(({ seen }) => seen).find(isRejection);
  if (rejected !== undefined) {
    return [
      firewall(
        target,
        'certain',
        `${rejected.reporter} answers with ICMP: ${icmpText(rejected.icmpType, rejected.icmpCode)}`,
      ),
    ];
  }
  const asked = probe.seen.find((s) => s.kind === 'arp');
  if (asked !== undefined) return [onLink(e, probe)];
  const host = e.intercepts.find((i) => hostAddresses(i).includes(target.address));
  if (host !== undefined) return onTestServer(e, target, probe, host);

  const answered = assistant.filter(({ seen }) => seen.some(isAnswer));
  const unanswered = assistant.filter((p) => !answered.includes(p));
  if (target.connect === 'timeout' && answered.length === 0) {
    if (target.neighbourFailed) return [targetDown(target)];
    return [
      firewall(
        target,
        'likely',
        'an ordinary connection from this host is not answered either, though the host is there',
      ),
    ];
  }
  if (target.connect === 'EHOSTUNREACH' && answered.length === 0) return [targetDown(target)];
  if (answered.length > 0 && unanswered.length > 0) return [rpFilter(probe, 'likely', compare(answered, unanswered))];
  if (answered.length > 0) return [noRouteBack(e, probe, compareWithClient(answered, probe))];
  if (assistant.length > 0) return [sourcesDropped(e, target, probe)];
  return [noRouteBack(e, probe, `${target.address} answers this host, but not ${probe.source}`)];
}

/** The intercept runs on the test server itself: its word on that host's settings counts, and it sees probes arrive. */
function onTestServer(e: Evidence, target: TargetEvidence, probe: ProbeEvidence, host: InterceptEvidence): Finding[] {
  const arrival = probe.seen.find((s) => s.kind === 'probe' && s.at !== 'online' && !s.outgoing);
  if (arrival === undefined) {
    if (target.connect === 'timeout') return [targetDown(target)];
    return [sourcesDropped(e, target, probe)];
  }
  const device = host.devices.find(({ name }) => name === arrival.device);
  if (device?.rpFilter === 1) {
    return [
      rpFilter(
        probe,
        'certain',
        `the probe from ${probe.source} arrives there by ${device.name} and is not answered; rp_filter is strict there`,
      ),
    ];
  }
  if (target.connect === 'timeout') {
    return [
      firewall(
        target,
        'likely',
        `the probe arrives there by ${arrival.device} and is not answered, nor is an ordinary connection`,
      ),
    ];
  }
  const network = routedNetwork(e, probe.source);
  const black = host.capturesOn.split(', ')[0] ?? '';
  return [
    finding({
      cause: 'no-route-back',
      certainty: 'likely',
      host: 'test',
      title: `the test server has no route to ${network}`,
      reason: `the probe from ${probe.source} arrives there by ${arrival.device} and is not answered; ordinary connections are`,
      fix: [on('test', `ip ${isV6(network) ? '-6 ' : ''}route replace ${network} dev ${black}`)],
      confirm: [on('test', `ip route get ${probe.source}`)],
    }),
  ];
}

function isRejection({ kind, icmpType, icmpCode, reporter }: ProbeEvidence['seen'][number]): boolean {
  if (kind !== 'icmp') return false;
  return isV6(reporter) ? icmpType === 1 && REJECTED_6.has(icmpCode) : icmpType === 3 && REJECTED_4.has(icmpCode);
}

function icmpText(type: number, code: number): string {
  return `type ${type}, code ${code}`;
}

function compare(answered: readonly ProbeEvidence[], unanswered: readonly ProbeEvidence[]): string {
  return (
    `it answers the assistant server's ${answered[0]!.source}, but not its ${unanswered[0]!.source}, ` +
    'which it reaches by another device than our packets come by'
  );
}

function compareWithClient(answered: readonly ProbeEvidence[], { source }: ProbeEvidence): string {
  return `it answers this host and, from here, ${answered[0]!.source}; nobody sees an answer to ${source}`;
}

function noRouteBack(e: Evidence, probe: ProbeEvidence, reason: string): Finding {
  const network = routedNetwork(e, probe.source);
  return finding({
    cause: 'no-route-back',
    certainty: 'likely',
    host: 'test',
    title: `the test server has no route to ${network}, or a wrong one`,
    reason,
    fix: [on('test', routeCommand('replace', network, viaFor(e, probe)))],
    confirm: [on('test', `ip route get ${probe.source}`)],
  });
}

function rpFilter(probe: ProbeEvidence, certainty: Finding['certainty'], reason: string): Finding {
  return finding({
    cause: 'rp-filter',
    certainty,
    host: 'test',
    title: "the test server's reverse-path filter drops the copies",
    reason,
    fix: [on('test', 'sysctl -w net.ipv4.conf.all.rp_filter=2')],
    confirm: [on('test', `ip route get ${probe.source}; sysctl -a --pattern 'conf.*rp_filter'`)],
  });
}

function onLink(e: Evidence, probe: ProbeEvidence): Finding {
  const network = routedNetwork(e, probe.source);
  const given = e.plan.clients.length > 0;
  const inside = e.intercepts.some((i) =>
    i.devices.some(({ addresses }) => addresses.some((a) => overlaps(a, network))),
  );
  const other = otherNetwork(network, knownAddresses(e));
  return finding({
    cause: given && inside ? 'client-on-link' : 'wrong-route-back',
    host: 'test',
    title: `the test server takes ${probe.source} for a neighbour`,
    reason: `it asks by ARP who has ${probe.source}, instead of sending its answer to the assistant server`,
    fix:
      given && inside
        ? [on('test', routeCommand('replace', other, viaFor(e, probe))), option(`-c ${other}`)]
        : [on('test', routeCommand('replace', network, viaFor(e, probe)))],
    confirm: [on('test', `ip route get ${probe.source}`)],
  });
}

/** Whether the network lies in that of an address like `192.0.2.20/24`. */
function overlaps(address: string, network: string): boolean {
  const [ip = '', prefix = ''] = address.split('/');
  const [base = ''] = network.split('/');
  const same = (a: string): string => networkOf(a, Number(prefix));
  return prefix !== '' && isV6(ip) === isV6(base) && same(ip) === same(base);
}

function sourcesDropped(e: Evidence, { address, port }: TargetEvidence, probe: ProbeEvidence): Finding {
  const own = e.local.addresses.find((a) => isV6(a) === isV6(address) && !a.startsWith('127.')) ?? 'this host';
  return finding({
    cause: 'sources-dropped',
    certainty: 'likely',
    host: 'test',
    title: "packets with other source addresses than this host's are dropped on the way, or by the test server",
    reason:
      `${address} answers ${own}, but nobody sees an answer to any other source: a cloud or switch that forbids them, ` +
      "a firewall by source address, or the test server's rp_filter",
    fix: [on('test', 'sysctl -w net.ipv4.conf.all.rp_filter=2'), option('--target socket')],
    confirm: [on('test', `timeout 10 tcpdump -ni any 'tcp port ${port} and host ${probe.source}'`)],
  });
}

function firewall({ address, port }: TargetEvidence, certainty: Finding['certainty'], reason: string): Finding {
  return finding({
    cause: 'firewall',
    certainty,
    host: 'test',
    title: `a firewall keeps us from ${address} port ${port}`,
    reason,
    fix: [on('test', `${isV6(address) ? 'ip6tables' : 'iptables'} -I INPUT -p tcp --dport ${port} -j ACCEPT`)],
    confirm: [on('test', 'iptables -S INPUT; nft list ruleset')],
  });
}
