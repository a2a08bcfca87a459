/** Networks and routes as texts: what commands are made of. */
import { formatIp, parseIp, toBytes } from '../core/ip-address.ts';
import type { Evidence, InterceptEvidence } from './evidence.ts';

/** `10.9.8.0/24` of an address in it. */
export function networkOf(address: string, prefix: number): string {
  const ip = parseIp(address);
  if (ip === undefined) return address;
  const words = ip.version === 4 ? [ip.w3] : [ip.w0, ip.w1, ip.w2, ip.w3];
  const masked = words.map((word, i) => {
    const bits = Math.max(0, Math.min(32, prefix - 32 * i));
    return bits === 0 ? 0 : word & (-1 << (32 - bits));
  });
  const network = ip.version === 4 ? { ...ip, w3: masked[0]! } : withWords(masked);
  return `${formatIp(network)}/${prefix}`;
}

function withWords([w0, w1, w2, w3]: number[]): { version: 6; w0: number; w1: number; w2: number; w3: number } {
  return { version: 6, w0: w0!, w1: w1!, w2: w2!, w3: w3! };
}

/** Whether an address lies in `network/prefix`. */
export function contains(network: string, address: string): boolean {
  const [base = '', prefix = ''] = network.split('/');
  if (isV6(base) !== isV6(address)) return false;
  return networkOf(address, Number(prefix)) === networkOf(base, Number(prefix));
}

/** `192.0.2.1:80`, `[2001:db8::1]:80`. */
export function hostPort(host: string, port: number): string {
  return isV6(host) ? `[${host}]:${port}` : `${host}:${port}`;
}

export function isV6(address: string): boolean {
  return address.includes(':');
}

/** The network that a route on the test server must cover for a probe's source: of `-c`, or a guess around a client. */
export function routedNetwork({ plan }: Pick<Evidence, 'plan'>, source: string): string {
  const given = plan.clients.find(({ network }) => contains(network, source));
  return given?.network ?? networkOf(source, isV6(source) ? 64 : 24);
}

export function routeCommand(verb: 'replace' | 'del', network: string, via: string): string {
  return `ip ${isV6(via) ? '-6 ' : ''}route ${verb} ${network} via ${via}`;
}

/** Devices of containers, virtual machines and tunnels: their networks are the host's own, and often every host's. */
const INTERNAL = /^(docker|br-|veth|virbr|vnet|cni|flannel|cali|cilium|kube|lxc|lxd|podman|tun|tap|wg|lo$)/;

/** The addresses of an intercept's host that another one could route to. */
export function hostAddresses(intercept: InterceptEvidence | undefined): string[] {
  return (intercept?.devices ?? [])
    .filter(({ name }) => !INTERNAL.test(name))
    .flatMap(({ addresses }) => addresses)
    .map((text) => text.split('/')[0]!)
    .filter((address) => {
      const ip = parseIp(address);
      if (ip === undefined) return false;
      const [a, b] = toBytes(ip);
      return ip.version === 4
        ? a !== 127 && !(a === 169 && b === 254)
        : address !== '::1' && !(a === 0xfe && b! >>> 6 === 2);
    });
}

/** Every address that this copy is known to have to do with: no network of copies should hold one. */
export function knownAddresses({
  local,
  intercepts,
  plan,
}: Pick<Evidence, 'intercepts' | 'plan'> & { readonly local: Pick<Evidence['local'], 'addresses'> }): string[] {
  return [
    ...local.addresses,
    ...intercepts.flatMap(({ devices }) => devices.flatMap(({ addresses }) => addresses.map((a) => a.split('/')[0]!))),
    ...plan.targets.map(({ address }) => address),
  ];
}

/** For benchmarks between networks (RFC 2544 §C.2.2, RFC 5180 §8): nobody's. */
const NOBODYS_4 = '198.18.100.0/24';
const NOBODYS_6 = '2001:2:0:100::/64';

/** Another network for copies: the one next to it, 192.168.100.0/24 → 192.168.101.0/24, unless somebody known is there. */
export function otherNetwork(network: string, known: readonly string[]): string {
  const next = nextNetwork(network);
  if (!known.some((address) => contains(next, address))) return next;
  return isV6(network) ? NOBODYS_6 : NOBODYS_4;
}

function nextNetwork(network: string): string {
  const [base = '', bits = '32'] = network.split('/');
  if (isV6(base)) {
    const groups = base.replace(/::.*$/, '').split(':');
    groups[groups.length - 1] = (parseInt(groups.at(-1)!, 16) ^ 1).toString(16);
    return `${groups.join(':')}::/${bits}`;
  }
  const parts = base.split('.').map(Number);
  const prefix = Math.min(24, Number(bits));
  const at = Math.max(0, Math.ceil(prefix / 8) - 1);
  parts[at] = (parts[at]! ^ 1) & 255;
  return networkOf(parts.join('.'), prefix);
}
