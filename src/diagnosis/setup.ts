/** The commands that set a copy up, for every host, and those that take it back: docs/topologies in short. */
import type { Plan } from './evidence.ts';
import { isV6, routeCommand } from './networks.ts';

export interface HostSetup {
  /** `test server 192.0.2.10`. */
  readonly title: string;
  readonly commands: readonly string[];
  readonly undo: readonly string[];
}

/** It runs in the foreground, and the lines are to be pasted. */
const STOP = '# Ctrl-C where tcpcopy runs';
const DEVICE = 'tcpcopy0';
const PID_FILE = '/run/intercept.pid';
/** On each host of its own: what a setting was. */
const SETTINGS_FILE = '/run/tcpcopy.undo';

/** Sets a kernel setting, and puts back what it was before, also where the commands were run twice. */
function setting(name: string, value: number): { readonly set: readonly string[]; readonly restore: string } {
  return {
    set: [`[ -e ${SETTINGS_FILE} ] || sysctl ${name} > ${SETTINGS_FILE}`, `sysctl -w ${name}=${value}`],
    restore: `sysctl -p ${SETTINGS_FILE} && rm ${SETTINGS_FILE}`,
  };
}

/** `line`: the options as they were typed; `own`: addresses of this host. In the order in which they are to be run. */
export function setupOf(plan: Plan, line: string, own: readonly string[]): HostSetup[] {
  const tcpcopy = `tcpcopy ${line}`;
  const [target] = plan.targets;
  if (plan.targetKind === 'socket' || target === undefined) {
    return [{ title: 'online server', commands: [tcpcopy], undo: [STOP] }];
  }
  const { address, port } = target;
  const intercept = plan.intercepts[0]?.host ?? '<assistant server>';
  const listen = plan.intercepts[0]?.port ?? 36_524;
  const start = (device: string): string =>
    `intercept -i ${device}${listen === 36_524 ? '' : ` -p ${listen}`} -d -P ${PID_FILE}`;
  const stop = `kill "$(cat ${PID_FILE})"`;
  const networks = plan.clients.map(({ network }) => network);
  if (networks.some((network) => own.includes(network.split('/')[0]!))) {
    const rule = (verb: string): string =>
      `${isV6(address) ? 'ip6tables' : 'iptables'} ${verb} INPUT -p tcp -s ${address} --sport ${port} -j DROP`;
    return [
      { title: `test server ${address}`, commands: [start('any')], undo: [stop] },
      { title: 'online server', commands: [rule('-I'), tcpcopy], undo: [STOP, rule('-D')] },
    ];
  }
  const routed = networks.length > 0 ? networks : ['<network of the clients>'];
  const online = { title: 'online server', commands: [tcpcopy], undo: [STOP] };
  if (intercept === address) {
    const v6 = isV6(address) ? '-6 ' : '';
    // IPv6 has no reverse-path filter among its settings.
    const loose = isV6(address) ? undefined : setting('net.ipv4.conf.all.rp_filter', 2);
    return [
      {
        title: `test server ${address}`,
        commands: [
          `ip link add ${DEVICE} type dummy`,
          `ip link set ${DEVICE} up`,
          ...routed.map((network) => `ip ${v6}route add ${network} dev ${DEVICE}`),
          ...(loose?.set ?? []),
          start(DEVICE),
        ],
        undo: [stop, `ip link del ${DEVICE}`, ...(loose === undefined ? [] : [loose.restore])],
      },
      online,
    ];
  }
  const noForwarding = setting(isV6(address) ? 'net.ipv6.conf.all.forwarding' : 'net.ipv4.ip_forward', 0);
  return [
    {
      title: `assistant server ${intercept}`,
      commands: [...noForwarding.set, start('any')],
      undo: [stop, noForwarding.restore],
    },
    {
      title: `test server ${address}`,
      commands: routed.map((network) => routeCommand('replace', network, intercept)),
      undo: routed.map((network) => routeCommand('del', network, intercept)),
    },
    online,
  ];
}

export function setupLines(hosts: readonly HostSetup[]): string[] {
  return [
    ...hosts.flatMap(({ title, commands }) => [`# ${title}`, ...commands, '']),
    ...[...hosts].reverse().flatMap(({ title, undo }, i) => [...(i > 0 ? [''] : []), `# undo, ${title}`, ...undo]),
  ];
}
