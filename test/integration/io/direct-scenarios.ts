/** Sending on the device itself; each scenario runs in a namespace of its own (see lab.ts) and prints JSON. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { RingSource } from '../../../src/capture/ring-source.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { RawSink, type RawSinkOptions } from '../../../src/inject/raw-sink.ts';
import { loadNative } from '../../../src/native/load.ts';
import { ipPacket } from '../../unit/capture/packets.ts';
import { collect, drive, ip, sleep, type Collector, type Driver } from './drive.ts';

const addon = loadNative().addon!;
const [V4, V6] = ['10.77.0.2', 'fd77::2'];
/** Longer than a change takes to be noticed, and than a firewall does. */
const [NOTICED, REFRESHED] = [200, 1_300];

const said: string[] = [];
const open = (options: RawSinkOptions = {}) =>
  drive(
    new RawSink(addon, {
      destinations: [V4, V6].map((address) => parseIp(address)!),
      told: (line) => said.push(line.replace(/^packets to (\S+) are sent /, '$1 ')),
      ...options,
    }),
  );
const onB = (device = 'io-b') => collect(new RingSource(addon, device, { filter: { expression: 'tcp' } }));

/** Bytes that the kernel's IP layer has sent since it was last asked. */
let counted = 0;
function throughKernel(): number {
  const [names, numbers] = readFileSync('/proc/net/netstat', 'latin1')
    .split('\n')
    .filter((line) => line.startsWith('IpExt: '));
  const v4 = Number(numbers!.split(' ')[names!.split(' ').indexOf('OutOctets')]);
  const v6 = Number(/Ip6OutOctets\s+(\d+)/.exec(readFileSync('/proc/net/snmp6', 'latin1'))?.[1] ?? 0);
  const since = v4 + v6 - counted;
  counted = v4 + v6;
  return since;
}

let sent = 0;
const burst = (to: string, n: number, payload = 100) =>
  Array.from({ length: n }, () => ipPacket({ to, toPort: 8080, seq: sent++, payload: new Uint8Array(payload) }));

/** Sends `n` packets one by one; returns how many of them the kernel's IP layer saw. */
async function oneByOne(sink: Driver, to: string, n: number, payload?: number): Promise<number> {
  const all = burst(to, n, payload);
  throughKernel();
  for (const packet of all) await sink.send([packet]);
  return throughKernel() / all[0]!.length;
}

const macs = ({ frames }: Collector, from = 0) => [
  ...new Set(frames.slice(from).map(({ bytes }) => Buffer.from(bytes.subarray(0, 6)).toString('hex'))),
];

async function finish(...collectors: Collector[]): Promise<void> {
  await sleep(50);
  for (const { source, ended } of collectors) {
    source.stop();
    await ended;
  }
}

const scenarios: Record<string, () => Promise<Record<string, unknown>>> = {
  async plain() {
    const b = await onB();
    const sink = await open();
    const kernel = [await oneByOne(sink, V4, 20), await oneByOne(sink, V6, 20)];
    await sink.send([...burst(V4, 300), ...burst(V6, 300), ...burst(V4, 300)]);
    await finish(b);
    const seqs = b.frames.map(({ bytes }) => new DataView(bytes.buffer).getUint32(bytes[12] === 8 ? 38 : 58));
    return {
      frames: b.frames.length,
      inOrder: seqs.every((seq, i) => seq === i),
      macs: macs(b),
      types: [...new Set(b.frames.map(({ bytes }) => Buffer.from(bytes.subarray(6, 14)).toString('hex')))],
      kernel,
      stats: sink.sink.stats(),
      said,
    };
  },

  async neighbour() {
    const b = await onB();
    const sink = await open();
    await oneByOne(sink, V4, 5);
    ip('neigh', 'replace', V4, 'lladdr', '02:00:00:00:77:09', 'dev', 'io-a', 'nud', 'permanent');
    await sleep(NOTICED);
    const kernel = await oneByOne(sink, V4, 5);
    ip('neigh', 'del', V4, 'dev', 'io-a');
    await sleep(NOTICED);
    const unknown = await oneByOne(sink, V4, 5);
    await finish(b);
    return { frames: b.frames.length, macs: macs(b), kernel, unknown, said };
  },

  async route() {
    ip('link', 'add', 'io-c', 'type', 'veth', 'peer', 'name', 'io-d');
    for (const device of ['io-c', 'io-d']) ip('link', 'set', device, 'up');
    ip('addr', 'add', '10.78.0.1/24', 'dev', 'io-c');
    ip('neigh', 'add', '10.78.0.2', 'lladdr', '02:00:00:00:78:02', 'dev', 'io-c', 'nud', 'permanent');
    const [b, d] = [await onB(), await onB('io-d')];
    const sink = await open();
    await oneByOne(sink, V4, 5);
    ip('route', 'add', `${V4}/32`, 'via', '10.78.0.2');
    await sleep(NOTICED);
    const gateway = await oneByOne(sink, V4, 5);
    ip('route', 'replace', `${V4}/32`, 'nexthop', 'via', '10.78.0.2', 'nexthop', 'dev', 'io-a');
    await sleep(NOTICED);
    const several = await oneByOne(sink, V4, 5);
    ip('route', 'replace', 'blackhole', `${V4}/32`);
    await sleep(NOTICED);
    await oneByOne(sink, V4, 1);
    ip('route', 'del', 'blackhole', `${V4}/32`);
    ip('rule', 'add', 'to', V4, 'table', '77');
    ip('route', 'add', V4, 'dev', 'io-a', 'mtu', '600', 'table', '77');
    await sleep(NOTICED);
    const short = await oneByOne(sink, V4, 5);
    await oneByOne(sink, V4, 1, 900);
    await finish(b, d);
    return {
      frames: b.frames.length + d.frames.length,
      macs: macs(d),
      gateway,
      several,
      short,
      failures: sink.failures.map(({ code, mtu }) => [code, mtu ?? null]),
      said,
    };
  },

  async device() {
    const b = await onB();
    const sink = await open();
    await oneByOne(sink, V4, 5);
    ip('link', 'set', 'io-a', 'down');
    // At once: the device refuses, and the raw socket knows why.
    await oneByOne(sink, V4, 3);
    ip('link', 'set', 'io-a', 'up');
    // Until then the device drops what it is given.
    while (readFileSync('/sys/class/net/io-a/operstate', 'latin1').trim() !== 'up') await sleep(10);
    ip('neigh', 'replace', V4, 'lladdr', '02:00:00:00:77:02', 'dev', 'io-a', 'nud', 'permanent');
    await sleep(NOTICED);
    const again = await oneByOne(sink, V4, 20);
    await finish(b);
    return { frames: b.frames.length, failures: sink.failures.map(({ code }) => code), again };
  },

  async firewall() {
    const b = await onB();
    const sink = await open();
    const before = await oneByOne(sink, V4, 20);
    const rules =
      'add table ip t; add chain ip t o { type filter hook output priority 0; }; add rule ip t o tcp dport 8080 drop';
    execFileSync('nft', [rules]);
    await sleep(REFRESHED);
    await oneByOne(sink, V4, 3);
    execFileSync('nft', ['delete table ip t']);
    await sleep(REFRESHED);
    const after = await oneByOne(sink, V4, 20);
    await finish(b);
    return { frames: b.frames.length, failures: sink.failures.map(({ code }) => code), before, after, said };
  },

  async ipsec() {
    ip(
      'xfrm',
      'policy',
      'add',
      'dir',
      'out',
      'src',
      '0.0.0.0/0',
      'dst',
      '192.0.2.0/24',
      'tmpl',
      'proto',
      'esp',
      'mode',
      'transport',
    );
    const sink = await open();
    await sink.sink.close();
    return { said };
  },
};

const result = await scenarios[process.argv[2]!]!();
process.stdout.write(JSON.stringify(result), () => process.exit(0));
