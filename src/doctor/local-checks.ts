/** This host: devices, its own addresses, what listens, its load and its firewall. Reads only. */
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import type { CopyOptions } from '../config/copy-options.ts';
import { hostDevices } from '../capture/host-devices.ts';
import { formatIp } from '../core/ip-address.ts';
import type { LocalEvidence } from '../diagnosis/evidence.ts';
import { ask } from './commands.ts';

export type HostFacts = Omit<LocalEvidence, 'permission' | 'sample'>;

/** `LISTEN` in /proc/net/tcp. */
const LISTEN = '0A';

export async function checkHost(wanted: readonly string[], mappings: CopyOptions['mappings']): Promise<HostFacts> {
  const devices = hostDevices();
  const names = devices.map(({ name }) => name);
  return {
    missingDevices: wanted
      .filter((name) => name !== 'any')
      .flatMap((name): LocalEvidence['missingDevices'][number][] => {
        const device = devices.find((d) => d.name === name);
        if (device === undefined) return [{ name, why: 'missing' }];
        return device.up ? [] : [{ name, why: 'down' }];
      }),
    knownDevices: names,
    addresses: devices.flatMap(({ addresses }) => addresses.map(({ address }) => formatIp(address))),
    listening: listensOn(mappings),
    loadAverage: loadavg()[0]!,
    processors: availableParallelism(),
    outputDrops: await outputDrops(),
  };
}

function listensOn(mappings: CopyOptions['mappings']): boolean | undefined {
  const ports = new Set<number>();
  for (const file of ['/proc/net/tcp', '/proc/net/tcp6']) {
    let text: string;
    try {
      text = readFileSync(file, 'utf8');
    } catch {
      continue;
    }
    for (const line of text.split('\n').slice(1)) {
      const [, local = '', , state] = line.trim().split(/\s+/);
      if (state === LISTEN) ports.add(parseInt(local.split(':')[1] ?? '', 16));
    }
  }
  if (ports.size === 0) return undefined;
  return mappings.some(({ online: { portFirst, portLast } }) =>
    [...ports].some((port) => port >= portFirst && port <= portLast),
  );
}

/** Rules that drop or reject in output chains, as far as one of the two tools shows them. */
async function outputDrops(): Promise<string[]> {
  const [v4 = '', v6 = ''] = await Promise.all([ask('iptables', '-S', 'OUTPUT'), ask('ip6tables', '-S', 'OUTPUT')]);
  const rules = [...v4.split('\n'), ...v6.split('\n')].filter((rule) => /-j (DROP|REJECT)|-P OUTPUT DROP/.test(rule));
  if (rules.length > 0) return rules;
  const nft = await ask('nft', 'list', 'ruleset');
  return nft === undefined ? [] : nftOutputDrops(nft);
}

/** The dropping lines of chains that hook on output or postrouting. */
export function nftOutputDrops(ruleset: string): string[] {
  const drops: string[] = [];
  let output = false;
  for (const line of ruleset.split('\n').map((text) => text.trim())) {
    if (line.startsWith('chain ')) output = false;
    else if (/^type filter hook (output|postrouting)/.test(line)) output = true;
    else if (output && /\b(drop|reject)\b/.test(line)) drops.push(line.replace(/counter packets \d+ bytes \d+ /, ''));
  }
  return drops;
}
