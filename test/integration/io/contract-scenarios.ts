/**
 * What sources and sinks of every backend must do alike, run inside a namespace:
 *
 *     node --import tsx contract-scenarios.ts SCENARIO ring|pcap
 */
import { execFileSync } from 'node:child_process';
import { createCapture } from '../../../src/capture/open-capture.ts';
import type { CaptureFilter } from '../../../src/capture/capture-filter.ts';
import type { Direction } from '../../../src/capture/ring-frames.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';
import { DROP_NONE } from '../../../src/core/drop-reason.ts';
import { FrameBatch } from '../../../src/core/frame-batch.ts';
import { instant } from '../../../src/core/time.ts';
import { createSink } from '../../../src/inject/open-sink.ts';
import type { InterceptSource } from '../../../src/intercept/intercept-setup.ts';
import { FrameParser } from '../../../src/wire/frame-parser.ts';
import { Segment } from '../../../src/wire/segment.ts';
import { ethernet, ipPacket, type PacketSpec } from '../../unit/capture/packets.ts';
import { collect, drive, ip, SEND_FRAMES, seqAt, sleep, type Collector, type Frame } from './drive.ts';

const [scenario, backend] = process.argv.slice(2) as [string, 'ring' | 'pcap'];
const TO_B: PacketSpec = { to: '10.77.0.2', toPort: 8080 };
const TO_B6: PacketSpec = { to: 'fd77::2', toPort: 8080 };
const PORT: CaptureFilter = { selection: { endpoints: [{ portFirst: 8080, portLast: 8080 }], direction: 'to' } };

const source = (device: string, filter = PORT, direction: Direction = 'in') =>
  createCapture({ devices: [device], backend, filter, direction, captureBuffer: 64 << 20 }).sources[0]!;
const sink = () => drive(createSink({ backend, clock: () => instant(0) }).sink);
/** Few enough for every backend's buffer. */
const packets = (n: number, spec: PacketSpec = TO_B) =>
  Array.from({ length: n }, (_, seq) => ipPacket({ payload: new Uint8Array(100).fill(seq & 255), ...spec, seq }));

async function finish(...collectors: Collector[]): Promise<void> {
  for (const c of collectors) c.source.stop();
  await Promise.all(collectors.map((c) => c.ended));
  for (const c of collectors) c.source.close();
}

/** The VLANs, and the port, of a frame. */
function readAs(frame: Frame): string {
  const batch = new FrameBatch(1, frame.bytes);
  const { length } = frame.bytes;
  batch.add(0, length, frame.length, instant(1), frame.linkType, frame.flags, frame.vlan);
  const parser = new FrameParser({ verifyChecksums: false });
  const segment = new Segment();
  const reason = parser.parse(batch, 0, segment);
  if (reason !== DROP_NONE) return `dropped: ${reason}`;
  return `${parser.paths.describe(segment.encapsulation)} IPv${segment.ipVersion} ${segment.dstPort}`.trim();
}

const lineOf = (opening: Promise<unknown>) =>
  opening.then(
    () => 'opened',
    (error: TcpcopyError) => error.oneLine(),
  );

const scenarios: Record<string, () => Promise<Record<string, unknown>>> = {
  /** Both families, nothing else, nothing twice; stopped right after the last packet. */
  async delivers() {
    const [a, b, both] = [
      await collect(source('io-a')),
      await collect(source('io-b')),
      await collect(source('io-a', PORT, 'both')),
    ];
    const out = await sink();
    const [four, six] = [packets(100), packets(50, TO_B6)];
    const start = Date.now() * 1_000;
    await out.send([...four, ...packets(50, { ...TO_B, toPort: 81 }), ...six]);
    await finish(a, b, both);
    await out.sink.close();
    const of4 = b.frames.filter((f) => f.bytes[12] === 8);
    const of6 = b.frames.filter((f) => f.bytes[12] !== 8);
    const whole = (frames: typeof of4, sent: typeof four, header: number) =>
      frames.filter((f, i) => Buffer.compare(f.bytes.subarray(14 + header), sent[i]!.subarray(header)) === 0).length;
    return {
      wrongWay: a.frames.length,
      outgoing: both.frames.filter((f) => (f.flags & 4) !== 0).length,
      whole4: whole(of4, four, 20),
      whole6: whole(of6, six, 40),
      frames: b.frames.length,
      ethernet: b.frames.every((f) => f.linkType === 1 && f.length === f.bytes.length),
      timesSane: b.frames.every((f) => Math.abs(f.time - start) < 10e6),
      sent: out.sink.stats(),
    };
  },

  /** However it is asked, a packet on loopback is delivered once. */
  async loopback() {
    const one = await collect(source('lo'));
    const both = await collect(source('lo', PORT, 'both'));
    const any = await collect(source('any', PORT, 'both'));
    await (await sink()).send(packets(100, { to: '127.0.0.1', from: '127.0.0.1', toPort: 8080 }));
    await finish(one, both, any);
    return { in: one.frames.length, both: both.frames.length, any: any.frames.length };
  },

  async expression() {
    const b = await collect(source('io-b', { ...PORT, expression: 'src host 10.77.0.1' }));
    const out = await sink();
    await out.send([...packets(10), ...packets(10, { ...TO_B, from: '10.77.0.99' })]);
    await finish(b);
    return { frames: b.frames.length };
  },

  /** What frames with VLAN tags were read as, one of each; those to port 81 are not wanted. */
  async tagged() {
    const of = [await collect(source('io-b')), await collect(source('any'))];
    const frames = [[], [5], [5, 6]].flatMap((tags) =>
      [8080, 81].flatMap((toPort) =>
        ['10.77.0.2', 'fd77::2'].map((to) => ethernet(ipPacket({ to, toPort }), tags, 0x88a8)),
      ),
    );
    const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
    execFileSync('python3', ['-c', SEND_FRAMES, 'io-a', ...hex]);
    await finish(...of);
    return { device: of[0]!.frames.map(readAs), any: of[1]!.frames.map(readAs) };
  },

  /** Of whole segments the headers come, and the payload that is wanted; fragments come whole. */
  async limitPayload() {
    const b = await collect(source('io-b'));
    (b.source as InterceptSource).limitPayload!(0);
    const out = await sink();
    const payload = new Uint8Array(900).fill(7);
    const large = [TO_B, TO_B6].map((spec) => ipPacket({ ...spec, payload }));
    await sleep(100);
    await out.send([...large, ipPacket({ ...TO_B, payload, fragment: { offset: 0, more: true } })]);
    await sleep(100);
    (b.source as InterceptSource).limitPayload!(500);
    await sleep(100);
    await out.send(large);
    await finish(b);
    return { captured: b.frames.map((f) => f.bytes.length), lengths: b.frames.map((f) => f.length) };
  },

  /** Which frames come by which ring must not show: headers in slots, fragments and payload in blocks, all once. */
  async promptHeads() {
    const b = await collect(
      createCapture({ devices: ['io-b'], backend, filter: PORT, captureBuffer: 64 << 20, promptHeads: true })
        .sources[0]!,
    );
    const prompt = b.source as InterceptSource;
    const out = await sink();
    const payload = new Uint8Array(900).fill(7);
    const fragment = ipPacket({ ...TO_B, payload, fragment: { offset: 0, more: true } });
    const round = async (wanted: number) => {
      prompt.limitPayload!(wanted);
      await sleep(100);
      const before = b.frames.length;
      await out.send([...packets(20, { ...TO_B, payload }), ...packets(20, { ...TO_B6, payload }), fragment]);
      await sleep(100);
      const lengths = b.frames.slice(before).map(({ bytes }) => bytes.length);
      return [...new Set(lengths)].sort((x, y) => x - y).map((n) => [n, lengths.filter((m) => m === n).length]);
    };
    const rounds = [await round(0), await round(500), await round(0)];
    await out.send(packets(300, { ...TO_B, payload: new Uint8Array(0) }));
    await finish(b);
    return { rounds, late: b.frames.length - 3 * 41, dropped: b.source.stats().kernelDropped ?? 0 };
  },

  async spoofed() {
    const b = await collect(source('io-b'));
    const out = await sink();
    await out.send([...packets(5, { ...TO_B, from: '203.0.113.9' }), ...packets(5, { ...TO_B6, from: '2001:db8::9' })]);
    await finish(b);
    const from = b.frames.map(({ bytes }) => (bytes[12] === 8 ? bytes.subarray(26, 30) : bytes.subarray(22, 38)));
    return {
      frames: b.frames.length,
      sources: [...new Set(from.map((address) => Buffer.from(address).toString('hex')))],
    };
  },

  /** Packets that the kernel refuses sit between good ones, which all go, in order. */
  async refused() {
    ip('route', 'add', '10.77.0.2/32', 'dev', 'io-a', 'mtu', '600');
    const b = await collect(source('io-b'));
    const out = await sink();
    const good = packets(4);
    const long = ipPacket({ ...TO_B, payload: new Uint8Array(900) });
    const nowhere = ipPacket({ to: '198.51.100.1' });
    await out.send([good[0]!, long, good[1]!, nowhere, good[2]!, Uint8Array.from([1, 2, 3]), good[3]!]);
    await finish(b);
    return {
      order: b.frames.map((f) => seqAt(f.bytes, 14)),
      failures: out.failures.map((f) => f.code),
      stats: out.sink.stats(),
    };
  },

  async firewalled() {
    const b = await collect(source('io-b', { expression: 'tcp' }));
    const out = await sink();
    await out.send([8080, 81, 8080].flatMap((toPort) => packets(1, { ...TO_B, toPort })));
    await finish(b);
    return { frames: b.frames.length, failures: out.failures.map((f) => f.code) };
  },

  async linkDown() {
    const b = await collect(source('io-b'));
    await (await sink()).send(packets(50));
    await sleep(100);
    ip('link', 'set', 'io-b', 'down');
    const code = await b.ended;
    b.source.close();
    return { code, frames: b.frames.length, opening: await lineOf(collect(source('io-b'))) };
  },

  async errors() {
    return {
      device: await lineOf(collect(source('io-nowhere'))),
      filter: await lineOf(collect(source('io-b', { expression: 'tcp prt 80' }))),
    };
  },
};

const result = await scenarios[scenario]!();
process.stdout.write(JSON.stringify(result), () => process.exit(0));
