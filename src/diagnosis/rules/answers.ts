/** The target answers, and the answer is seen: but not where it belongs, or somebody spoils it. */
import type { Evidence, InterceptEvidence, ProbeEvidence, Seen } from '../evidence.ts';
import { finding, on, option, type Finding } from '../finding.ts';
import { hostAddresses, isV6, knownAddresses, otherNetwork, routeCommand, routedNetwork } from '../networks.ts';
import { viaFor } from '../via.ts';

const ANSWERS: ReadonlySet<string> = new Set(['syn-ack', 'rst-of-target']);

export function isAnswer({ kind }: Seen): boolean {
  return ANSWERS.has(kind);
}

export function answerFindings(e: Evidence): Finding[] {
  const clients = e.probes.filter(({ kind }) => kind === 'client');
  return [
    ...notListening(e, clients),
    ...wayHome(e, clients),
    ...notTaken(e, clients),
    ...forwarded(e, clients),
    ...otherAddress(clients),
    ...others(e),
  ];
}

/** A refusal by the target itself, to us or to a probe. */
function notListening({ targets, probes }: Evidence, clients: readonly ProbeEvidence[]): Finding[] {
  return targets.flatMap(({ address, port, connect }) => {
    const refusedProbe = [...clients, ...probes].find(
      (p) =>
        p.target === address &&
        p.targetPort === port &&
        (p.matched === 'rst' || p.seen.some((s) => s.kind === 'rst-of-target')),
    );
    const answered = probes.some(
      (p) =>
        p.target === address &&
        p.targetPort === port &&
        (p.matched === 'syn-ack' || p.seen.some((s) => s.kind === 'syn-ack')),
    );
    if (answered || (connect !== 'refused' && refusedProbe === undefined)) return [];
    return [
      finding({
        cause: 'not-listening',
        host: 'test',
        title: `nothing listens on ${address} port ${port}`,
        reason:
          connect === 'refused'
            ? 'the test server itself refuses an ordinary connection from here'
            : `the test server itself resets connections from ${refusedProbe!.source}`,
        fix: [on('test', `ss -ltn 'sport = :${port}'   # start the service, on all addresses`)],
      }),
    ];
  });
}

/** Answers that come to this host instead of the intercept. */
function wayHome(e: Evidence, clients: readonly ProbeEvidence[]): Finding[] {
  const { local, plan } = e;
  const home = clients.filter(
    (p) => p.matched === undefined && p.seen.some((s) => s.at === 'online' && isAnswer(s) && !s.outgoing),
  );
  const own = clients.find(
    (p) =>
      local.addresses.includes(p.source) &&
      p.seen.some((s) => s.at === 'online' && s.kind === 'rst-of-client' && s.outgoing),
  );
  const found: Finding[] = [];
  if (own !== undefined) {
    found.push(
      finding({
        cause: 'own-kernel-resets',
        host: 'online',
        title: "this host's kernel resets the copied connections",
        reason: `the copies have its own address ${own.source}, so it gets the answers and knows nothing of them`,
        fix: [
          on(
            'online',
            `${isV6(own.target) ? 'ip6tables' : 'iptables'} -I INPUT -s ${own.target} -p tcp --sport ${own.targetPort} -j DROP`,
          ),
        ],
      }),
    );
  }
  const elsewhere = home.find(({ source, target }) => {
    const onTarget = e.intercepts.some((intercept) => hostAddresses(intercept).includes(target));
    return local.addresses.includes(source) && !onTarget;
  });
  if (elsewhere !== undefined) {
    found.push(
      finding({
        cause: 'wrong-route-back',
        host: 'test',
        title: `the answers to this host's own address ${elsewhere.source} never pass the intercept`,
        reason: `they come straight here; with -c ${elsewhere.source} the intercept must run on the test server`,
        fix: [on('test', 'intercept -i any -d'), option(`-s ${elsewhere.target}`)],
      }),
    );
  }
  const astray = home.find(({ source }) => !local.addresses.includes(source));
  if (astray === undefined) return found;
  const via = viaFor(e, astray);
  const network = routedNetwork(e, astray.source);
  const passedOn = astray.seen.some((s) => s.at === 'online' && isAnswer(s) && s.outgoing);
  const toClient = plan.clients.length === 0;
  found.push(
    finding({
      cause: toClient ? 'answers-to-client' : 'wrong-route-back',
      host: 'test',
      title: toClient
        ? "the test server's answers go to the real clients"
        : `the test server's route to ${network} leads to this host`,
      reason:
        `its answer to ${astray.source} came by ${astray.seen.find((s) => s.at === 'online')!.device} to this host` +
        `${passedOn ? ', which passed it on' : ''}, not to the intercept`,
      fix: [on('test', routeCommand('replace', network, via))],
      confirm: [on('test', `ip route get ${astray.source}`)],
    }),
  );
  return found;
}

/** Answers that reach the intercept's host, and that its capture does not take. */
function notTaken({ intercepts }: Evidence, clients: readonly ProbeEvidence[]): Finding[] {
  return intercepts.flatMap((intercept, index) => {
    const there = clients.flatMap((p) =>
      p.matched === undefined ? p.seen.filter((s) => s.at === index && isAnswer(s)) : [],
    );
    const [first] = there;
    if (first === undefined || there.some(({ taken }) => taken)) return [];
    const { capturesOn, filter } = intercept;
    const devices = capturesOn.split(', ');
    const listens = devices.includes('any') || devices.includes(first.device);
    const port = intercept.port === 36524 ? '' : ` -p ${intercept.port}`;
    return [
      listens
        ? finding({
            cause: 'intercept-filter',
            host: 'assistant',
            title: `the intercept's filter -F '${filter}' keeps the answers out`,
            reason: `they arrive on ${first.device}, and do not match it`,
            fix: [on('assistant', `intercept -i ${capturesOn.replaceAll(' ', '')}${port}`)],
          })
        : finding({
            cause: 'intercept-device',
            host: 'assistant',
            title: `the intercept captures on ${capturesOn}, the answers arrive on ${first.device}`,
            reason: 'its capture does not see them there',
            fix: [on('assistant', `intercept -i ${first.device}${port}`)],
          }),
    ];
  });
}

/** The intercept's host passes the answers on, or tells the target that it cannot. */
function forwarded(e: Evidence, clients: readonly ProbeEvidence[]): Finding[] {
  return arrivalsToForward(e, clients).flatMap(({ probe: { source, target }, device, onward, complaint }) => {
    if (onward === undefined && !complaint) return [];
    return [
      finding({
        cause: 'ip-forward',
        host: 'assistant',
        title: 'the assistant server forwards packets: answers do not end there',
        reason:
          onward !== undefined
            ? `the answer to ${source} came by ${device} and left again by ${onward}`
            : `it tried to pass on the answer to ${source}, and told the test server that it cannot (ICMP)`,
        fix: [on('assistant', `sysctl -w ${isV6(target) ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward'}=0`)],
      }),
    ];
  });
}

export interface ArrivalToForward {
  readonly host: string;
  readonly probe: ProbeEvidence;
  /** It came by this one, which forwards. */
  readonly device: string;
  /** It was seen to leave by this one. */
  readonly onward: string | undefined;
  /** The host was seen to tell the target that it cannot pass it on. */
  readonly complaint: boolean;
}

/**
 * Of each intercept's host an answer that arrived where it forwards packets, if there is one: the one first of which it
 * is known what became of it. That is not always seen: a firewall may end it there, and Linux complains to a host once a second at most.
 */
export function arrivalsToForward({ intercepts }: Evidence, clients: readonly ProbeEvidence[]): ArrivalToForward[] {
  return intercepts.flatMap((intercept, index) => {
    const all = clients.flatMap((probe): ArrivalToForward[] => {
      const here = probe.seen.filter((s) => s.at === index);
      const arrival = here.find((s) => isAnswer(s) && !s.outgoing);
      if (arrival === undefined || !forwards(intercept, arrival.device, isV6(probe.target))) return [];
      const onward = here.find((s) => isAnswer(s) && s.outgoing)?.device;
      const complaint = here.some((s) => s.kind === 'icmp' && s.outgoing);
      return [{ host: intercept.host, probe, device: arrival.device, onward, complaint }];
    });
    const known = all.filter(({ onward, complaint }) => onward !== undefined || complaint);
    return [...known, ...all].slice(0, 1);
  });
}

function forwards({ devices }: InterceptEvidence, device: string, v6: boolean): boolean {
  const named = devices.filter(({ name }) => device === 'any' || name === device);
  return named.some(({ forwards4, forwards6 }) => (v6 ? forwards6 : forwards4));
}

/** The target is a front for another machine, or has several addresses. */
function otherAddress(clients: readonly ProbeEvidence[]): Finding[] {
  const odd = clients.find((p) => p.matched === undefined && p.seen.some(({ kind }) => kind === 'other-answer'));
  if (odd === undefined) return [];
  const { reporter } = odd.seen.find(({ kind }) => kind === 'other-answer')!;
  return [
    finding({
      cause: 'other-address',
      host: 'online',
      title: `${reporter} answers what was sent to ${odd.target} port ${odd.targetPort}`,
      reason: 'addresses or ports are translated on the way there, but not on the way of the answers',
      fix: [option(`-x …-${isV6(reporter) ? `[${reporter}]` : reporter}:PORT`)],
      confirm: [on('assistant', `timeout 10 tcpdump -ni any 'tcp and host ${odd.source}'`)],
    }),
  ];
}

/** Somebody else uses our source addresses towards the same target. */
function others({ intercepts, plan, local }: Evidence): Finding[] {
  const busy = intercepts.find(({ foreign }) => foreign > 0);
  const [client] = plan.clients;
  const [first] = intercepts;
  if (busy === undefined || client === undefined || first === undefined) return [];
  // Connections of this host's kernel to the target have that address, too.
  if (local.addresses.includes(client.first)) return [];
  const other = otherNetwork(client.network, knownAddresses({ local, intercepts, plan }));
  return [
    finding({
      cause: 'two-copiers',
      host: 'online',
      title: `another copier uses the addresses ${client.network}`,
      reason: `the intercept saw ${busy.foreign} answers to them, on ports that no tcpcopy has from it`,
      fix: [
        on('test', routeCommand('replace', other, viaFor({ plan, intercepts, probes: [], targets: [] }, undefined))),
        option(`-c ${other}`),
      ],
    }),
  ];
}
