import { describe, expect, it } from 'vitest';
import { checkFindings, checkStages, type InterceptHost } from '../../../src/diagnosis/check.ts';
import type { Cause } from '../../../src/diagnosis/finding.ts';

const WELL: InterceptHost = {
  devices: ['eth0'],
  port: 36_524,
  permission: undefined,
  missingDevices: [],
  forwarding: [],
  frames: 3,
  listen: 'free',
};

const CASES: readonly (readonly [string, Partial<InterceptHost>, readonly Cause[], string | undefined])[] = [
  ['all is well', {}, [], undefined],
  ['an intercept runs already', { listen: 'in-use' }, [], undefined],
  ['no rights', { permission: 'not permitted', frames: undefined }, ['permission'], 'setcap'],
  ['no such device', { missingDevices: [{ name: 'eth7', why: 'missing' }] }, ['device-missing'], 'intercept -i any'],
  [
    'a device that is down',
    { missingDevices: [{ name: 'eth1', why: 'down' }] },
    ['device-down'],
    'ip link set eth1 up',
  ],
  ['forwarding', { forwarding: [{ name: 'eth0', family: 4 }] }, ['ip-forward'], 'sysctl -w net.ipv4.ip_forward=0'],
  [
    'forwarding of IPv6',
    { forwarding: [{ name: 'eth0', family: 6 }] },
    ['ip-forward'],
    'sysctl -w net.ipv6.conf.all.forwarding=0',
  ],
  ['a port below 1024', { listen: 'denied' }, ['intercept-down'], 'intercept -p 36524'],
  ["somebody else's address", { listen: 'no-such-address' }, ['intercept-down'], 'intercept -b 0.0.0.0'],
];

describe('intercept --check', () => {
  it.each(CASES)('%s', (_, host, causes, fix) => {
    const found = checkFindings({ ...WELL, ...host });
    expect(found.map(({ cause }) => cause)).toEqual(causes);
    if (fix !== undefined) expect(found[0]!.fix[0]!.command).toContain(fix);
    const bad = checkStages({ ...WELL, ...host }).filter(({ state }) => state === 'no');
    expect(bad.length > 0).toBe(causes.length > 0);
  });
});
