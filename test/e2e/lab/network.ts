/** The bash that builds and removes a lab's namespaces, wires, addresses and routes. */
import { readdirSync, existsSync, readFileSync } from 'node:fs';
import { CLIENT_NET, COPY_NET, HOSTS, planOf, type HostName, type Wire } from './plan.ts';
import { bash } from './shell.ts';

const WIRES: readonly Wire[] = ['front', 'back'];

export interface NetworkOptions {
  readonly prefix: string;
  readonly hosts: readonly HostName[];
  /** GRO, TSO and GSO as the kernel has them, or one packet per segment. */
  readonly offloads: boolean;
  /** A host whose wire (back, where it is on both) goes through an extra namespace, in which a relay can run. */
  readonly relayBefore: HostName | undefined;
}

export const namespaceOf = (prefix: string, host: string) => `${prefix}-${host}`;

/** Turns segmentation offloads and transmit checksum offload off on a device. */
function withoutOffloads(namespace: string, device: string): string {
  return [
    `ip netns exec ${namespace} ethtool -K ${device} tx off tso off gso off gro off >/dev/null`,
    `ip -n ${namespace} link set ${device} gso_max_segs 1`,
  ].join('\n');
}

const relayedWire = (host: HostName): Wire => (planOf(host).back === undefined ? 'front' : 'back');

function plug(o: NetworkOptions, host: HostName, wire: Wire): string {
  const address = planOf(host)[wire]!;
  const ns = namespaceOf(o.prefix, host);
  const hub = namespaceOf(o.prefix, 'switch');
  const port = `${wire[0]!}-${host}`;
  const lines: string[] = [];
  if (o.relayBefore === host && wire === relayedWire(host)) {
    const relay = namespaceOf(o.prefix, 'relay');
    lines.push(
      `ip netns add ${relay}`,
      `ip link add ${wire} netns ${ns} type veth peer name inner netns ${relay}`,
      `ip link add outer netns ${relay} type veth peer name ${port} netns ${hub}`,
      ...['inner', 'outer'].flatMap((device) => [
        `ip -n ${relay} link set ${device} up`,
        `ip netns exec ${relay} sysctl -qw net.ipv6.conf.${device}.disable_ipv6=1`,
        withoutOffloads(relay, device),
      ]),
    );
  } else {
    lines.push(`ip link add ${wire} netns ${ns} type veth peer name ${port} netns ${hub}`);
  }
  lines.push(
    `ip -n ${hub} link set ${port} master ${wire} up`,
    `ip -n ${ns} addr add ${address.v4}/24 dev ${wire}`,
    `ip -n ${ns} addr add ${address.v6}/64 dev ${wire} nodad`,
    `ip -n ${ns} link set ${wire} up`,
  );
  if (wire === 'front') {
    for (const alias of planOf(host).aliases ?? []) lines.push(`ip -n ${ns} addr add ${alias}/24 dev front`);
  }
  if (!o.offloads) lines.push(withoutOffloads(ns, wire), withoutOffloads(hub, port));
  return lines.join('\n');
}

/** Responses to client networks leave a test server towards its assistant. */
function responseRoutes(o: NetworkOptions): string {
  const pairs: readonly (readonly [HostName, HostName])[] = [
    ['test', 'assistant'],
    ['test2', 'assistant2'],
  ];
  return pairs
    .filter(([test]) => o.hosts.includes(test))
    .map(([test, assistant]) => {
      const via = planOf(o.hosts.includes(assistant) ? assistant : 'assistant').back!;
      return [CLIENT_NET, COPY_NET]
        .flatMap((net) => [
          `ip -n ${namespaceOf(o.prefix, test)} route add ${net.v4} via ${via.v4}`,
          `ip -n ${namespaceOf(o.prefix, test)} route add ${net.v6} via ${via.v6}`,
        ])
        .join('\n');
    })
    .join('\n');
}

export function buildNetwork(o: NetworkOptions): void {
  const hub = namespaceOf(o.prefix, 'switch');
  const script = [`ip netns add ${hub}`];
  for (const wire of WIRES) {
    script.push(
      `ip -n ${hub} link add ${wire} type bridge forward_delay 0`,
      `ip netns exec ${hub} sysctl -qw net.ipv6.conf.${wire}.disable_ipv6=1`,
      `ip -n ${hub} link set ${wire} up`,
    );
  }
  for (const host of o.hosts) {
    const ns = namespaceOf(o.prefix, host);
    script.push(
      `ip netns add ${ns}`,
      `ip -n ${ns} link set lo up`,
      // The lab's hosts are end systems: what is not for them dies there. Responses come back by another wire than
      // requests came by, so reverse path filtering is loose.
      `ip netns exec ${ns} sysctl -qw net.ipv4.ip_forward=0 net.ipv6.conf.all.forwarding=0 \
        net.ipv4.conf.all.rp_filter=0 net.ipv4.conf.default.rp_filter=2 net.ipv6.conf.default.accept_ra=0 \
        net.ipv4.ip_local_port_range='10240 65000' net.core.somaxconn=8192 net.ipv4.tcp_max_syn_backlog=8192`,
    );
    for (const wire of WIRES) if (planOf(host)[wire] !== undefined) script.push(plug(o, host, wire));
  }
  script.push(responseRoutes(o), warmNeighbours(o));
  bash(script.join('\n'));
}

/** Enters every neighbour on a wire by hand: the first packets of a test must not wait for ARP. */
function warmNeighbours(o: NetworkOptions): string {
  const lines: string[] = [];
  for (const wire of WIRES) {
    const hosts = o.hosts.filter((host) => planOf(host)[wire] !== undefined);
    for (const host of hosts) {
      const mac = `mac_${wire}_${host}`;
      lines.push(`${mac}=$(ip netns exec ${namespaceOf(o.prefix, host)} cat /sys/class/net/${wire}/address)`);
    }
    for (const host of hosts) {
      for (const other of hosts.filter((h) => h !== host)) {
        const { v4, v6 } = planOf(other)[wire]!;
        for (const ip of [v4, v6, ...((wire === 'front' && planOf(other).aliases) || [])])
          lines.push(
            `ip -n ${namespaceOf(o.prefix, host)} neigh replace ${ip} lladdr $mac_${wire}_${other} dev ${wire}`,
          );
      }
    }
  }
  return lines.join('\n');
}

/** Ends what still runs in the namespaces of a prefix and removes them; wires and routes go with them. Never throws. */
export function removeNetwork(prefix: string): void {
  bash(`
    for ns in $(ip netns list | awk '{print $1}' | grep '^${prefix}-' || true); do
      pids=$(ip netns pids "$ns" 2>/dev/null || true)
      if [ -n "$pids" ]; then kill -9 $pids 2>/dev/null || true; fi
      ip netns del "$ns" 2>/dev/null || true
    done`);
}

const PREFIX = /^tc(\d+)s(\d+)n\d+(?=-)/;

/** A prefix that names this process, so that a later run can tell whether its owner still lives. */
export function newPrefix(count: number): string {
  return `tc${process.pid}s${startTime(process.pid)!}n${count}`;
}

/** Removes what runs that were killed have left behind. */
export function removeLeftovers(): void {
  const names = existsSync('/run/netns') ? readdirSync('/run/netns') : [];
  const dead = new Set<string>();
  for (const name of names) {
    const match = PREFIX.exec(name);
    if (match !== null && startTime(Number(match[1])) !== match[2]) dead.add(match[0]);
  }
  for (const prefix of dead) removeNetwork(prefix);
}

/** Field 22 of /proc/PID/stat: with the pid, it names one process for ever. */
function startTime(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

/** Host names a lab has unless told otherwise. */
export const STANDARD_HOSTS = (Object.keys(HOSTS) as HostName[]).filter((name) => planOf(name).optional !== true);
