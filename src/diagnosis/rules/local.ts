/** This host before anything is sent: rights, devices, and whether there is anything to copy. */
import type { Evidence } from '../evidence.ts';
import { finding, on, option, type Finding } from '../finding.ts';

export function localFindings({ plan, local }: Evidence): Finding[] {
  const found: Finding[] = [];
  if (local.permission !== undefined) {
    found.push(
      finding({
        cause: 'permission',
        host: 'online',
        title: 'this user may not capture or send packets',
        reason: local.permission,
        fix: [on('online', 'setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"')],
      }),
    );
  }
  for (const { name, why } of local.missingDevices) {
    const known = local.knownDevices.filter((device) => device !== 'lo');
    found.push(
      why === 'down'
        ? finding({
            cause: 'device-down',
            host: 'online',
            title: `the device ${name} is down`,
            reason: 'nothing can be captured on it',
            fix: [on('online', `ip link set ${name} up`)],
          })
        : finding({
            cause: 'device-missing',
            host: 'online',
            title: `there is no device ${name}`,
            reason: `devices here: ${known.join(', ')}`,
            fix: [option('-i any')],
          }),
    );
  }
  return [...found, ...trafficFindings({ plan, local })];
}

function trafficFindings({ plan, local }: Pick<Evidence, 'plan' | 'local'>): Finding[] {
  const { sample } = local;
  if (sample === undefined) return [];
  const ports = plan.onlinePorts.join(', ');
  if (sample.frames > 0) {
    if (sample.largest <= plan.snapLength) return [];
    return [
      finding({
        cause: 'snap-length',
        host: 'online',
        title: `-S ${plan.snapLength} cuts packets`,
        reason: `packets of ${sample.largest} bytes arrive; what is cut off them cannot be copied`,
        fix: [option('-S 65600')],
      }),
    ];
  }
  if (sample.unfiltered > 0) {
    return [
      finding({
        cause: 'filter-excludes',
        host: 'online',
        title: '-F lets nothing through',
        reason: `${sample.unfiltered} packets to port ${ports} arrived in ${sample.seconds} s, none matches '${plan.filter ?? ''}'`,
        fix: [option('(without -F)')],
      }),
    ];
  }
  const [other] = [...sample.elsewhere].sort((a, b) => b.frames - a.frames);
  if (other !== undefined) {
    return [
      finding({
        cause: 'wrong-device',
        host: 'online',
        title: `the traffic is on another device than ${plan.devices.join(', ')}`,
        reason: `${other.frames} packets to port ${ports} arrived by ${other.device} in ${sample.seconds} s`,
        fix: [option(`-i ${other.device}`)],
      }),
    ];
  }
  if (local.listening !== false) return [];
  return [
    finding({
      cause: 'nothing-to-copy',
      certainty: 'likely',
      host: 'online',
      title: `no traffic to port ${ports} here`,
      reason: 'nothing arrives for it, and nothing on this host listens on it',
      fix: [],
      confirm: [on('online', 'ss -ltn')],
    }),
  ];
}
