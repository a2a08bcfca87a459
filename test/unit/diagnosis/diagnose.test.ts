import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../../src/diagnosis/evidence.ts';
import { CAUSES } from '../../../src/diagnosis/finding.ts';
import { hostAddresses } from '../../../src/diagnosis/networks.ts';
import { CASES, intercept, judge, target } from './cases.ts';
import { assistantProbe, evidence, FULL, INTERCEPT, PLAN, probe, seen, SILENT } from './samples.ts';

describe('diagnose', () => {
  it.each(CASES)('$what', ({ is, causes, fix, likely }) => {
    const found = judge(is);
    expect(found.map(({ cause }) => cause)).toEqual(causes);
    if (fix !== undefined) expect(found[0]!.fix[0]!.command).toBe(fix);
    if (causes.length === 1) expect(found[0]!.certainty).toBe(likely === true ? 'likely' : 'certain');
  });

  it('has a case for every cause', () => {
    const tried = new Set(CASES.flatMap(({ causes }) => causes));
    expect(CAUSES.filter((cause) => !tried.has(cause))).toEqual(['unknown']);
  });

  it.each<[string, Evidence]>([
    ['that drops SYNs with data, whatever their size', evidence({ probes: [probe(), probe({ ...FULL, ...SILENT })] })],
    [
      "in which this host's kernel talks to the target, too",
      evidence({
        plan: { ...PLAN, clients: [{ network: '192.0.2.5/32', first: '192.0.2.5' }] },
        intercepts: intercept({ foreign: 9 }),
      }),
    ],
  ])('blames nobody in a network %s', (_, is) => {
    expect(judge(is)).toEqual([]);
  });

  it("does not take a container's network on the assistant server for a way of the test server's", () => {
    const devices = [
      ...INTERCEPT.devices,
      { name: 'docker0', forwards4: false, forwards6: false, rpFilter: 0, addresses: ['172.17.0.1/16'] },
    ];
    expect(hostAddresses({ ...INTERCEPT, devices })).toEqual(['192.0.2.20']);
  });

  it("sends the answers to this host's address by way of the test server's intercept", () => {
    const own = evidence({
      plan: { ...PLAN, clients: [{ network: '192.0.2.5/32', first: '192.0.2.5' }] },
      probes: [probe({ ...SILENT, source: '192.0.2.5', seen: [seen('syn-ack', { at: 'online' })] })],
    });
    expect(judge(own)).toMatchObject([
      { cause: 'wrong-route-back', fix: [{ command: 'intercept -i any -d' }, { command: '-s 192.0.2.10' }] },
    ]);
  });

  it('says so when no rule knows why', () => {
    const odd = evidence({ probes: [probe({ ...SILENT, seen: [seen('syn-ack')] }), assistantProbe()] });
    expect(judge(odd).map(({ cause }) => cause)).toEqual(['unknown']);
  });

  it('says each thing once, however many probes show it', () => {
    const two = evidence({ probes: [probe(SILENT), probe({ ...SILENT, source: '10.9.8.254' }), assistantProbe()] });
    expect(judge(two)).toHaveLength(1);
  });

  it('speaks of IPv6 in its own commands', () => {
    const v6 = { target: '2001:db8::10', source: '2001:db8:9::1' };
    const found = judge(
      evidence({
        plan: {
          ...PLAN,
          targets: [{ address: '2001:db8::10', port: 8080 }],
          clients: [{ network: '2001:db8:9::/64', first: '2001:db8:9::1' }],
        },
        targets: target({ address: '2001:db8::10' }),
        probes: [probe({ ...SILENT, ...v6 }), assistantProbe({ ...v6, source: '2001:db8::20' })],
      }),
    );
    expect(found[0]!.fix[0]!.command).toBe('ip -6 route replace 2001:db8:9::/64 via 2001:db8::20');
  });
});
