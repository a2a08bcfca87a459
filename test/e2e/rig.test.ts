/** The rig itself: that its checks find what is planted, and that it leaves nothing behind. */
import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { Drop, Relay, startTaggedMirror } from './lab/faults.ts';
import { Lab, withLab } from './lab/lab.ts';
import { runLoad } from './lab/load.ts';
import { Nginx } from './lab/nginx.ts';
import type { RequestRecord } from './lab/request-record.ts';
import { describeLab, labTest } from './lab/rig.ts';
import { FaultyServer, RecordingServer } from './lab/servers.ts';
import { bash } from './lab/shell.ts';
import { compareTraffic, describeDifference, expectPerfectCopy } from './lab/traffic-check.ts';
import { runWrk } from './lab/wrk.ts';

const record = (connection: string, id: string, fingerprint = id): RequestRecord => ({
  connection,
  id,
  fingerprint,
  at: 0,
});

describe('traffic check', () => {
  const online = ['a1', 'a2', 'a3', 'b1', 'b2'].map((id) => record(id[0]!, id));
  const faultsOf = (test: RequestRecord[], copies = 1) => {
    const { online: _, test: __, ...faults } = compareTraffic(online, test, { copies });
    return Object.fromEntries(Object.entries(faults).filter(([, ids]) => ids.length > 0));
  };
  const perfect = online.map((r) => record(`copy of ${r.connection}`, r.id));
  const without = (id: string) => perfect.filter((r) => r.id !== id);

  test('accepts a perfect copy, interleaved differently and on fresh connections', () => {
    expect(faultsOf(perfect)).toEqual({});
    expect(faultsOf([perfect[3]!, perfect[0]!, perfect[1]!, perfect[4]!, record('new', 'a3')])).toEqual({});
  });

  test('finds a lost request', () => expect(faultsOf(without('a2'))).toEqual({ missing: ['a2'] }));

  test('finds a duplicate', () =>
    expect(faultsOf([...perfect, record('copy of b', 'b2')])).toEqual({ duplicate: ['b2'] }));

  test('finds altered bytes', () =>
    expect(faultsOf([...without('b1'), record('fresh', 'b1', 'other')])).toMatchObject({ altered: ['b1'] }));

  test('finds requests out of order, on one connection or on two', () => {
    expect(faultsOf([perfect[1]!, perfect[0]!, ...perfect.slice(2)])).toEqual({ outOfOrder: ['a1'] });
    expect(faultsOf([record('x', 'a2'), record('y', 'a1'), ...perfect.slice(2)])).toMatchObject({ outOfOrder: ['a1'] });
  });

  test('finds requests of two clients on one connection', () =>
    expect(faultsOf([...perfect.slice(0, 3), record('copy of a', 'b1'), perfect[4]!])).toEqual({ mixed: ['b1'] }));

  test('finds what nobody sent', () => expect(faultsOf([...perfect, record('z', 'zz')])).toEqual({ foreign: ['zz'] }));

  test('counts copies', () => {
    const twice = [...perfect, ...online.map((r) => record(`second of ${r.connection}`, r.id))];
    expect(faultsOf(twice, 2)).toEqual({});
    expect(faultsOf(twice.slice(1), 2)).toEqual({ missing: ['a1'] });
    expect(faultsOf(twice, 1)).toMatchObject({ duplicate: online.map((r) => r.id) });
  });

  test('refuses an empty load, and a load whose ids are not unique', () => {
    expect(() => expectPerfectCopy([], [])).toThrow('sent nothing');
    expect(() => compareTraffic([record('a', '1'), record('b', '1')], [])).toThrow('unique');
    expect(describeDifference(compareTraffic(online, without('a2')))).toEqual(['missing: 1 of 5 (a2)']);
  });
});

describeLab('lab', () => {
  labTest('wrk reaches nginx at the rate asked for, over IPv4 and IPv6', {}, async (lab) => {
    const nginx = await Nginx.start(lab.host('online'));
    const { v4, v6 } = lab.host('online').on('front');
    const kept = await runWrk(lab.host('client'), { address: v4, rate: 1000, seconds: 2, tag: 'kept' });
    expect(kept.errors).toBeUndefined();
    expect(kept.requests).toBeGreaterThan(1500);
    expect(kept.requests).toBeLessThan(2300);
    const short = await runWrk(lab.host('client'), {
      address: `[${v6}]`,
      rate: 500,
      seconds: 1,
      short: true,
      tag: 's',
    });
    await nginx.settled();
    const records = nginx.records();
    expect(new Set(records.map((r) => r.id)).size).toBe(records.length);
    expect(records.filter((r) => r.id.startsWith('kept')).length).toBeGreaterThanOrEqual(kept.requests);
    const shortOnes = records.filter((r) => r.id.startsWith('s'));
    expect(new Set(shortOnes.map((r) => r.connection)).size).toBe(shortOnes.length);
    expect(shortOnes.length).toBeGreaterThanOrEqual(short.requests);
  });

  labTest('the load client and the recording server agree, whatever the pieces', {}, async (lab) => {
    const online = lab.host('online');
    const server = await RecordingServer.start(online);
    const opaque = await RecordingServer.start(lab.host('test'), { protocol: 'opaque', greeting: 'hello' });
    const address = online.on('front').v4;
    await runLoad(lab.host('client'), { address, requests: 40, body: 100_000, pieces: 5, perConnection: 7 });
    await runLoad(online, {
      address: lab.host('test').on('back').v4,
      ...{ protocol: 'opaque', greeting: 5, requests: 30, body: 3_000, pieces: 3 },
    });
    await server.stop();
    await opaque.stop();
    expect(server.records().map((r) => r.id)).toHaveLength(40);
    expect(new Set(server.records().map((r) => r.fingerprint)).size).toBe(40);
    expect(server.closedConnections().reduce((n, c) => n + c.bytes, 0)).toBeGreaterThan(4_000_000);
    expect(opaque.records()).toHaveLength(30);
  });

  labTest('faults: random drops are survived and counted', { offloads: false }, async (lab) => {
    const nginx = await Nginx.start(lab.host('online'));
    const address = lab.host('online').on('front').v4;
    const drop = new Drop(lab.host('online'), {
      device: 'front',
      hook: 'ingress',
      match: `ip daddr ${address} tcp dport 80`,
      percent: 5,
    });
    await runLoad(lab.host('client'), { address, requests: 300 });
    expect(drop.dropped()).toBeGreaterThan(5);
    drop.remove();
    expect(nginx.records()).toHaveLength(300);
  });

  labTest('faults: the relay drops, duplicates, reorders, or loses one chosen segment', relayed(), async (lab) => {
    const server = await RecordingServer.start(lab.host('test'));
    const address = lab.host('test').on('back').v4;
    const load = (tag: string) => runLoad(lab.host('online'), { address, requests: 200, body: 5_000, tag });
    const rough = await Relay.start(lab, { drop: 1, duplicate: 3, reorder: 5, seed: 7 });
    await load('rough');
    const counts = await rough.stop();
    expect(counts.dropped).toBeGreaterThan(0);
    expect(counts.duplicated).toBeGreaterThan(0);
    expect(counts.reordered).toBeGreaterThan(0);
    const once = await Relay.start(lab, { losePayload: 50 });
    await load('once');
    expect((await once.stop()).dropped).toBe(1);
    await server.stop();
    expect(server.records()).toHaveLength(400);
  });

  labTest('faulty targets misbehave as told', {}, async (lab) => {
    const [online, target] = [lab.host('online'), lab.host('test')];
    const address = target.on('back').v4;
    const ask = (port: number) => online.sh(`curl -s -m 1 -o /dev/null http://${address}:${port}/ || echo $?`).trim();
    const hang = await FaultyServer.start(target, { mode: 'hang', port: 81 });
    const reset = await FaultyServer.start(target, { mode: 'reset', port: 82 });
    const close = await FaultyServer.start(target, { mode: 'close', port: 83 });
    const deaf = await FaultyServer.start(target, { mode: 'zero-window', port: 84 });
    expect(ask(81)).toBe('28');
    expect(ask(82)).toBe('56');
    expect(ask(83)).toBe('52');
    expect(ask(85)).toBe('7');
    online.sh(`(head -c 50000000 /dev/zero | timeout 1 socat -u - TCP:${address}:84) || true`);
    expect(await hang.stop()).toMatchObject({ accepted: 1 });
    expect(await reset.stop()).toMatchObject({ accepted: 1 });
    expect(await close.stop()).toMatchObject({ accepted: 1 });
    expect(await deaf.stop()).toEqual({ accepted: 1, received: 0 });
  });

  labTest('a mirror shows tagged frames', {}, async (lab) => {
    const online = lab.host('online');
    await Nginx.start(online);
    await startTaggedMirror(online, 'front', 7);
    const capture = online.spawn('mirror', ['tcpdump', '-i', 'mirror', '-e', '-n', '-l', '-c', '5', 'vlan 7 and tcp']);
    await new Promise((resolve) => setTimeout(resolve, 500));
    await runLoad(lab.host('client'), { address: online.on('front').v4, requests: 3 });
    expect((await capture.exited).code).toBe(0);
  });

  test('responses to client networks end at the assistant', () =>
    withLab({ name: 'black-hole' }, async (lab) => {
      const test = lab.host('test');
      const heard = lab
        .host('assistant')
        .spawn('heard', ['tcpdump', '-i', 'back', '-n', '-l', '-c', '2', 'udp port 9']);
      await new Promise((resolve) => setTimeout(resolve, 500));
      test.sh('echo x >/dev/udp/192.168.100.7/9; echo x >/dev/udp/10.77.1.10/9');
      expect((await heard.exited).code).toBe(0);
    }));

  test('the guards report strangers on the client host', async () => {
    const stray = withLab({ name: 'stray-client' }, async (lab) => {
      const online = lab.host('online');
      // An unasked-for segment from the online server, and one that claims to be from the test server.
      online.sh(`
        python3 - <<'PY'
import socket, struct
def segment(src, dst, sport, dport):
    tcp = struct.pack("!HHIIBBHHH", sport, dport, 1, 1, 5 << 4, 0x10, 1000, 0, 0)
    ip = struct.pack("!BBHHHBBH4s4s", 0x45, 0, 40, 1, 0, 64, 6, 0, socket.inet_aton(src), socket.inet_aton(dst))
    s = socket.socket(socket.AF_INET, socket.SOCK_RAW, socket.IPPROTO_RAW)
    s.sendto(ip + tcp, (dst, 0))
segment("10.77.1.1", "10.77.1.10", 80, 4242)
segment("10.77.2.2", "10.77.1.10", 80, 4242)
PY`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    });
    const error = await stray.then(
      () => undefined,
      (e: Error) => e,
    );
    expect(error?.message).toContain('client: 1 packets came from somebody who is not an online server');
    expect(error?.message).toContain('client: 2 packets came to a port that this client never opened');
    expect(error?.message).toContain('online: 1 packets left the front wire with a foreign source');
    expect(error?.message).toContain('client saw: IP 10.77.2.2.80 > 10.77.1.10.4242');
    bash(`rm -rf '${/kept in (\S+)\)/.exec(error!.message)![1]!}'`);
  });

  test('a lab leaves nothing behind, even when its body throws or its owner was killed', async () => {
    const namespaces = () => bash('ip netns list');
    const lab = await Lab.create({ name: 'gone' });
    lab.host('test').spawn('sleeper', ['sleep', '300']);
    expect(namespaces()).toContain(`${lab.prefix}-client`);
    await lab.destroy();
    expect(namespaces()).not.toContain(lab.prefix);
    expect(existsSync(lab.directory)).toBe(false);

    // 1 is alive, but did not start at that time.
    bash('ip netns add tc1s1n1-client');
    const next = await Lab.create({ name: 'next' });
    expect(namespaces()).not.toContain('tc1s1n1-client');
    await next.destroy();
  });
});

function relayed() {
  return { offloads: false, relayBefore: 'online' } as const;
}
