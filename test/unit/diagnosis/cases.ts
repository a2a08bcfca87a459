/** What doctor may find, by what it has seen. */
import { diagnose } from '../../../src/diagnosis/diagnose.ts';
import type { Evidence } from '../../../src/diagnosis/evidence.ts';
import type { Cause, Finding } from '../../../src/diagnosis/finding.ts';
import { assistantProbe, evidence, FULL, INTERCEPT, PLAN, probe, seen, SILENT } from './samples.ts';

const [TARGET] = evidence().targets;
export const target = (more: Partial<Evidence['targets'][number]>): Evidence['targets'] => [{ ...TARGET!, ...more }];
export const intercept = (more: Partial<Evidence['intercepts'][number]>): Evidence['intercepts'] => [
  { ...INTERCEPT, ...more },
];
const refusedBy = (code: string, message: string): Evidence =>
  evidence({ intercepts: intercept({ problem: { code, message } }), probes: [] });
const traffic = (more: Partial<NonNullable<Evidence['local']['sample']>>): Evidence['local']['sample'] => ({
  ...evidence().local.sample!,
  frames: 0,
  unfiltered: 0,
  ...more,
});
/** The intercept runs on the target's host, and sees the probe arrive. */
const onTarget = (rpFilter: number): Evidence =>
  evidence({
    intercepts: intercept({
      host: '192.0.2.10',
      capturesOn: 'tcpcopy0',
      devices: [{ name: 'eth0', forwards4: false, forwards6: false, rpFilter, addresses: ['192.0.2.10/24'] }],
    }),
    probes: [probe({ ...SILENT, seen: [seen('probe')] })],
  });

interface Case {
  readonly what: string;
  readonly is: Evidence;
  readonly causes: readonly Cause[];
  /** The first fix. */
  readonly fix?: string;
  readonly likely?: true;
}

export const CASES: readonly Case[] = [
  { what: 'all is well', is: evidence(), causes: [] },
  { what: 'quiet, with a service', is: evidence({ local: { sample: traffic({}) } }), causes: [] },
  {
    what: 'no rights',
    is: evidence({ local: { permission: 'not permitted' } }),
    causes: ['permission'],
    fix: 'setcap cap_net_raw,cap_net_admin+ep "$(readlink -f "$(command -v node)")"',
  },
  {
    what: 'a device that is not there',
    is: evidence({ local: { missingDevices: [{ name: 'eth7', why: 'missing' }] } }),
    causes: ['device-missing'],
    fix: '-i any',
  },
  {
    what: 'a device that is down',
    is: evidence({ local: { missingDevices: [{ name: 'eth1', why: 'down' }] } }),
    causes: ['device-down'],
    fix: 'ip link set eth1 up',
  },
  {
    what: 'nothing to copy',
    is: evidence({ local: { sample: traffic({}), listening: false } }),
    causes: ['nothing-to-copy'],
    likely: true,
  },
  {
    what: 'a filter',
    is: evidence({ plan: { ...PLAN, filter: 'udp' }, local: { sample: traffic({ unfiltered: 9 }) } }),
    causes: ['filter-excludes'],
    fix: '(without -F)',
  },
  {
    what: 'another device',
    is: evidence({ local: { sample: traffic({ elsewhere: [{ device: 'eth1', frames: 4 }] }) } }),
    causes: ['wrong-device'],
    fix: '-i eth1',
  },
  {
    what: 'a snap length',
    is: evidence({ plan: { ...PLAN, snapLength: 128 } }),
    causes: ['snap-length'],
    fix: '-S 65600',
  },

  {
    what: 'no intercept',
    is: refusedBy('E_INTERCEPT_UNREACHABLE', 'nothing listens there (ECONNREFUSED)'),
    causes: ['intercept-down'],
    fix: 'intercept -i any -d',
  },
  {
    what: 'silence at its port',
    is: refusedBy('E_INTERCEPT_UNREACHABLE', 'no answer within 1.5 s'),
    causes: ['intercept-firewall'],
    fix: 'iptables -I INPUT -p tcp --dport 36524 -j ACCEPT',
    likely: true,
  },
  {
    what: 'another release',
    is: refusedBy('E_CONTROL_VERSION', 'versions'),
    causes: ['control-version'],
    fix: 'npm install --global tcpcopy@1.0.0',
  },
  {
    what: 'a key there',
    is: refusedBy('E_CONTROL_AUTH', 'the intercept has a key, this tcpcopy has none'),
    causes: ['control-key'],
    fix: '--control-key-file control.key',
  },
  {
    what: 'a key here',
    is: refusedBy('E_CONTROL_AUTH', 'this tcpcopy has a key, the intercept has none'),
    causes: ['control-key'],
    fix: 'intercept -i any --control-key-file control.key',
  },
  {
    what: 'TLS there',
    is: refusedBy('E_CONTROL_TLS', 'the intercept speaks TLS only'),
    causes: ['control-tls'],
    fix: '--tls-ca intercept.crt',
  },
  {
    what: 'something else',
    is: refusedBy('E_CONTROL_PROTOCOL', 'not a control message'),
    causes: ['control-other'],
    fix: 'intercept -i any',
  },
  { what: 'no ports', is: refusedBy('E_LEASE', '0 of its blocks are free'), causes: ['no-lease'] },

  {
    what: 'no route here',
    is: evidence({
      targets: target({ route: { problem: 'Network is unreachable' } }),
      probes: [probe({ ...SILENT, sendError: 'ENETUNREACH', leftBy: undefined })],
    }),
    causes: ['no-route-here'],
  },
  {
    what: 'a refused packet',
    is: evidence({ probes: [probe({ ...SILENT, sendError: 'EPERM', leftBy: undefined })] }),
    causes: ['output-firewall'],
    fix: 'iptables -I OUTPUT -d 192.0.2.10 -p tcp --dport 8080 -j ACCEPT',
  },
  {
    what: 'a packet that vanishes here',
    is: evidence({ probes: [probe({ ...SILENT, leftBy: undefined })] }),
    causes: ['output-firewall'],
    likely: true,
  },
  {
    what: 'a refused second packet',
    is: evidence({ probes: [probe({ ack: { error: 'EPERM' } }), FULL] }),
    causes: ['conntrack-invalid'],
    fix: 'iptables -t raw -I OUTPUT -d 192.0.2.10 -p tcp --dport 8080 -j NOTRACK',
  },
  {
    what: 'a narrow way',
    is: evidence({ probes: [probe(), probe({ ...FULL, ...SILENT }), probe({ ...FULL, size: 1400 })] }),
    causes: ['mtu'],
    fix: '-M 1400',
  },
  {
    what: 'a narrow device, of which the kernel tells',
    is: evidence({ probes: [probe(), probe({ ...FULL, ...SILENT, sendError: 'EMSGSIZE' })] }),
    causes: [],
  },

  {
    what: 'a refusal',
    is: evidence({
      targets: target({ connect: 'refused' }),
      probes: [
        probe({ matched: 'rst', seen: [seen('rst-of-target')] }),
        assistantProbe({ seen: [seen('rst-of-target')] }),
      ],
    }),
    causes: ['not-listening'],
  },
  {
    what: 'no route back',
    is: evidence({ probes: [probe(SILENT), assistantProbe()] }),
    causes: ['no-route-back'],
    fix: 'ip route replace 10.9.8.0/24 via 192.0.2.20',
    likely: true,
  },
  {
    what: 'a filter by the way back',
    is: evidence({
      intercepts: intercept({
        devices: [
          ...INTERCEPT.devices,
          { name: 'eth1', forwards4: false, forwards6: false, rpFilter: 0, addresses: ['198.51.100.20/24'] },
        ],
      }),
      probes: [probe(SILENT), assistantProbe(), assistantProbe({ ...SILENT, source: '198.51.100.20' })],
    }),
    causes: ['rp-filter'],
    fix: 'sysctl -w net.ipv4.conf.all.rp_filter=2',
    likely: true,
  },
  {
    what: 'strict filtering on the target, where the intercept is',
    is: onTarget(1),
    causes: ['rp-filter'],
    fix: 'sysctl -w net.ipv4.conf.all.rp_filter=2',
  },
  {
    what: 'no black hole on the target, where the intercept is',
    is: onTarget(2),
    causes: ['no-route-back'],
    fix: 'ip route replace 10.9.8.0/24 dev tcpcopy0',
    likely: true,
  },
  {
    what: 'a way back to here',
    is: evidence({ probes: [probe({ ...SILENT, seen: [seen('syn-ack', { at: 'online' })] }), assistantProbe()] }),
    causes: ['wrong-route-back'],
    fix: 'ip route replace 10.9.8.0/24 via 192.0.2.20',
  },
  {
    what: 'a way back to the clients',
    is: evidence({
      plan: { ...PLAN, clients: [] },
      probes: [
        probe({ ...SILENT, source: '203.0.113.9', seen: [seen('syn-ack', { at: 'online' })] }),
        assistantProbe(),
      ],
    }),
    causes: ['answers-to-client'],
    fix: 'ip route replace 203.0.113.0/24 via 192.0.2.20',
  },
  {
    what: 'a question for the client',
    is: evidence({ probes: [probe({ ...SILENT, seen: [seen('arp')] }), assistantProbe()] }),
    causes: ['wrong-route-back'],
    fix: 'ip route replace 10.9.8.0/24 via 192.0.2.20',
  },
  {
    what: 'clients in the network of the servers',
    is: evidence({
      plan: { ...PLAN, clients: [{ network: '192.0.2.128/25', first: '192.0.2.129' }] },
      probes: [probe({ ...SILENT, source: '192.0.2.129', seen: [seen('arp')] }), assistantProbe()],
    }),
    causes: ['client-on-link'],
  },
  {
    what: 'a reset of this kernel',
    is: evidence({
      plan: { ...PLAN, clients: [{ network: '192.0.2.5/32', first: '192.0.2.5' }] },
      probes: [
        probe({
          source: '192.0.2.5',
          seen: [seen('syn-ack', { at: 'online' }), seen('rst-of-client', { at: 'online', outgoing: true })],
        }),
        FULL,
      ],
    }),
    causes: ['own-kernel-resets'],
    fix: 'iptables -I INPUT -s 192.0.2.10 -p tcp --sport 8080 -j DROP',
  },
  {
    what: "the intercept's filter",
    is: evidence({
      intercepts: intercept({ filter: 'port 81' }),
      probes: [probe({ ...SILENT, seen: [seen('syn-ack', { taken: false })] })],
    }),
    causes: ['intercept-filter'],
    fix: 'intercept -i eth0',
  },
  {
    what: "the intercept's device",
    is: evidence({
      intercepts: intercept({ capturesOn: 'eth1' }),
      probes: [probe({ ...SILENT, seen: [seen('syn-ack', { taken: false })] })],
    }),
    causes: ['intercept-device'],
    fix: 'intercept -i eth0',
  },
  {
    what: 'forwarding',
    is: evidence({
      intercepts: intercept({ devices: [{ ...INTERCEPT.devices[1]!, forwards4: true }] }),
      probes: [probe({ seen: [seen('syn-ack'), seen('syn-ack', { outgoing: true })] }), FULL],
    }),
    causes: ['ip-forward'],
    fix: 'sysctl -w net.ipv4.ip_forward=0',
  },
  {
    what: 'forwarding that a firewall there keeps in',
    is: evidence({ intercepts: intercept({ devices: [{ ...INTERCEPT.devices[1]!, forwards4: true }] }) }),
    causes: [],
  },
  {
    what: 'a firewall that tells',
    is: evidence({
      targets: target({ connect: 'EHOSTUNREACH' }),
      probes: [probe({ ...SILENT, seen: [seen('icmp', { icmpType: 3, icmpCode: 13 })] }), assistantProbe(SILENT)],
    }),
    causes: ['firewall'],
    fix: 'iptables -I INPUT -p tcp --dport 8080 -j ACCEPT',
  },
  {
    what: 'a firewall that is silent',
    is: evidence({ targets: target({ connect: 'timeout' }), probes: [probe(SILENT), assistantProbe(SILENT)] }),
    causes: ['firewall'],
    likely: true,
  },
  {
    what: 'no such host',
    is: evidence({
      targets: target({ connect: 'timeout', neighbourFailed: true }),
      probes: [probe(SILENT), assistantProbe(SILENT)],
    }),
    causes: ['target-down'],
  },
  {
    what: 'no such neighbour: packets stay here',
    is: evidence({
      targets: target({ connect: 'EHOSTUNREACH', neighbourFailed: true }),
      probes: [probe({ ...SILENT, leftBy: undefined })],
    }),
    causes: ['target-down'],
  },
  {
    what: 'a network that forbids other sources',
    is: evidence({ probes: [probe(SILENT), assistantProbe(SILENT)] }),
    causes: ['sources-dropped'],
    likely: true,
  },
  {
    what: 'translated addresses',
    is: evidence({
      probes: [probe({ ...SILENT, seen: [seen('other-answer', { reporter: '172.16.0.3' })] }), assistantProbe()],
    }),
    causes: ['other-address'],
  },
  {
    what: 'another copier',
    is: evidence({ intercepts: intercept({ foreign: 7 }) }),
    causes: ['two-copiers'],
    fix: 'ip route replace 10.9.9.0/24 via 192.0.2.20',
  },

  {
    what: 'two things',
    is: evidence({
      targets: target({ connect: 'refused' }),
      probes: [probe(SILENT), assistantProbe({ seen: [seen('rst-of-target')] })],
    }),
    causes: ['not-listening', 'no-route-back'],
  },
];

export const judge = (e: Evidence): Finding[] => diagnose(e, '1.0.0');
