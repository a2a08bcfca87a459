/** What the tests of the portable backends run inside their namespace. */
import { execFileSync } from 'node:child_process';
import { PcapSource, type PcapSourceOptions } from '../../../src/capture/pcap-source.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';
import { createSink } from '../../../src/inject/open-sink.ts';
import { instant } from '../../../src/core/time.ts';
import { ipPacket, type PacketSpec } from '../../unit/capture/packets.ts';
import { collect, drive, ip, seqAt, sleep, type Collector } from './drive.ts';

const pcap = (device: string, options: PcapSourceOptions = {}) => new PcapSource(device, options);
const sink = () => createSink({ backend: 'pcap', clock: () => instant(0) }).sink;
const TO_B: PacketSpec = { to: '10.77.0.2', toPort: 8080 };
const packets = (n: number, spec: PacketSpec = TO_B) =>
  Array.from({ length: n }, (_, seq) => ipPacket({ payload: new Uint8Array(100).fill(seq & 255), ...spec, seq }));
const to8080 = {
  selection: { endpoints: [{ portFirst: 8080, portLast: 8080 }], direction: 'to' as const },
};

async function finish(...collectors: Collector[]): Promise<void> {
  for (const c of collectors) c.source.stop();
  await Promise.all(collectors.map((c) => c.ended));
  for (const c of collectors) c.source.close();
}

const scenarios: Record<string, () => Promise<Record<string, unknown>>> = {
  async stopAtOnce() {
    const b = await collect(pcap('io-b', { filter: to8080 }));
    const a = await collect(pcap('io-a', { filter: to8080 }));
    const outgoing = await collect(pcap('io-a', { filter: to8080, direction: 'both' }));
    const out = await drive(sink());
    const start = Date.now() * 1_000;
    // libpcap's ring has some 250 places here.
    await out.send(packets(100));
    await out.send(packets(50, { ...TO_B, toPort: 81 }));
    await out.send(packets(50, { to: 'fd77::2', toPort: 8080 }));
    await finish(a, b, outgoing);
    await out.sink.close();
    const ip4 = b.frames.filter((f) => f.bytes[12] === 8);
    return {
      a: a.frames.length,
      out: outgoing.frames.length,
      flags: [...new Set(outgoing.frames.map((f) => f.flags))],
      ip4: ip4.length,
      ip6: b.frames.length - ip4.length,
      inOrder: ip4.every((f, i) => seqAt(f.bytes, 14) === i),
      ethernet: b.frames.every((f) => f.linkType === 1),
      timesSane: b.frames.every((f) => Math.abs(f.time - start) < 10e6),
      sent: out.sink.stats(),
    };
  },

  /** More in one turn than a chunk of what the two processes pass on holds. */
  async burst() {
    const spec: PacketSpec = { ...TO_B, payload: new Uint8Array(1_400) };
    const sent = packets(240, spec).map((packet, i) => packet.fill(i & 255, 40));
    const b = await collect(pcap('io-b', { filter: to8080, captureBuffer: 64 << 20 }));
    const child = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'pcap-child'], { encoding: 'utf8' });
    process.kill(Number(child), 'SIGSTOP');
    await (await drive(sink())).send(sent);
    process.kill(Number(child), 'SIGCONT');
    await finish(b);
    const whole = b.frames.filter(({ bytes }, i) => Buffer.compare(bytes.subarray(34), sent[i]!.subarray(20)) === 0);
    return { frames: b.frames.length, whole: whole.length };
  },

  async loopback() {
    const lo: PacketSpec = { to: '127.0.0.1', from: '127.0.0.1', toPort: 8080 };
    const one = await collect(pcap('lo', { filter: to8080 }));
    const both = await collect(pcap('lo', { filter: to8080, direction: 'both' }));
    const any = await collect(pcap('any', { filter: to8080, direction: 'both' }));
    await (await drive(sink())).send(packets(100, lo));
    await finish(one, both, any);
    const link = (c: Collector) => [c.frames.length, ...new Set(c.frames.map((f) => f.linkType))];
    return { in: link(one), both: link(both), any: link(any) };
  },

  async linkDown() {
    const b = await collect(pcap('io-b', { filter: to8080 }));
    await (await drive(sink())).send(packets(50));
    await sleep(100);
    ip('link', 'set', 'io-b', 'down');
    const code = await b.ended;
    b.source.close();
    const opening = await collect(pcap('io-b')).catch((error: TcpcopyError) => error.oneLine());
    return { code, frames: b.frames.length, opening };
  },

  async errors() {
    const lineOf = (source: PcapSource) =>
      collect(source).then(
        () => 'opened',
        (error: TcpcopyError) => error.oneLine(),
      );
    return {
      device: await lineOf(pcap('io-nowhere')),
      filter: await lineOf(pcap('io-b', { filter: { expression: 'tcp prt 80' } })),
    };
  },

  async refused() {
    ip('route', 'add', '10.77.0.2/32', 'dev', 'io-a', 'mtu', '600');
    const b = await collect(pcap('io-b', { filter: to8080 }));
    const out = await drive(sink());
    const good = () => packets(1)[0]!;
    const long = ipPacket({ ...TO_B, payload: new Uint8Array(900) });
    await out.send([good(), long, good(), ipPacket({ to: '198.51.100.1' }), Uint8Array.from([1, 2, 3]), good()]);
    await finish(b);
    return { frames: b.frames.length, failures: out.failures.map((f) => f.code), stats: out.sink.stats() };
  },

  /** Nobody polls: memory stays bounded, what does not fit is dropped and counted, and the rest is delivered. */
  async overload() {
    const source = pcap('io-b', { filter: to8080, captureBuffer: 64 << 20 });
    let polling = false;
    let frames = 0;
    let end: () => void = () => undefined;
    const ended = new Promise<void>((resolve) => (end = resolve));
    await source.open({
      ready: () => {
        if (!polling) return;
        for (let batch = source.poll(); batch !== undefined; batch = source.poll()) frames += batch.count;
      },
      ended: () => end(),
    });
    const out = await drive(sink());
    const sent = 20_000;
    // What libpcap itself loses it does not tell through `cap`.
    await out.send(packets(sent, { ...TO_B, payload: new Uint8Array(1_400) }));
    await sleep(200);
    polling = true;
    source.stop();
    for (let batch = source.poll(); batch !== undefined; batch = source.poll()) frames += batch.count;
    await ended;
    const { kernelDropped } = source.stats();
    source.close();
    return { sent, frames, kernelDropped };
  },
};

const result = await scenarios[process.argv[2]!]!();
process.stdout.write(JSON.stringify(result), () => process.exit(0));
