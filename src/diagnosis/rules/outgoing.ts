/** Probes that do not leave this host, or leave it and are too large for the way. */
import type { Evidence, ProbeEvidence } from '../evidence.ts';
import { finding, on, option, type Finding } from '../finding.ts';
import { isV6 } from '../networks.ts';
import { targetDown } from './target-down.ts';

export function outgoingFindings(e: Evidence): Finding[] {
  return [...refused(e), ...followUp(e), ...tooLarge(e)];
}

function refused({ probes, targets, local }: Evidence): Finding[] {
  const found: Finding[] = [];
  for (const target of targets) {
    const { address, port, route } = target;
    const here = probes.filter((p) => p.target === address && p.targetPort === port && p.kind === 'client');
    const noRoute = here.find(({ sendError }) => sendError === 'ENETUNREACH' || sendError === 'EHOSTUNREACH');
    if ((route !== undefined && 'problem' in route) || noRoute !== undefined) {
      found.push(
        finding({
          cause: 'no-route-here',
          host: 'online',
          title: `this host has no route to ${address}`,
          reason: route !== undefined && 'problem' in route ? route.problem : `the kernel says ${noRoute!.sendError}`,
          fix: [],
          confirm: [on('online', `ip route get ${address}`)],
        }),
      );
      continue;
    }
    if (target.neighbourFailed) {
      // The kernel keeps packets for a neighbour that it does not find.
      found.push(targetDown(target));
      continue;
    }
    const denied = here.filter(({ sendError }) => sendError === 'EPERM' || sendError === 'EACCES');
    const stuck = here.filter((p) => p.sendError === undefined && p.leftBy === undefined && p.matched === undefined);
    const [first] = [...denied, ...stuck];
    if (first === undefined || denied.length + stuck.length < here.length) continue;
    found.push(outputFirewall(first, denied.length > 0, local.outputDrops));
  }
  return found;
}

function outputFirewall(probe: ProbeEvidence, told: boolean, rules: readonly string[]): Finding {
  const rule = rules[0] === undefined ? '' : `; its firewall has: ${rules[0]}`;
  return finding({
    cause: 'output-firewall',
    certainty: told ? 'certain' : 'likely',
    host: 'online',
    title: "this host's firewall drops the copies on output",
    reason: told
      ? `the kernel refuses packets from ${probe.source} to ${probe.target} (${probe.sendError})${rule}`
      : `packets from ${probe.source} to ${probe.target} were taken by the kernel and left by no device${rule}`,
    fix: [accept(probe)],
  });
}

function accept({ target, targetPort }: ProbeEvidence) {
  return on(
    'online',
    `${isV6(target) ? 'ip6tables' : 'iptables'} -I OUTPUT -d ${target} -p tcp --dport ${targetPort} -j ACCEPT`,
  );
}

/** The first packet leaves, the one after the answer does not: connection tracking has not seen the answer. */
function followUp({ probes }: Evidence): Finding[] {
  const lost = probes.find(({ matched, ack }) => matched === 'syn-ack' && (ack === 'lost' || typeof ack === 'object'));
  if (lost === undefined) return [];
  const { target, targetPort, ack } = lost;
  const tables = isV6(target) ? 'ip6tables' : 'iptables';
  return [
    finding({
      cause: 'conntrack-invalid',
      certainty: typeof ack === 'object' ? 'certain' : 'likely',
      host: 'online',
      title: "this host's connection tracking calls the copies invalid, and its firewall drops them",
      reason:
        'the first packet of a connection leaves, the next does not' +
        `${typeof ack === 'object' ? ` (${ack.error})` : ''}: the answer between them never passes here`,
      fix: [on('online', `${tables} -t raw -I OUTPUT -d ${target} -p tcp --dport ${targetPort} -j NOTRACK`)],
    }),
  ];
}

function tooLarge({ probes, plan }: Evidence): Finding[] {
  const large = probes.filter(({ kind }) => kind === 'full-size');
  const full = large.filter(({ size }) => size >= Math.max(...large.map((p) => p.size)));
  if (full.length === 0 || full.some(({ matched, sendError }) => matched !== undefined || sendError === 'EMSGSIZE')) {
    // The kernel says so itself: sessions then send smaller packets of their own accord.
    return [];
  }
  const fits = Math.max(0, ...large.filter(({ matched }) => matched !== undefined).map(({ size }) => size));
  // Not one size came through: it is not the size, but that a SYN carries data, which some firewalls drop.
  if (fits === 0) return [];
  const [{ size, target }] = full as [ProbeEvidence, ...ProbeEvidence[]];
  return [
    finding({
      cause: 'mtu',
      host: 'online',
      title: `packets of ${size} bytes do not reach the target`,
      reason: `${fits} bytes do, and nobody on the way says why (-M is ${plan.mtu})`,
      fix: [option(`-M ${fits}`)],
      confirm: [on('online', `tracepath -n ${target}`)],
    }),
  ];
}
