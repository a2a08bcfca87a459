/** What is wrong with an intercept's host, from what it is. */
import { finding, on, type Finding } from './finding.ts';
import type { Stage } from './stages.ts';

export interface InterceptHost {
  readonly devices: readonly string[];
  readonly port: number;
  readonly permission: string | undefined;
  readonly missingDevices: readonly { readonly name: string; readonly why: 'missing' | 'down' }[];
  /** Devices of `-i` that forward what arrives, by family. */
  readonly forwarding: readonly { readonly name: string; readonly family: 4 | 6 }[];
  /** The packets that a moment's capture showed. */
  readonly frames: number | undefined;
  /** The control port: free, or what became of binding it. */
  readonly listen: 'free' | 'in-use' | 'denied' | 'no-such-address';
}

export function checkFindings(host: InterceptHost): Finding[] {
  const found: Finding[] = [];
  const add = (draft: Parameters<typeof finding>[0]): void => void found.push(finding(draft));
  if (host.permission !== undefined) {
    add({
      cause: 'permission',
      host: 'assistant',
      title: 'this user may not capture packets',
      reason: host.permission,
      fix: [on('assistant', 'setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"')],
    });
  }
  for (const { name, why } of host.missingDevices) {
    add({
      cause: why === 'down' ? 'device-down' : 'device-missing',
      host: 'assistant',
      title: why === 'down' ? `the device ${name} is down` : `there is no device ${name}`,
      reason: 'nothing can be captured on it',
      fix: [on('assistant', why === 'down' ? `ip link set ${name} up` : 'intercept -i any')],
    });
  }
  for (const family of [4, 6] as const) {
    const names = host.forwarding.filter((device) => device.family === family).map(({ name }) => name);
    if (names.length === 0) continue;
    add({
      cause: 'ip-forward',
      certainty: 'likely',
      host: 'assistant',
      title: 'this host forwards packets: answers that are routed to it do not end here',
      reason: `IPv${family} forwarding is on for ${names.join(', ')}`,
      fix: [on('assistant', `sysctl -w ${family === 4 ? 'net.ipv4.ip_forward' : 'net.ipv6.conf.all.forwarding'}=0`)],
    });
  }
  if (host.listen === 'denied' || host.listen === 'no-such-address') {
    add({
      cause: 'intercept-down',
      host: 'assistant',
      title: `the control port ${host.port} cannot be opened`,
      reason: host.listen === 'denied' ? 'this user may not' : 'this host does not have the address of -b',
      fix: [on('assistant', host.listen === 'denied' ? 'intercept -p 36524' : 'intercept -b 0.0.0.0')],
    });
  }
  return found;
}

export function checkStages(host: InterceptHost): Stage[] {
  const [missing] = host.missingDevices;
  const bad = host.permission ?? (missing === undefined ? undefined : `${missing.name} is ${missing.why}`);
  const on = host.devices.join(', ');
  return [
    {
      name: 'capture',
      state: bad === undefined ? 'ok' : 'no',
      text: bad ?? (host.frames === undefined ? on : `${on}, ${host.frames} packets in a moment`),
    },
    {
      name: 'forwarding',
      state: host.forwarding.length === 0 ? 'ok' : 'no',
      text:
        host.forwarding.length === 0
          ? 'off'
          : `on: ${[...new Set(host.forwarding.map(({ name }) => name))].join(', ')}`,
    },
    {
      name: 'control port',
      state: host.listen === 'free' ? 'ok' : host.listen === 'in-use' ? 'note' : 'no',
      text: host.listen === 'in-use' ? `${host.port} is in use: an intercept runs here already` : `${host.port}`,
    },
  ];
}
