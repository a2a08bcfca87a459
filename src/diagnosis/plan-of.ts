/** What of a run's options its diagnosis is about. */
import { formatIp, type Endpoint, type IpAddress } from '../core/ip-address.ts';
import type { ClientNetwork, Plan } from './evidence.ts';
import { networkOf } from './networks.ts';

/** Targets looked at: a range of ports counts as its first. */
const MAX_TARGETS = 8;

interface AddressRange {
  readonly first: IpAddress;
  readonly count: number;
}

/** What of a run's options it needs. */
export interface PlannedRun extends Pick<Plan, 'filter' | 'snapLength' | 'mtu' | 'intercepts'> {
  readonly target: Plan['targetKind'];
  readonly mappings: readonly {
    readonly online: { readonly portFirst: number; readonly portLast: number };
    readonly target: Endpoint;
  }[];
  readonly input: { readonly devices: readonly string[] } | { readonly file: string };
  readonly clientAddresses: readonly AddressRange[];
}

export function planOf(options: PlannedRun): Plan {
  const { mappings, input } = options;
  const targets = new Map(mappings.map(({ target }) => [`${formatIp(target.address)} ${target.port}`, target]));
  return {
    targetKind: options.target,
    onlinePorts: mappings.map(({ online: { portFirst, portLast } }) =>
      portFirst === portLast ? `${portFirst}` : `${portFirst}-${portLast}`,
    ),
    targets: [...targets.values()]
      .slice(0, MAX_TARGETS)
      .map(({ address, port }) => ({ address: formatIp(address), port })),
    intercepts: options.intercepts,
    clients: options.clientAddresses.map(clientNetwork),
    devices: 'devices' in input ? input.devices : [],
    filter: options.filter,
    snapLength: options.snapLength,
    mtu: options.mtu,
  };
}

function clientNetwork({ first, count }: AddressRange): ClientNetwork {
  const bits = first.version === 4 ? 32 : 128;
  const from = formatIp(first);
  const last = formatIp(lastOf({ first, count }));
  let prefix = bits;
  while (prefix > 0 && networkOf(from, prefix) !== networkOf(last, prefix)) prefix--;
  return { network: networkOf(from, prefix), first: from };
}

function lastOf({ first, count }: AddressRange): IpAddress {
  return { ...first, w3: (first.w3 + count - 1) | 0 };
}

/** Source addresses to probe from: the first and the last of `-c`, of a target's family. */
export function probeSources(ranges: readonly AddressRange[], version: 4 | 6): IpAddress[] {
  const fitting = ranges.filter(({ first }) => first.version === version);
  const [one] = fitting;
  const other = fitting.at(-1);
  if (one === undefined || other === undefined) return [];
  const last = lastOf(other);
  return formatIp(last) === formatIp(one.first) ? [one.first] : [one.first, last];
}
