/** Sending on the device itself; each scenario runs in a namespace of its own (see lab.ts) and prints JSON. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { RingSource } from '../../../src/capture/ring-source.ts';
import { DROP_NONE } from '../../../src/core/drop-reason.ts';
import { FRAME_CHECKSUM_PARTIAL, FrameBatch } from '../../../src/core/frame-batch.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import { seqNum } from '../../../src/core/seq-num.ts';
import type { Instant } from '../../../src/core/time.ts';
import type { PacketSink } from '../../../src/inject/packet-sink.ts';
import { RawSink, type RawSinkOptions } from '../../../src/inject/raw-sink.ts';
import { loadNative } from '../../../src/native/load.ts';
import { sumBytes } from '../../../src/wire/checksum.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { CHECKSUM_GOOD, Segment } from '../../../src/wire/segment.ts';
import { TcpHeader, writeTcpPacket } from '../../../src/wire/tcp-writer.ts';
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

const LARGE = 9_500;
const pattern = Uint8Array.from({ length: LARGE }, (_, i) => (i * 7) >> 3);

/** Has nine segments of 1,000 bytes and one of 500. */
function sendLarge(sink: PacketSink, to: string): void {
  const { batch } = sink;
  const header = new TcpHeader();
  const { version, w0, w1, w2, w3 } = parseIp(to)!;
  const from = parseIp(version === 4 ? '192.0.2.9' : '2001:db8::9')!;
  Object.assign(header, { ipVersion: version, dst0: w0, dst1: w1, dst2: w2, dst3: w3, srcPort: 9, dstPort: 8080 });
  Object.assign(header, { src0: from.w0, src1: from.w1, src2: from.w2, src3: from.w3, flags: 0x19, window: 99 });
  header.seq = seqNum(-3_000);
  const at = batch.reserve(LARGE + 100);
  const length = writeTcpPacket(batch.bytes, batch.view, at, header, pattern, 0, LARGE, true);
  batch.commit(length, 1_000);
  sink.flush();
}

function segmentsOf(frames: Collector['frames']): Record<string, unknown> {
  const parser = new FrameParser({ verifyChecksums: true });
  const segment = new Segment();
  const sizes: number[] = [];
  const flags: number[] = [];
  let right = true;
  let done = 0;
  for (const { bytes, length, time, linkType, flags: known, vlan } of frames) {
    const batch = new FrameBatch(1);
    batch.reset(bytes);
    batch.add(0, bytes.length, length, time as Instant, linkType, known, vlan);
    right &&= parser.parse(batch, 0, segment) === DROP_NONE && segment.seq === ((done - 3_000) | 0);
    right &&= (known & FRAME_CHECKSUM_PARTIAL) !== 0 || segment.checksum === CHECKSUM_GOOD;
    right &&= bytes[12] !== 8 || sumBytes(new DataView(bytes.buffer), 14, 20) === 0xffff;
    const text = bytes.subarray(segment.payloadOffset, segment.payloadOffset + segment.payloadLength);
    right &&= Buffer.compare(text, pattern.subarray(done, done + text.length)) === 0;
    sizes.push(text.length);
    flags.push(segment.flags);
    done += text.length;
  }
  return { right, sizes, flags };
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

  /** Packets that stand for ten segments: taken by the device, cut by the kernel before it, cut by us. */
  async large() {
    const b = await onB();
    const direct = await open();
    const raw = await open({ destinations: [] });
    const shown: Record<string, unknown> = {};
    const show = async (name: string, sink: Driver) => {
      for (const to of [V4, V6]) {
        await sleep(100);
        // Once a second one goes by way of the kernel: not that one.
        await oneByOne(sink, to, 1);
        await sleep(50);
        const before = b.frames.length;
        const stats = sink.sink.stats();
        throughKernel();
        sendLarge(sink.sink, to);
        const kernel = throughKernel() > 0;
        await sleep(50);
        const { packets, bytes } = sink.sink.stats();
        const counted = [packets - stats.packets, bytes - stats.bytes];
        shown[`${name} ${to}`] = { ...segmentsOf(b.frames.slice(before)), kernel, counted };
      }
    };
    await show('device', direct);
    execFileSync('ethtool', ['-K', 'io-a', 'tso', 'off']);
    await show('kernel', direct);
    await show('raw', raw);
    await finish(b);
    return shown;
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
