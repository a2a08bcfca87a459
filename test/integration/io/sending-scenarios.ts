/** What is sent, and what becomes of it. */
import { parseIp } from '../../../src/core/ip-address.ts';
import { PacketBatch } from '../../../src/core/packet-batch.ts';
import { RawSink } from '../../../src/inject/raw-sink.ts';
import { ipPacket } from '../../unit/capture/packets.ts';
import { collect, drive, ip, seqAt, sleep } from './drive.ts';
import { addon, finish, inOrder, packets, port, raw, ring, TO_B, type Scenarios } from './scenario-parts.ts';

export const SENDING_SCENARIOS: Scenarios = {
  async spoofed() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    const sink = await drive(raw());
    await sink.send(packets(5, { ...TO_B, from: '203.0.113.9' }));
    await sink.send(packets(5, { to: 'fd77::2', from: '2001:db8::9', toPort: 8080 }));
    await finish(b);
    return {
      frames: b.frames.length,
      sources: [
        ...new Set(
          b.frames.map((f) => f.bytes.subarray(f.bytes[12] === 8 ? 26 : 22, f.bytes[12] === 8 ? 30 : 38).join('.')),
        ),
      ],
    };
  },

  /** Straight to the device, until the route takes less than that. */
  async direct() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    const told: string[] = [];
    const destinations = ['10.77.0.2', 'fd77::2'].map((text) => parseIp(text)!);
    const sink = await drive(raw({ destinations, told: (line) => void told.push(line) }));
    await sink.send([...packets(300), ...packets(100, { to: 'fd77::2', toPort: 8080 })]);
    ip('route', 'add', '10.77.0.2/32', 'dev', 'io-a', 'mtu', '600');
    await sleep(200);
    const long = ipPacket({ ...TO_B, payload: new Uint8Array(900) });
    await sink.send([packets(1)[0]!, long, packets(1)[0]!]);
    await finish(b);
    await sink.sink.close();
    ip('route', 'del', '10.77.0.2/32');
    const four = b.frames.filter((f) => f.bytes[12] === 8);
    return {
      frames: b.frames.length,
      inOrder: inOrder(four.slice(0, 300).map((f) => seqAt(f.bytes, 14))),
      failures: sink.failures.map(({ code, mtu }) => [code, mtu]),
      told: told.slice(0, 2).map((line) => line.replace(/device \d+/, 'device N')),
    };
  },

  /** Packets the kernel refuses sit between good ones: those all go. */
  async refused() {
    ip('route', 'add', '10.77.0.2/32', 'dev', 'io-a', 'mtu', '600');
    const b = await collect(ring('io-b', { filter: { expression: 'tcp' } }));
    const sink = await drive(raw());
    const good = () => packets(1)[0]!;
    const unreachable = ipPacket({ to: '198.51.100.1' });
    const long = ipPacket({ ...TO_B, payload: new Uint8Array(900) });
    const veryLong = ipPacket({ to: 'fd77::2', payload: new Uint8Array(1_600) });
    await sink.send([good(), long, good(), unreachable, good(), veryLong, good(), Uint8Array.from([1, 2, 3]), good()]);
    await finish(b);
    ip('route', 'del', '10.77.0.2/32');
    return {
      frames: b.frames.length,
      failures: sink.failures.map((f) => [f.code, f.mtu ?? null, f.length]),
      stats: sink.sink.stats(),
    };
  },

  /** A slow device queue and a small socket buffer: the batch waits, in order, and nothing is lost. */
  async backpressure() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    const slow = await drive(new RawSink(addon, { sendBuffer: 16_384 }, new PacketBatch(256, 1 << 16)));
    let waits = 0;
    const { flush } = slow.sink;
    slow.sink.flush = () => {
      const done = flush.call(slow.sink);
      if (!done) waits++;
      return done;
    };
    await slow.send(packets(2_000));
    await slow.sink.close();
    await sleep(200);
    await finish(b);
    return {
      waits: waits > 0,
      frames: b.frames.length,
      inOrder: inOrder(b.frames.map((f) => seqAt(f.bytes, 14))),
      failures: slow.failures.length,
    };
  },

  async firewalled() {
    const b = await collect(ring('io-b', { filter: { expression: 'tcp' } }));
    const sink = await drive(raw());
    await sink.send([8080, 81, 8080].map((toPort) => ipPacket({ ...TO_B, toPort })));
    await finish(b);
    return { frames: b.frames.length, failures: sink.failures.map((f) => f.code) };
  },

  /** The namespace routes mark 7 to nowhere. */
  async mark() {
    const b = await collect(ring('io-b', { filter: port(8080) }));
    const marked = await drive(raw({ mark: 7 }));
    await marked.send(packets(1));
    const plain = await drive(raw({ device: 'io-a' }));
    await plain.send(packets(5));
    await finish(b);
    const codes = (failures: typeof plain.failures) => failures.map((f) => f.code);
    return { frames: b.frames.length, marked: codes(marked.failures), plain: codes(plain.failures) };
  },
};
