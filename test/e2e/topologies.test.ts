/** The arrangements that docs/topologies describes, built as the pages say. */
import { expect } from 'vitest';
import { startTaggedMirror } from './lab/faults.ts';
import type { Lab } from './lab/lab.ts';
import { ASSISTANT, arrived, copyLive, perfect, TARGET, type Recorder } from './lab/live-copy.ts';
import { Nginx } from './lab/nginx.ts';
import { HOSTS, type HostName } from './lab/plan.ts';
import { startIntercept, startTcpcopy, stopTcpcopy, type RunningProgram } from './lab/programs.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { runWrk, type WrkOptions } from './lab/wrk.ts';

/** Long and short connections to one online host. */
function mixedLoad(lab: Lab, address: string, options: Partial<WrkOptions> = {}): Promise<unknown> {
  const client = lab.host('client');
  const tag = options.tag ?? '';
  const load = { address, rate: 500, seconds: 2, connections: 16, ...options };
  return Promise.all([
    runWrk(client, { ...load, tag: `${tag}long` }),
    runWrk(client, { ...load, tag: `${tag}short`, short: true }),
  ]);
}

const onlineAddress = (lab: Lab, name: HostName = 'online') => lab.host(name).on('front').v4;

describeLab('topologies', () => {
  labTest('three machines, the clients keeping their addresses', {}, async (lab) => {
    const { summary } = await copyLive(lab, () => mixedLoad(lab, onlineAddress(lab)), {
      args: ['-x', TARGET, '-s', ASSISTANT, '-i', 'front'],
    });
    expect(summary.fidelityPercent).toBe(100);
  });

  labTest('three machines, capturing on any device', {}, async (lab) => {
    await copyLive(lab, () => mixedLoad(lab, onlineAddress(lab)), {
      args: ['-x', `10.77.1.1:${TARGET}`, '-s', ASSISTANT, '-c', '192.168.100.0/24'],
      interceptArgs: [],
    });
  });

  labTest("two machines: the online host's own address, its kernel kept out of it", {}, async (lab) => {
    lab.host('online').sh('iptables -I INPUT -p tcp -s 10.77.2.2 --sport 80 -j DROP');
    await twoMachines(lab, ['-c', '10.77.2.1'], 'back');
  });

  for (const [kind, commands] of Object.entries({
    veth: 'ip link add tcpcopy0 type veth peer name tcpcopy1; ip link set tcpcopy1 up; ip link set tcpcopy0 arp off up',
    ifb: 'ip link add tcpcopy0 type ifb; ip link set tcpcopy0 up',
  }))
    labTest(`two machines: a black hole (${kind}) on the test server`, {}, async (lab) => {
      const test = lab.host('test');
      test.sh(`${commands}; ip route replace 192.168.100.0/24 dev tcpcopy0; sysctl -qw net.ipv4.conf.back.rp_filter=2`);
      await twoMachines(lab, ['-c', '192.168.100.x'], 'tcpcopy0');
    });

  labTest('two online hosts to one intercept', { extraHosts: ['online2'] }, async (lab) => {
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    const sides = ['online', 'online2'] as const;
    const onlines: Nginx[] = [];
    const copies: RunningProgram[] = [];
    for (const name of sides) {
      onlines.push(await Nginx.start(lab.host(name)));
      // One address between them: only the leased ports keep their sessions apart.
      const args = ['-x', TARGET, '-s', ASSISTANT, '-c', '192.168.100.7', '-i', 'front'];
      copies.push(await startTcpcopy(lab.host(name), args));
    }
    await Promise.all(sides.map((name) => mixedLoad(lab, onlineAddress(lab, name), { tag: name, rate: 300 })));
    const both: Recorder = {
      records: () =>
        onlines.flatMap((nginx, i) =>
          nginx.records().map((r): RequestRecord => ({ ...r, connection: `${i}:${r.connection}` })),
        ),
    };
    await arrived(both, test);
    for (const tcpcopy of copies) {
      const { stopped, summary } = await stopTcpcopy(tcpcopy);
      if (tcpcopy === copies.at(-1)) perfect({ online: both.records(), test: test.records(), stopped, summary });
    }
  });

  labTest('one tcpcopy to two intercepts', { extraHosts: ['test2', 'assistant2'] }, async (lab) => {
    const online = await Nginx.start(lab.host('online'), { ports: [80, 81] });
    const tests = [await Nginx.start(lab.host('test')), await Nginx.start(lab.host('test2'))];
    for (const name of ['assistant', 'assistant2'] as const) await startIntercept(lab.host(name));
    const tcpcopy = await startTcpcopy(lab.host('online'), [
      ...['-x', `${TARGET},81-${HOSTS.test2.back.v4}:80`, '-s', `${ASSISTANT},${HOSTS.assistant2.back.v4}`],
      ...['-c', '192.168.100.x', '-i', 'front'],
    ]);
    await Promise.all([80, 81].map((port) => mixedLoad(lab, onlineAddress(lab), { port, tag: `p${port}`, rate: 300 })));
    const both: Recorder = {
      records: () =>
        tests.flatMap((nginx, i) => nginx.records().map((r) => ({ ...r, connection: `${i}:${r.connection}` }))),
    };
    await arrived(online, both);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    perfect({ online: online.records(), test: both.records(), stopped, summary });
    for (const test of tests) expect(test.records().length).toBeGreaterThan(500);
    expect(summary.intercepts).toHaveLength(2);
  });

  labTest('live copy through ordinary sockets, without an intercept', {}, async (lab) => {
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    const args = ['-x', TARGET, '--target', 'socket', '-i', 'front'];
    const tcpcopy = await startTcpcopy(lab.host('online'), args);
    await mixedLoad(lab, onlineAddress(lab));
    await arrived(online, test);
    const { stopped, summary } = await stopTcpcopy(tcpcopy);
    perfect({ online: online.records(), test: test.records(), stopped, summary });
  });

  labTest('IPv6, clients keeping their addresses or not', {}, async (lab) => {
    const target = `80-[${HOSTS.test.back.v6}]:80`;
    const intercept = `[${HOSTS.assistant.back.v6}]`;
    const online = await Nginx.start(lab.host('online'));
    const test = await Nginx.start(lab.host('test'));
    await startIntercept(lab.host('assistant'));
    for (const [tag, source] of Object.entries({ own: [], other: ['-c', 'fd77:100::/120'] })) {
      const tcpcopy = await startTcpcopy(lab.host('online'), [
        ...['-x', target, '-s', intercept, '-i', 'front'],
        ...source,
      ]);
      await mixedLoad(lab, `[${lab.host('online').on('front').v6}]`, { tag });
      await arrived(online, test);
      const { stopped, summary } = await stopTcpcopy(tcpcopy);
      const tagged = (r: RequestRecord) => r.id.startsWith(tag);
      perfect({ online: online.records().filter(tagged), test: test.records().filter(tagged), stopped, summary });
    }
  });

  labTest('IPv4 clients to an IPv6 target', {}, async (lab) => {
    await copyLive(lab, () => mixedLoad(lab, onlineAddress(lab)), {
      args: ['-x', `80-[${HOSTS.test.back.v6}]:80`, '-s', ASSISTANT, '-c', 'fd77:100::/120', '-i', 'front'],
    });
  });

  // The mirror repeats what the host receives after GRO: without offloads frames stay as they were on the wire.
  for (const filter of [[], ['-F', 'host 10.77.1.10']])
    labTest(`VLAN-tagged capture from a mirror port ${filter.join(' ')}`, { offloads: false }, async (lab) => {
      await startTaggedMirror(lab.host('online'), 'front', 7);
      await copyLive(lab, () => mixedLoad(lab, onlineAddress(lab)), {
        args: ['-x', `10.77.1.1:${TARGET}`, '-s', ASSISTANT, '-c', '192.168.100.x', '-i', 'mirror', ...filter],
      });
    });
});

/** Intercept on the test server; no assistant anywhere. */
async function twoMachines(lab: Lab, source: readonly string[], device: string): Promise<void> {
  const online = await Nginx.start(lab.host('online'));
  const test = await Nginx.start(lab.host('test'));
  await startIntercept(lab.host('test'), ['-i', device]);
  const args = ['-x', TARGET, '-s', HOSTS.test.back.v4, '-i', 'front', ...source];
  const tcpcopy = await startTcpcopy(lab.host('online'), args);
  await mixedLoad(lab, onlineAddress(lab));
  await arrived(online, test);
  const { stopped, summary } = await stopTcpcopy(tcpcopy);
  perfect({ online: online.records(), test: test.records(), stopped, summary });
}
