/** This host's network devices as the kernel describes them: addresses, forwarding, reverse-path filtering. */
import { readdirSync, readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { parseIp, type IpAddress } from '../core/ip-address.ts';

export interface HostDevice {
  readonly name: string;
  readonly up: boolean;
  /** What arrives here is forwarded where the routes say. */
  readonly forwards4: boolean;
  readonly forwards6: boolean;
  /** IPv4, what is in force: 0 off, 1 strict, 2 loose (the higher of `all` and the device's own). */
  readonly rpFilter: number;
  readonly mtu: number;
  readonly addresses: readonly { readonly address: IpAddress; readonly prefix: number }[];
}

const IFF_UP = 1;

/** All of them. Where there is no /sys (not Linux) those that have addresses, with what is known of them. */
export function hostDevices(): HostDevice[] {
  const interfaces = networkInterfaces();
  return names(interfaces).map((name) => ({
    name,
    up: (Number(read(`/sys/class/net/${name}/flags`) ?? IFF_UP) & IFF_UP) !== 0,
    forwards4: sysctl(`net/ipv4/conf/${name}/forwarding`) === 1,
    forwards6: sysctl(`net/ipv6/conf/${name}/forwarding`) === 1,
    rpFilter: Math.max(sysctl('net/ipv4/conf/all/rp_filter'), sysctl(`net/ipv4/conf/${name}/rp_filter`)),
    mtu: Number(read(`/sys/class/net/${name}/mtu`) ?? 0),
    addresses: (interfaces[name] ?? []).flatMap(({ address, cidr }) => {
      const ip = parseIp(address);
      return ip === undefined ? [] : [{ address: ip, prefix: Number(cidr?.split('/')[1] ?? 128) }];
    }),
  }));
}

function names(interfaces: object): readonly string[] {
  try {
    return readdirSync('/sys/class/net').filter((name) => read(`/sys/class/net/${name}/flags`) !== undefined);
  } catch {
    return Object.keys(interfaces);
  }
}

/** A number under /proc/sys; 0 where there is none. */
function sysctl(path: string): number {
  return Number(read(`/proc/sys/${path}`) ?? 0) || 0;
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return undefined;
  }
}
