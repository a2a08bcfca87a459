/** What is captured with the ring. */
import { execFileSync, spawn } from 'node:child_process';
import { Worker } from 'node:worker_threads';
import type { RingSource } from '../../../src/capture/ring-source.ts';
import { parseIp } from '../../../src/core/ip-address.ts';
import type { TcpcopyError } from '../../../src/core/errors.ts';
import { ethernet, ipPacket } from '../../unit/capture/packets.ts';
import { collect, drive, ip, SEND_FRAMES, seqAt, sleep } from './drive.ts';
import { finish, inOrder, packets, port, raw, ring, TO_B, type Scenarios } from './scenario-parts.ts';

/** Node has neither packet sockets nor ioctl. */
const HOLD_TUN = `
import fcntl, struct, sys
tun = open('/dev/net/tun', 'r+b', buffering=0)
fcntl.ioctl(tun, 0x400454ca, struct.pack('16sH', b'io-t', 0x1001))
print('ready', flush=True)
sys.stdin.read()
`;

export const RING_SCENARIOS: Scenarios = {
  async inbound() {
    // Only ours: the kernel multicasts a packet of its own now and then.
    const filter = port(8080);
    const a = await collect(ring('io-a', { filter }));
    const b = await collect(ring('io-b', { filter }));
    const out = await collect(ring('io-a', { direction: 'both', filter }));
    const sink = await drive(raw());
    const sent = packets(5_000);
    const start = Date.now() * 1_000;
    await sink.send(sent);
    await finish(a, b, out);
    const payload = (bytes: Uint8Array) => Buffer.from(bytes.subarray(14 + 20)).toString('hex');
    return {
      a: a.frames.length,
      out: out.frames.length,
      outgoing: out.frames.every((f) => (f.flags & 4) !== 0),
      b: b.frames.length,
      inOrder: inOrder(b.frames.map((f) => seqAt(f.bytes, 14))),
      bytesEqual: b.frames.every((f, i) => payload(f.bytes) === Buffer.from(sent[i]!.subarray(20)).toString('hex')),
      ethernet: b.frames.every((f) => f.linkType === 1 && f.length === f.bytes.length && f.vlan === 0x10000),
      timesSane: b.frames.every((f) => Math.abs(f.time - start) < 10e6),
      timesRise: b.frames.every((f, i) => i === 0 || f.time >= b.frames[i - 1]!.time),
      stats: b.source.stats(),
      sinkStats: sink.sink.stats(),
    };
  },

  /** Stopped in the same turn as the last packet was sent: everything must still come out. */
  async stopAtOnce() {
    const sink = await drive(raw());
    const counts: number[] = [];
    for (let round = 0; round < 30; round++) {
      // Only ours, as above.
      const b = await collect(ring('io-b', { filter: port(8080) }));
      await sink.send(packets(1 + round * 40));
      await finish(b);
      counts.push(b.frames.length - (1 + round * 40));
    }
    return { missing: counts.filter((n) => n !== 0) };
  },

  async selection() {
    const b = await collect(ring('io-b', { filter: port(8080, '10.77.0.2') }));
    const sink = await drive(raw());
    await sink.send(packets(100));
    await sink.send(packets(100, { ...TO_B, toPort: 9090 }));
    await sleep(20);
    const first = b.frames.length;
    (b.source as RingSource).refilter(port(9090));
    await sink.send(packets(50, { ...TO_B, toPort: 9090 }));
    await sink.send(packets(50, { to: 'fd77::2', toPort: 9090 }));
    await finish(b);
    return { first, all: b.frames.length };
  },

  /** The longest filter the kernel is asked to take. */
  async manyMappings() {
    const endpoints = Array.from({ length: 100 }, (_, i) => [
      { address: parseIp(`10.77.0.${i}`), portFirst: 8_000 + i, portLast: 8_000 + i },
      { address: parseIp(`fd77::${i}`), portFirst: 8_000 + i, portLast: 8_000 + i },
    ]).flat();
    const b = await collect(ring('io-b', { filter: { selection: { endpoints, direction: 'both' } } }));
    const sink = await drive(raw());
    await sink.send([8_002, 8_003].map((toPort) => ipPacket({ to: '10.77.0.2', toPort })));
    await sink.send([8_002, 8_003].map((toPort) => ipPacket({ to: 'fd77::2', toPort })));
    await finish(b);
    return { frames: b.frames.length };
  },

  async snapLength() {
    const b = await collect(ring('io-b', { snapLength: 60, filter: port(8080) }));
    await (await drive(raw())).send(packets(3));
    await finish(b);
    return { captured: b.frames.map((f) => f.bytes.length), length: b.frames.map((f) => f.length) };
  },

  async loopback() {
    const lo = { to: '127.0.0.1', from: '127.0.0.1', toPort: 8080 };
    const filter = port(8080);
    const one = await collect(ring('lo', { filter }));
    const both = await collect(ring('lo', { filter, direction: 'both' }));
    const any = await collect(ring('any', { filter }));
    const anyBoth = await collect(ring('any', { filter, direction: 'both' }));
    const anyOut = await collect(ring('any', { filter, direction: 'out' }));
    await (await drive(raw())).send(packets(100, lo));
    await finish(one, both, any, anyBoth, anyOut);
    const link = (c: typeof one) => [c.frames.length, ...new Set(c.frames.map((f) => f.linkType))];
    return { in: link(one), both: link(both), any: link(any), anyBoth: link(anyBoth), anyOut: link(anyOut) };
  },

  async any() {
    const any = await collect(ring('any', { filter: port(8080) }));
    const expression = await collect(ring('any', { filter: { expression: 'tcp dst port 8080' } }));
    const sink = await drive(raw());
    await sink.send(packets(100));
    await sink.send(packets(100, { to: 'fd77::2', toPort: 8080 }));
    await finish(any, expression);
    return {
      raw: any.frames.filter((f) => f.linkType === 101).length,
      versions: [...new Set(any.frames.map((f) => f.bytes[0]! >> 4))],
      expression: expression.frames.length,
    };
  },

  /** A device without link headers: its frames begin with the IP header. */
  async tun() {
    const tun = spawn('python3', ['-c', HOLD_TUN], { stdio: ['pipe', 'pipe', 'inherit'] });
    await new Promise((resolve) => tun.stdout.once('data', resolve));
    ip('addr', 'add', '10.88.0.1/24', 'dev', 'io-t');
    ip('link', 'set', 'io-t', 'up');
    const t = await collect(ring('io-t', { direction: 'out', filter: port(8080) }));
    await (await drive(raw())).send(packets(10, { ...TO_B, to: '10.88.0.2' }));
    await finish(t);
    tun.stdin.end();
    return { frames: t.frames.length, raw: t.frames.every((f) => f.linkType === 101 && f.bytes[0] === 0x45) };
  },

  async vlan() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    const any = await collect(ring('any', { filter: port(8080) }));
    const frames = [[5], [5, 6]].map((tags) => ethernet(packets(1)[0]!, tags, 0x88a8));
    const hex = frames.map((frame) => Buffer.from(frame).toString('hex'));
    execFileSync('python3', ['-c', SEND_FRAMES, 'io-a', ...hex]);
    await finish(b, any);
    const seen = (c: typeof b) =>
      c.frames.map((f) => [
        f.linkType,
        f.vlan,
        Buffer.from(f.bytes.subarray(f.linkType === 101 ? 0 : 12, 20)).toString('hex'),
      ]);
    return { ethernet: seen(b), any: seen(any) };
  },

  /** A reader that falls behind: blocks go over nearly empty, three for each that it takes, and the ring has fifteen. */
  async slowReader() {
    const source = ring('io-b', { captureBuffer: 1 << 20, filter: port(8080) });
    await source.open({ ready: () => undefined, ended: () => undefined });
    const sink = await drive(raw());
    const sent = packets(300);
    const seqs: number[] = [];
    const take = (): boolean => {
      const batch = source.poll();
      if (batch === undefined) return false;
      for (let i = 0; i < batch.count; i++) seqs.push(seqAt(batch.bytes.subarray(batch.offset[i]), 14));
      return true;
    };
    for (let round = 0; round < 60; round++) {
      await sink.send(sent.slice(round * 5, round * 5 + 5));
      await sleep(5);
      if (round % 3 === 2) take();
    }
    while (take()) continue;
    const { frames, kernelDropped } = source.stats();
    source.close();
    return { frames, kernelDropped, inOrder: inOrder(seqs) };
  },

  async kernelDrops() {
    // Only ours: the kernel multicasts a packet of its own now and then.
    const source = ring('io-b', { captureBuffer: 512 * 1024, filter: port(8080) });
    const b = await collect(source, false);
    const sink = raw();
    await sink.open({ writable: () => undefined, failed: () => undefined });
    let sent = 0;
    // Without a turn of the event loop in between nobody polls, and seven blocks hold about 3,500 frames of these.
    for (let round = 0; round < 20; round++) {
      for (const packet of packets(1_000)) {
        sink.batch.bytes.set(packet, sink.batch.reserve(packet.length));
        sink.batch.commit(packet.length);
      }
      if (sink.flush()) sent += 1_000;
    }
    await finish(b);
    const { frames, kernelDropped } = source.stats();
    return { sent, frames, kernelDropped };
  },

  async linkDown() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    await (await drive(raw())).send(packets(50));
    ip('link', 'set', 'io-b', 'down');
    const code = await b.ended;
    b.source.close();
    const opening = await collect(ring('io-b')).catch((error: TcpcopyError) => error.oneLine());
    return { code, frames: b.frames.length, opening };
  },

  async linkDeleted() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    await (await drive(raw())).send(packets(50));
    ip('link', 'del', 'io-a');
    const code = await b.ended;
    b.source.close();
    return { code, frames: b.frames.length };
  },

  async errors() {
    const codeOf = (source: RingSource) =>
      collect(source).then(
        () => 'opened',
        (error: TcpcopyError) => error.oneLine(),
      );
    return {
      device: await codeOf(ring('io-nowhere')),
      filter: await codeOf(ring('io-b', { filter: { expression: 'tcp prt 80' } })),
      parentheses: await codeOf(ring('io-b', { filter: { expression: 'tcp) or (udp', ...port(80) } })),
      memory: await codeOf(ring('io-b', { captureBuffer: 2 ** 40 })),
    };
  },

  async expression() {
    const filter = { ...port(8080), expression: 'src host 10.77.0.1' };
    const b = await collect(ring('io-b', { filter }));
    const sink = await drive(raw());
    await sink.send(packets(10));
    await sink.send(packets(10, { ...TO_B, from: '10.77.0.99' }));
    await sink.send(packets(10, { ...TO_B, toPort: 81 }));
    await finish(b);
    return { frames: b.frames.length };
  },

  /** What was handed out is empty after close: no view of the ring's memory survives it. */
  async closed() {
    const source = ring('io-b', { filter: port(8080) });
    await source.open({ ready: () => undefined, ended: () => undefined });
    await (await drive(raw())).send(packets(10));
    await sleep(20);
    const batch = source.poll()!;
    const { bytes } = batch;
    const before = [batch.count > 0, bytes.length > 0];
    source.close();
    source.close();
    globalThis.gc?.();
    return { before, after: [batch.count, bytes.length, bytes.buffer.byteLength], poll: source.poll() === undefined };
  },

  /** The process ends with rings open, as does a worker. */
  async forgotten() {
    for (let i = 0; i < 40; i++) await collect(ring('io-b', { captureBuffer: 4 << 20 }));
    const worker = new Worker(
      `const { createRequire } = require('node:module');
       const addon = require(process.argv[2]);
       const filter = new Uint8Array(8); filter[0] = 6; filter[4] = 255;
       const options = { device: 1, cooked: false, blockSize: 262144, blockCount: 4, slotSize: 0, retireMs: 1, fanoutGroup: 0xffffffff, promiscuous: false, ignoreOutgoing: true, filter };
       const ring = new addon.Ring(options, () => {});
       ring.arm();
       new addon.Sender({ mark: 0, device: 0, bufferBytes: 0 }, () => {});
       setTimeout(() => process.exit(0), 50);`,
      {
        eval: true,
        argv: [new URL(`../../../prebuilds/linux-${process.arch}/tcpcopy.node`, import.meta.url).pathname],
      },
    );
    const code = await new Promise((resolve) => worker.once('exit', resolve));
    return { code };
  },
};
