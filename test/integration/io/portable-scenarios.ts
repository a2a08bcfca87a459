/** What the tests of the portable backends run inside their namespace. */
import { execFileSync } from 'node:child_process';
import { PcapSource, type PcapSourceOptions } from '../../../src/capture/pcap-source.ts';
import { createSink } from '../../../src/inject/open-sink.ts';
import { instant } from '../../../src/core/time.ts';
import { ipPacket, type PacketSpec } from '../../unit/capture/packets.ts';
import { collect, drive, seqAt, sleep, type Collector } from './drive.ts';

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

/** The process that captures. */
const capturing = (signal: NodeJS.Signals) => {
  const child = execFileSync('pgrep', ['-P', String(process.pid), '-f', 'pcap-child'], { encoding: 'utf8' });
  process.kill(Number(child), signal);
};

const scenarios: Record<string, () => Promise<Record<string, unknown>>> = {
  /** More in one turn than a chunk of what the two processes pass on holds. */
  async burst() {
    const spec: PacketSpec = { ...TO_B, payload: new Uint8Array(1_400) };
    const sent = packets(240, spec).map((packet, i) => packet.fill(i & 255, 40));
    const b = await collect(pcap('io-b', { filter: to8080, captureBuffer: 64 << 20 }));
    capturing('SIGSTOP');
    await (await drive(sink())).send(sent);
    capturing('SIGCONT');
    await finish(b);
    const whole = b.frames.filter(({ bytes }, i) => Buffer.compare(bytes.subarray(34), sent[i]!.subarray(20)) === 0);
    return { frames: b.frames.length, whole: whole.length };
  },

  /** Traffic goes on while the capture is opened: what of it is delivered has no holes. */
  async underWay() {
    const out = await drive(sink());
    let seq = 0;
    const next = async (n: number) => {
      await out.send(Array.from({ length: n }, () => ipPacket({ ...TO_B, seq: seq++ })));
      await sleep(1);
    };
    let opened: Collector | undefined;
    const opening = collect(pcap('io-b', { filter: to8080 })).then((collector) => (opened = collector));
    while (opened === undefined) await next(2);
    const before = seq;
    await next(100);
    const b = await opening;
    await finish(b);
    const seqs = b.frames.map(({ bytes }) => seqAt(bytes, 14));
    const holes = seqs.filter((each, i) => i > 0 && each !== seqs[i - 1]! + 1).length;
    return { before: before > 50, first: seqs[0]! <= before, last: seqs.at(-1) === seq - 1, holes };
  },

  /** More than libpcap's buffer holds, while nobody reads it. */
  async full() {
    const b = await collect(pcap('io-b', { filter: to8080, captureBuffer: 4 << 20 }));
    capturing('SIGSTOP');
    await (await drive(sink())).send(packets(20_000));
    capturing('SIGCONT');
    await finish(b);
    const { frames, kernelDropped } = b.source.stats();
    return { frames, kernelDropped };
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
    // In portions that libpcap's own buffer takes, so that what does not fit is dropped behind it.
    const portion = packets(250, { ...TO_B, payload: new Uint8Array(1_400) });
    let sent = 0;
    for (; sent < 20_000; sent += portion.length) {
      await out.send(portion);
      await sleep(2);
    }
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
