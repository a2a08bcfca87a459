/**
 * The doctor in a lab that is broken in one way after the other: it names the cause, and doing what it says mends it. On a
 * lab where nothing is wrong it finds nothing.
 */
import { expect, test } from 'vitest';
import { DoctorLab, findingsIn, fixesIn } from './lab/doctor-lab.ts';
import { describeLab } from './lab/rig.ts';
import { withLab } from './lab/lab.ts';
import { STANDARD_ARGS } from './lab/live-copy.ts';
import { startTcpcopy } from './lab/programs.ts';

interface Fault {
  readonly name: string;
  /** Titles that must be found, and no others. */
  readonly found: readonly RegExp[];
  readonly args?: readonly string[];
  readonly breakIt: (lab: DoctorLab) => void | Promise<void>;
  /** Where what is to be done is no command. */
  readonly mend?: (lab: DoctorLab) => void | Promise<void>;
}

const OWN_ADDRESSES = ['-x', '80-10.77.2.2:80', '-s', '10.77.2.3', '-i', 'front'];
/** The standard arguments with another value for an option. */
const having = (flag: string, value: string): readonly string[] =>
  STANDARD_ARGS.map((word, i) => (STANDARD_ARGS[i - 1] === flag ? value : word));

/** What is broken by a command on one host. */
const on =
  (host: 'online' | 'test' | 'assistant', command: string) =>
  (lab: DoctorLab): void =>
    void lab[host].sh(command);

const noRoute = on('test', 'ip route del 192.168.100.0/24');
const forwarding = on('assistant', 'sysctl -qw net.ipv4.ip_forward=1');
const homeRoute = on('test', 'ip route replace 192.168.100.0/24 via 10.77.2.1');
const narrow = (lab: DoctorLab): void => lab.onSwitch('ip link set b-test mtu 1300');
const silentService = (lab: DoctorLab): Promise<void> => lab.stopService();
const badFilter = (lab: DoctorLab): Promise<void> => lab.startIntercept(['-i', 'back,side', '-F', 'port 81']);
const withKey = (lab: DoctorLab): Promise<void> => {
  lab.assistant.sh(`echo correct-horse-battery-staple > ${lab.keyFile}`);
  return lab.startIntercept(['-i', 'back,side', '--control-key-file', lab.keyFile]);
};

const NO_ROUTE = /^Likely: the test server has no route to 192\.168\.100\.0\/24/;
const HOME_ROUTE = /route to 192\.168\.100\.0\/24 leads to this host/;
const FORWARDS = /assistant server forwards/;
const NARROW = /packets of 1500 bytes do not reach/i;
const NOT_LISTENING = /Nothing listens on 10\.77\.2\.2 port 80/;
const FIREWALL = /firewall keeps us from 10\.77\.2\.2/;
const BAD_FILTER = /intercept's filter -F 'port 81' keeps/;
const WRONG_DEVICE = /traffic is on another device than back/;

const FAULTS: readonly Fault[] = [
  { name: 'no route back', found: [NO_ROUTE], breakIt: noRoute },
  {
    name: 'reverse-path filter',
    found: [/^Likely: the test server's reverse-path filter/],
    breakIt: on('test', 'ip route replace 192.168.100.0/24 via 10.77.3.3; sysctl -qw net.ipv4.conf.back.rp_filter=1'),
  },
  {
    name: 'reverse-path filter, the intercept on the test server',
    found: [/^The test server's reverse-path filter/],
    args: ['-x', '80-10.77.2.2:80', '-s', '10.77.2.2', '-c', '192.168.100.x', '-i', 'front'],
    breakIt: async (lab) => {
      lab.test.sh(`
        ip link add hole type veth peer name hole-end; ip link set hole-end up; ip link set hole arp off up
        ip route replace 192.168.100.0/24 dev hole; sysctl -qw net.ipv4.conf.back.rp_filter=1`);
      await lab.startInterceptOnTest('hole');
    },
  },
  {
    name: "this host's own address",
    found: [/This host's kernel resets the copied connections/],
    args: ['-x', '80-10.77.2.2:80', '-s', '10.77.2.2', '-c', '10.77.2.1', '-i', 'front'],
    breakIt: (lab) => lab.startInterceptOnTest('back'),
  },
  {
    name: 'clients in the network of the servers',
    found: [/takes 10\.77\.2\.200 for a neighbour/],
    args: having('-c', '10.77.2.200'),
    breakIt: () => undefined,
  },
  { name: 'a route back to this host', found: [HOME_ROUTE], breakIt: homeRoute },
  {
    name: 'a route back to the wire',
    found: [/takes 192\.168\.100\.\d+ for a neighbour/],
    breakIt: on('test', 'ip route replace 192.168.100.0/24 dev back'),
  },
  {
    name: 'answers to the real clients',
    found: [/answers go to the real clients/],
    args: OWN_ADDRESSES,
    breakIt: on('test', 'ip route replace 10.77.1.0/24 via 10.77.2.1'),
  },
  { name: 'forwarding on the assistant server', found: [FORWARDS], breakIt: forwarding },
  {
    name: "the test server's firewall, silent",
    found: [FIREWALL],
    breakIt: on('test', 'iptables -A INPUT -p tcp --dport 80 -j DROP'),
  },
  {
    name: "the test server's firewall, telling",
    found: [FIREWALL],
    breakIt: on('test', 'iptables -A INPUT -p tcp --dport 80 -j REJECT --reject-with icmp-admin-prohibited'),
  },
  {
    name: "this host's firewall",
    found: [/this host's firewall drops the copies/i],
    breakIt: on('online', 'iptables -A OUTPUT -p tcp -s 192.168.100.0/24 -j DROP'),
  },
  {
    name: "this host's connection tracking",
    found: [/connection tracking calls the copies invalid/],
    breakIt: on('online', 'iptables -A OUTPUT -m conntrack --ctstate INVALID -j DROP'),
  },
  {
    name: 'a service that does not listen',
    found: [NOT_LISTENING],
    breakIt: silentService,
    mend: (lab) => lab.startService(),
  },
  { name: 'a narrow way', found: [NARROW], breakIt: narrow },
  { name: "the intercept's filter", found: [BAD_FILTER], breakIt: badFilter },
  {
    name: "the intercept's device",
    found: [/captures on lo, the answers arrive on back/],
    breakIt: (lab) => lab.startIntercept(['-i', 'lo']),
  },
  {
    name: 'another copier',
    found: [/another copier uses the addresses 192\.168\.100\.0\/24/i],
    breakIt: (lab) => lab.startOtherCopier(STANDARD_ARGS),
  },
  {
    name: 'another release',
    found: [/is of another release/],
    breakIt: (lab) => lab.startOtherRelease(),
    mend: (lab) => lab.reset(),
  },
  { name: 'a key here only', found: [/have not the same key/], breakIt: withKey },
  { name: 'no intercept', found: [/No intercept runs at/], breakIt: (lab) => lab.stopIntercept() },
  {
    name: "the assistant server's firewall",
    found: [/a firewall keeps us from the intercept/],
    breakIt: on('assistant', 'iptables -A INPUT -p tcp --dport 36524 -j DROP'),
  },
  { name: 'the wrong device here', found: [WRONG_DEVICE], args: having('-i', 'back'), breakIt: () => undefined },
  {
    name: 'a filter here that lets nothing through',
    found: [/-F lets nothing through/],
    args: [...STANDARD_ARGS, '-F', 'udp'],
    breakIt: () => undefined,
  },

  {
    name: "the intercept's filter, and forwarding",
    found: [BAD_FILTER, FORWARDS],
    breakIt: async (lab) => {
      forwarding(lab);
      await badFilter(lab);
    },
  },
  {
    name: 'no service, and no route',
    found: [NOT_LISTENING, NO_ROUTE],
    breakIt: async (lab) => {
      noRoute(lab);
      await silentService(lab);
    },
    mend: (lab) => lab.startService(),
  },
  {
    name: 'a narrow way, and forwarding',
    found: [NARROW, FORWARDS],
    breakIt: (lab) => {
      narrow(lab);
      forwarding(lab);
    },
  },
  {
    name: 'no service, and a route back to this host',
    found: [NOT_LISTENING, HOME_ROUTE],
    breakIt: async (lab) => {
      homeRoute(lab);
      await silentService(lab);
    },
    mend: (lab) => lab.startService(),
  },
  {
    name: 'the wrong device here, and no route',
    found: [WRONG_DEVICE, NO_ROUTE],
    args: having('-i', 'back'),
    breakIt: noRoute,
  },
];

describeLab('doctor', () => {
  test('names what is wrong, and how to mend it', { timeout: 300_000 }, async () => {
    await withLab({ name: 'doctor' }, async (lab) => {
      const doctor = await DoctorLab.create(lab);
      const healthy = await doctor.doctor(STANDARD_ARGS);
      expect(healthy.output).toContain('Nothing found.');
      expect(healthy.code).toBe(0);
      const wrong: string[] = [];
      for (const fault of FAULTS) {
        const problem = await examine(doctor, fault).catch((error: unknown) => String(error));
        if (problem !== undefined) wrong.push(`== ${fault.name}: ${problem}`);
        await doctor.reset();
      }
      expect(wrong.join('\n\n')).toBe('');

      // Each program mends its own host, and only when it is told to.
      doctor.online.sh('iptables -A OUTPUT -p tcp -s 192.168.100.0/24 -j DROP');
      forwarding(doctor);
      const checked = await doctor.check(['-i', 'back,side', '--check', '--apply']);
      expect(checked, checked.output).toMatchObject({ code: 0 });
      const mended = await doctor.doctor([...STANDARD_ARGS, '--apply', '--json']);
      expect(mended, mended.output).toMatchObject({ code: 0 });
      const objects = mended.output.split('\n').filter((line) => line.startsWith('{"healthy"'));
      expect(objects.map((line) => (JSON.parse(line) as { healthy: boolean }).healthy)).toEqual([false, true]);
      await doctor.reset();

      // A copy that is running hears nothing, and says why.
      await badFilter(doctor);
      const tcpcopy = await startTcpcopy(doctor.online, STANDARD_ARGS);
      await tcpcopy.says(/no answer in 5 s to \d+ connections?: the intercept's filter -F 'port 81' keeps/);
      await tcpcopy.stop();
    });
  });
});

/** What is not as it should be, or `undefined`. */
async function examine(
  lab: DoctorLab,
  { found, breakIt, mend, args = STANDARD_ARGS }: Fault,
): Promise<string | undefined> {
  await breakIt(lab);
  const sick = await lab.doctor(args);
  const titles = findingsIn(sick.output);
  const named = found.every((title) => titles.some((text) => title.test(text)));
  if (!named || titles.length !== found.length || sick.code !== 1) return `exit ${sick.code}\n${sick.output}`;
  let fixed: readonly string[] = args;
  for (const fix of fixesIn(sick.output)) fixed = await lab.apply(fix, fixed);
  await mend?.(lab);
  const well = await lab.doctor(fixed);
  return well.code === 0
    ? undefined
    : `after ${fixesIn(sick.output)
        .map((f) => f.command)
        .join('; ')}: exit ${well.code}\n${well.output}`;
}
